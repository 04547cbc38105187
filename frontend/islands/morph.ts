import { holdsWork } from "./unsaved";

/** Elements the user may be changing keep what they hold. */
const OWN = new Set(["INPUT", "TEXTAREA", "SELECT"]);

/** What a form that waits to be sent bears until it was. */
const UNDER_WAY = new Set(["inert", "aria-busy"]);

/** How to go about it. */
export interface How {
  /** No child of a list marked data-hold appears, goes or moves. */
  still?: boolean;
  /** The form that `to` answers: its fields are what they are there, whatever somebody typed. */
  answered?: HTMLFormElement | null;
}

/**
 * Makes `from` equal to `to`, moving as little as possible. Children with an id or data-key keep their identity,
 * so selection, focus and open menus survive. A form with what nobody saved stays as it is. Returns how many changes of
 * lists marked data-hold were held back.
 */
export function morph(from: Element, to: Element, how: How = {}): number {
  const typed = OWN.has(from.tagName) && (!how.answered || (from as HTMLInputElement).form !== how.answered);
  if (from.isEqualNode(to) || (typed && from === document.activeElement)) return 0;
  if (from instanceof HTMLFormElement && holdsWork(from)) return 0;
  attributes(from, to, typed);
  if (typed && from.tagName !== "INPUT") return 0;
  return children(from, to, how);
}

function attributes(from: Element, to: Element, typed: boolean): void {
  const keep = from.tagName === "DETAILS" ? "open" : typed && from.tagName === "INPUT" ? "value" : "";
  const selected = from.classList.contains("sel");
  for (const { name } of [...from.attributes])
    if (name !== keep && !UNDER_WAY.has(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of [...to.attributes])
    if (name !== keep && from.getAttribute(name) !== value) from.setAttribute(name, value);
  if (selected) from.classList.add("sel");
}

const key = (node: Node): string | null =>
  node instanceof Element ? node.id || node.getAttribute("data-key") || null : null;

function children(from: Element, to: Element, how: How): number {
  const known = new Map<string, Element>();
  for (const child of from.children) {
    const name = key(child);
    if (name) known.set(name, child);
  }
  if (how.still && from.hasAttribute("data-hold")) return inPlace(known, to);
  let held = 0;
  let at: ChildNode | null = from.firstChild;
  const passed = new Set<ChildNode>();
  for (const wanted of [...to.childNodes]) {
    const name = key(wanted);
    const match: ChildNode | null = name ? (known.get(name) ?? null) : ahead(at, wanted);
    if (!match) {
      from.insertBefore(document.importNode(wanted, true), at);
      continue;
    }
    if (name && match !== at) from.insertBefore(match, at);
    else {
      for (; at && at !== match; at = at.nextSibling) passed.add(at);
      at = match.nextSibling;
    }
    passed.delete(match);
    if (match instanceof Element && wanted instanceof Element) held += morph(match, wanted, how);
    else if (match.nodeValue !== wanted.nodeValue) match.nodeValue = wanted.nodeValue;
  }
  for (; at; at = at.nextSibling) passed.add(at);
  for (const gone of passed) gone.remove();
  return held;
}

/** Returns the next node that may become `wanted`. What is passed over on the way goes, unless its key is asked for later. */
function ahead(at: ChildNode | null, wanted: Node): ChildNode | null {
  for (let node = at; node; node = node.nextSibling) if (like(node, wanted)) return node;
  return null;
}

/** An unkeyed node can become another of its kind; a form never one that does something else. */
function like(node: ChildNode, wanted: Node): boolean {
  if (node instanceof HTMLFormElement && wanted instanceof HTMLFormElement && deed(node) !== deed(wanted)) return false;
  return node.nodeType === wanted.nodeType && node.nodeName === wanted.nodeName && !key(node);
}

const deed = (form: HTMLFormElement): string | null => form.getAttribute("action");

function inPlace(known: Map<string, Element>, to: Element): number {
  let held = 0;
  const seen = new Set<string>();
  for (const wanted of to.children) {
    const name = key(wanted);
    const match = name ? known.get(name) : undefined;
    if (match && name) {
      seen.add(name);
      held += morph(match, wanted, { still: true });
    } else held += 1;
  }
  return held + [...known.keys()].filter((name) => !seen.has(name)).length;
}
