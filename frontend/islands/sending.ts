import { all, given, one, parsed } from "./dom";
import { replace } from "./page";
import { unsavedBeside } from "./unsaved";

/** What a form asked for when it was sent, and what of it had the focus. */
interface Asked {
  form: HTMLFormElement;
  button: HTMLButtonElement | null;
  action: string;
  data: URLSearchParams;
  focus: HTMLElement | null;
}

/** A page that came back, and whether it says that all went well. */
interface Answer {
  html: string;
  url: string;
  ok: boolean;
}

/** How long an answer may take: longer than any test message or calendar that the server waits for. Units: ms. */
const PATIENCE = 60_000;
/** One form is under way at a time: what is sent meanwhile waits, so that no answer overtakes a later one. */
let turn: Promise<void> = Promise.resolve();
let under = 0;

/** Posts a form without a new page; if that fails, the browser does it the plain way. Nobody changes it meanwhile. */
export function send(form: HTMLFormElement, button: HTMLButtonElement | null): void {
  if (form.inert) return;
  const focus = form.contains(document.activeElement) ? (document.activeElement as HTMLElement) : null;
  const asked = { form, button, action: action(form, button), data: given(form, button), focus };
  waits(form, 1);
  turn = turn.then(() => post(asked)).catch(reportError);
}

async function post(asked: Asked): Promise<void> {
  const { form, button, focus } = asked;
  const data = same(asked) ? given(form, button) : asked.data;
  const answer = await asking(asked.action, data).catch(() => null);
  waits(form, -1);
  if (!answer) return plainly(asked.action, data);
  show(answer, form);
  if (focus?.isConnected && same(asked) && document.activeElement === document.body) focus.focus({ preventScroll: true });
}

async function asking(to: string, body: URLSearchParams): Promise<Answer | null> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const response = await fetch(to, { method: "POST", body, headers: { Accept: "text/html" }, signal: stop.signal });
    if (!response.headers.get("content-type")?.startsWith("text/html")) return null;
    return { html: await response.text(), url: response.redirected ? response.url : location.href, ok: response.ok };
  } finally {
    clearTimeout(timer);
  }
}

function show({ html, url, ok }: Answer, form: HTMLFormElement): void {
  const kept = unsavedBeside(form);
  // Another page has no place for what was not saved here: the browser asks first. An error is said, not shown.
  if (kept && new URL(url).pathname !== location.pathname) location.href = url;
  else if (kept && !one(".app", parsed(html))) alert(all("h1, p.soft", parsed(html)).map((part) => part.textContent).join("\n"));
  else {
    // What the form gave is what comes back, saved or not.
    form.removeAttribute("data-unsaved");
    replace(html, url, form, ok);
  }
}

/** A form that is under way takes nothing more, and the page says that something is. */
function waits(form: HTMLFormElement, by: 1 | -1): void {
  under += by;
  form.inert = by > 0;
  if (by > 0) form.setAttribute("aria-busy", "true");
  else form.removeAttribute("aria-busy");
  document.documentElement.classList.toggle("sending", under > 0);
}

/** Whether a form is still what it was when it was sent: the answer to another may have made it something else. */
function same({ form, button, action: was }: Asked): boolean {
  return form.isConnected && action(form, button) === was && (!button || button.form === form);
}

const action = (form: HTMLFormElement, button: HTMLButtonElement | null): string =>
  button?.getAttribute("formaction") ?? form.getAttribute("action") ?? location.href;

function plainly(to: string, data: URLSearchParams): void {
  const form = Object.assign(document.createElement("form"), { method: "post", action: to, hidden: true });
  for (const [name, value] of data) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  document.body.append(form);
  form.submit();
}
