import { all, clicked, one } from "./dom";
import { show, standing } from "./page";

/** No page asks more often than this, whatever happens in the house. */
const GAP = 1000;
let waiting = false;
let last = 0;
let pointerInList = false;
let asking = 0;

/** One stream for a browser: the tab that holds the lock listens and tells the others. */
export function live(): void {
  if (!one("#ring")) return;
  const others = "BroadcastChannel" in window ? new BroadcastChannel("nightbell") : null;
  const hear = (message: string): void => {
    if (message === "up" || message === "down") state(message === "up");
    else soon();
  };
  if (others) others.onmessage = (event: MessageEvent<string>) => (event.data === "who" ? undefined : hear(event.data));
  const tell = (message: string): void => {
    hear(message);
    others?.postMessage(message);
  };
  if (others && navigator.locks) void navigator.locks.request("nightbell-live", () => listen(tell, others));
  else void listen(tell, null);
  others?.postMessage("who");
  document.addEventListener("pointermove", (event) => {
    pointerInList = event.pointerType === "mouse" && event.target instanceof Element && !!event.target.closest("[data-hold]");
  });
  document.addEventListener("pointerleave", () => (pointerInList = false));
  clicked("[data-show-held]", () => void refresh(false));
  again();
  addEventListener("visibilitychange", () => !document.hidden && soon());
}

function listen(tell: (message: string) => void, others: BroadcastChannel | null): Promise<never> {
  let up = false;
  const stream = new EventSource("/live");
  stream.onopen = () => {
    // What happened while the stream was away is fetched once it is back.
    up = true;
    tell("up");
    tell("alerts");
  };
  stream.onerror = () => {
    up = false;
    tell("down");
  };
  stream.onmessage = (event: MessageEvent<string>) => tell(event.data);
  others?.addEventListener("message", (event: MessageEvent<string>) => {
    if (event.data === "who") others.postMessage(up ? "up" : "down");
  });
  return new Promise<never>(() => undefined);
}

function state(up: boolean): void {
  document.documentElement.classList.toggle("live-on", up);
  for (const mark of all(".live")) {
    mark.classList.toggle("on", up);
    if (!mark.querySelector("button")) mark.textContent = up ? "live" : "reconnecting…";
  }
}

function soon(): void {
  if (waiting) return;
  waiting = true;
  setTimeout(() => {
    waiting = false;
    last = Date.now();
    void refresh(pointerInList);
  }, Math.max(60, GAP - (Date.now() - last)));
}

async function refresh(still: boolean): Promise<void> {
  const here = standing();
  const own = document.body.hasAttribute("data-follow");
  const response = await fetch(own ? location.href : "/ring", { headers: { "X-Live": "1" } }).catch(() => null);
  if (!response?.ok || response.redirected) return;
  const html = await response.text();
  // A form was answered meanwhile, and its page may know more than this one.
  if (!here()) return soon();
  const held = show(html, still);
  const mark = one("[data-held]");
  if (mark) {
    mark.hidden = held === 0;
    mark.textContent = held === 1 ? "1 change · show" : `${held} changes · show`;
  }
  state(document.documentElement.classList.contains("live-on"));
  again();
}

/** What is still on its way (data-again, in seconds) is asked for once more: not every step is worth a broadcast. */
function again(): void {
  clearTimeout(asking);
  const waits = all("[data-again]").map((element) => Number(element.dataset.again));
  if (waits.length) asking = window.setTimeout(soon, Math.min(...waits) * 1000);
}
