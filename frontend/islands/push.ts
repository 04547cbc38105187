import { clicked, one } from "./dom";

/** "Allow on this device": asks the browser, subscribes, and hands the subscription to a form. */
export function push(): void {
  void tell();
  document.addEventListener("shown", () => void tell());
  clicked("[data-push-allow]", (button) => {
    const card = button.closest<HTMLElement>("[data-push]");
    if (card) void allow(card, button as HTMLButtonElement);
  });
}

/** Says what stands in the way before anybody presses anything. */
async function tell(): Promise<void> {
  const card = one("[data-push]");
  if (!card) return;
  const button = one<HTMLButtonElement>("[data-push-allow]", card);
  const fault = obstacle();
  say(card, fault);
  if (button) button.hidden = fault !== "";
}

function obstacle(): string {
  if (!window.isSecureContext) return "This needs https: browsers allow push only on a secure address.";
  const apple = /iPhone|iPad|iPod/.test(navigator.userAgent);
  const installed = matchMedia("(display-mode: standalone)").matches;
  if (apple && !installed) return "On this device: Share → Add to Home Screen, then open Nightbell from there and come back to this page.";
  if (!("serviceWorker" in navigator && "PushManager" in window)) return "This browser knows no push. Try Chrome, Firefox, Edge or Safari.";
  if (Notification.permission === "denied") return "Notifications are blocked for this site. Allow them in the browser's site settings, then reload.";
  return "";
}

async function allow(card: HTMLElement, button: HTMLButtonElement): Promise<void> {
  const form = one<HTMLFormElement>("form", card);
  if (!form) return;
  button.disabled = true;
  try {
    if ((await Notification.requestPermission()) !== "granted") return say(card, obstacle() || "Not allowed. Press again and choose Allow.");
    const worker = await navigator.serviceWorker.register("/sw.js");
    await navigator.serviceWorker.ready;
    const key = bytes(card.dataset.push ?? "");
    const known = await worker.pushManager.getSubscription();
    // One made for another key would never ring again.
    if (known && !same(known.options.applicationServerKey, key)) await known.unsubscribe();
    const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key as BufferSource });
    const keys = made.toJSON().keys ?? {};
    fill(form, { endpoint: made.endpoint, p256dh: keys.p256dh ?? "", auth: keys.auth ?? "", device: device() });
    form.requestSubmit();
  } catch (fault) {
    say(card, `The browser could not subscribe: ${fault instanceof Error ? fault.message : fault}`);
  } finally {
    button.disabled = false;
  }
}

function fill(form: HTMLFormElement, values: Record<string, string>): void {
  for (const [name, value] of Object.entries(values)) one<HTMLInputElement>(`input[name=${name}]`, form)!.value = value;
}

function say(card: HTMLElement, text: string): void {
  const line = one("[data-push-says]", card);
  if (!line) return;
  line.textContent = text;
  line.hidden = !text;
}

function device(): string {
  const agent = navigator.userAgent;
  const browser = /Edg\//.test(agent) ? "Edge" : /Firefox\//.test(agent) ? "Firefox" : /Chrome\//.test(agent) ? "Chrome" : /Safari\//.test(agent) ? "Safari" : "A browser";
  const system = /Android/.test(agent) ? "Android" : /iPhone|iPad/.test(agent) ? "iOS" : /Windows/.test(agent) ? "Windows" : /Mac OS/.test(agent) ? "macOS" : /Linux/.test(agent) ? "Linux" : "this device";
  return `${browser} on ${system}`;
}

function bytes(text: string): Uint8Array {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}

function same(known: ArrayBuffer | null, key: Uint8Array): boolean {
  const ours = new Uint8Array(known ?? new ArrayBuffer(0));
  return ours.length === key.length && ours.every((byte, index) => byte === key[index]);
}
