import { holdsWork } from "./unsaved";

/** Elements the user may be changing keep what they hold. */
const OWN = new Set(["INPUT", "TEXTAREA", "SELECT"]);

/**
 * Makes `from` equal to `to`, moving as little as possible. Children with an id or data-key keep their identity,
 * so selection, focus and open menus survive. With `still`, no child of a list marked data-hold appears, goes or moves.
 * A form with what nobody saved stays as it is. Returns how many changes of such lists were held back.
 */
export function morph(from: Element, to: Element, still = false): number {
  if (from.isEqualNode(to) || (OWN.has(from.tagName) && from === document.activeElement)) return 0;
  if (from instanceof HTMLFormElement && holdsWork(from)) return 0;
  attributes(from, to);
  if (from.tagName === "SELECT" || from.tagName === "TEXTAREA") return 0;
  return children(from, to, still);
}

function attributes(from: Element, to: Element): void {
  const keep = from.tagName === "DETAILS" ? "open" : from.tagName === "INPUT" ? "value" : "";
  const selected = from.classList.contains("sel");
  for (const { name } of [...from.attributes]) if (name !== keep && !to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of [...to.attributes])
    if (name !== keep && from.getAttribute(name) !== value) from.setAttribute(name, value);
  if (selected) from.classList.add("sel");
}

const key = (node: Node): string | null =>
  node instanceof Element ? node.id || node.getAttribute("data-key") || null : null;

function children(from: Element, to: Element, still: boolean): number {
  const known = new Map<string, Element>();
  for (const child of from.children) {
    const name = key(child);
    if (name) known.set(name, child);
  }
  if (still && from.hasAttribute("data-hold")) return inPlace(known, to);
  let held = 0;
  let at: ChildNode | null = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const name = key(wanted);
    const match: ChildNode | null = name ? (known.get(name) ?? null) : like(at, wanted) ? at : null;
    if (!match) {
      from.insertBefore(document.importNode(wanted, true), at);
      continue;
    }
    if (match === at) at = at.nextSibling;
    else from.insertBefore(match, at);
    if (match instanceof Element && wanted instanceof Element) held += morph(match, wanted, still);
    else if (match.nodeValue !== wanted.nodeValue) match.nodeValue = wanted.nodeValue;
  }
  while (at) {
    const next: ChildNode | null = at.nextSibling;
    at.remove();
    at = next;
  }
  return held;
}

/** An unkeyed node can become another of its kind. */
function like(node: ChildNode | null, wanted: Node): boolean {
  return !!node && node.nodeType === wanted.nodeType && node.nodeName === wanted.nodeName && !key(node);
}

function inPlace(known: Map<string, Element>, to: Element): number {
  let held = 0;
  const seen = new Set<string>();
  for (const wanted of to.children) {
    const name = key(wanted);
    const match = name ? known.get(name) : undefined;
    if (match && name) {
      seen.add(name);
      held += morph(match, wanted, true);
    } else held += 1;
  }
  return held + [...known.keys()].filter((name) => !seen.has(name)).length;
}
