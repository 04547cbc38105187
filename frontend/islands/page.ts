import { all, one, parsed } from "./dom";
import { morph } from "./morph";

/** How often a whole page was put in place: what was asked for before the last time is old. */
let replaced = 0;

/** Returns what tells later whether this page is still the one that was asked from. */
export function standing(): () => boolean {
  const before = replaced;
  return () => before === replaced;
}

/** Puts the parts marked data-live of another rendering of this page in place of ours; returns what was held back. */
export function show(html: string, still = false): number {
  const next = parsed(html);
  let held = 0;
  for (const ours of all("[data-live]")) {
    const theirs = ours.id ? next.getElementById(ours.id) : null;
    if (theirs && !busy(ours)) held += morph(ours, theirs, { still });
  }
  document.dispatchEvent(new CustomEvent("shown"));
  return held;
}

/**
 * Puts the whole body of another page in place of ours, keeping scroll and selection where both have them. The menu that
 * the form `asked` stands in closes; on the same page others stay open, for somebody may have gone on there meanwhile.
 * A form that was taken shows what it led to; one that was refused keeps what was typed.
 */
export function replace(html: string, url: string, asked: HTMLFormElement, taken: boolean): void {
  const next = parsed(html);
  replaced += 1;
  document.title = next.title;
  const other = new URL(url).pathname !== location.pathname;
  if (url !== location.href) history.pushState(null, "", url);
  for (const menu of all<HTMLDetailsElement>("details.pop[open]")) if (other || menu.contains(asked)) menu.open = false;
  const answered = taken && !one(".toast.bad", next) ? asked : null;
  morph(document.body, next.body, { answered });
  if (answered?.isConnected) answered.reset();
  document.dispatchEvent(new CustomEvent("shown"));
}

/** A part is left alone while somebody is typing in it or has a menu of it open. */
function busy(part: Element): boolean {
  const active = document.activeElement;
  const typing = active && part.contains(active) && active.matches("input:not([type=checkbox]), textarea, select");
  return !!typing || !!one("details.pop[open]", part);
}
