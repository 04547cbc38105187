import { all, clicked } from "./dom";

/** What the fields of a form held when somebody first came to them. */
const began = new WeakMap<HTMLFormElement, string>();
let sent: HTMLFormElement | null = null;

/** Nobody leaves with half a form without being asked. Forms of menus and marks in lists are no work of theirs. */
export function unsaved(): void {
  for (const kind of ["focusin", "pointerdown"]) document.addEventListener(kind, (event) => begin(event.target));
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    began.delete(form);
    sent = event.defaultPrevented ? null : form;
  });
  clicked("[data-discard]", (link) => (sent = link.closest("form")));
  addEventListener("beforeunload", (event) => {
    if (unsavedBeside(sent)) event.preventDefault();
    sent = null;
  });
}

/** Whether a form other than this holds what nobody saved. */
export function unsavedBeside(form: Element | null): boolean {
  return all<HTMLFormElement>("main form").some((other) => other !== form && holdsWork(other));
}

/** Whether a form holds what nobody saved; data-unsaved says so of what the server gave back unsaved. */
export function holdsWork(form: HTMLFormElement): boolean {
  return form.hasAttribute("data-unsaved") || (began.has(form) && began.get(form) !== held(form));
}

function begin(target: EventTarget | null): void {
  const form = target instanceof Element ? target.closest<HTMLFormElement>("main form") : null;
  if (form?.method === "post" && !form.closest(".pop") && !began.has(form)) began.set(form, held(form));
}

function held(form: HTMLFormElement): string {
  const said: string[] = [];
  for (const field of all<HTMLInputElement>("input:not([type=hidden]), select, textarea", form))
    if (!field.closest("[data-row]")) said.push(field.type === "checkbox" || field.type === "radio" ? String(field.checked) : field.value);
  return JSON.stringify(said);
}
