import { all, one, parsed } from "./dom";
import { morph } from "./morph";

/** Puts the parts marked data-live of another rendering of this page in place of ours; returns what was held back. */
export function show(html: string, still = false): number {
  const next = parsed(html);
  let held = 0;
  for (const ours of all("[data-live]")) {
    const theirs = ours.id ? next.getElementById(ours.id) : null;
    if (theirs && !busy(ours)) held += morph(ours, theirs, still);
  }
  document.dispatchEvent(new CustomEvent("shown"));
  return held;
}

/**
 * Puts the whole body of another page in place of ours, keeping scroll and selection where both have them. The menu that
 * `asked` stands in closes; on the same page others stay open, for somebody may have gone on there meanwhile.
 */
export function replace(html: string, url: string, asked: Element): void {
  const next = parsed(html);
  document.title = next.title;
  const other = new URL(url).pathname !== location.pathname;
  if (url !== location.href) history.pushState(null, "", url);
  for (const menu of all<HTMLDetailsElement>("details.pop[open]")) if (other || menu.contains(asked)) menu.open = false;
  morph(document.body, next.body);
  document.dispatchEvent(new CustomEvent("shown"));
}

/** A part is left alone while somebody is typing in it or has a menu of it open. */
function busy(part: Element): boolean {
  const active = document.activeElement;
  const typing = active && part.contains(active) && active.matches("input:not([type=checkbox]), textarea, select");
  return !!typing || !!one("details.pop[open]", part);
}
