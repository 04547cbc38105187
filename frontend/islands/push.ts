import { clicked, one } from "./dom";

/** Where the browser remembers what was handed in: [endpoint, key]. */
const KEPT = "nightbell_push";

/** "Allow on this device": asks the browser, subscribes, and hands the subscription to a form. */
export function push(): void {
  void tell();
  void renew();
  document.addEventListener("shown", () => void tell());
  clicked("[data-push-allow]", (button) => {
    const card = button.closest<HTMLElement>("[data-push]");
    if (card) void allow(card, button as HTMLButtonElement);
  });
}

/** Browsers replace subscriptions without asking; whoever opens any page of ours hands the new one in. */
async function renew(): Promise<void> {
  const before = localStorage.getItem(KEPT);
  const token = one<HTMLInputElement>("input[name=csrf]")?.value;
  if (!before || !token || !("serviceWorker" in navigator) || Notification.permission !== "granted") return;
  try {
    const [endpoint, key] = JSON.parse(before) as [string, string];
    const worker = await navigator.serviceWorker.getRegistration("/");
    if (!worker) return;
    const now = (await worker.pushManager.getSubscription()) ?? (await subscribed(worker, key));
    if (now.endpoint === endpoint) return;
    const body = new URLSearchParams({ csrf: token, ...given(now) });
    const answer = await fetch("/me/push", { method: "POST", body });
    if (answer.ok) keep(now, key);
  } catch {
    // No network: the next page tries again, and meanwhile the contact method says that it fails.
  }
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
    const key = card.dataset.push ?? "";
    const known = await worker.pushManager.getSubscription();
    // One made for another key would never ring again.
    if (known && !same(known.options.applicationServerKey, bytes(key))) await known.unsubscribe();
    const made = await subscribed(worker, key);
    fill(form, given(made));
    keep(made, key);
    form.requestSubmit();
  } catch (fault) {
    say(card, `The browser could not subscribe: ${fault instanceof Error ? fault.message : fault}`);
  } finally {
    button.disabled = false;
  }
}

function subscribed(worker: ServiceWorkerRegistration, key: string): Promise<PushSubscription> {
  return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) as BufferSource });
}

function given(made: PushSubscription): Record<string, string> {
  const keys = made.toJSON().keys ?? {};
  return { endpoint: made.endpoint, p256dh: keys.p256dh ?? "", auth: keys.auth ?? "", device: device() };
}

function keep(made: PushSubscription, key: string): void {
  localStorage.setItem(KEPT, JSON.stringify([made.endpoint, key]));
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
