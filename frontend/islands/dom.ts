export const one = <T extends Element = HTMLElement>(selector: string, root: ParentNode = document): T | null =>
  root.querySelector<T>(selector);

export const all = <T extends Element = HTMLElement>(selector: string, root: ParentNode = document): T[] =>
  [...root.querySelectorAll<T>(selector)];

/** Calls `then` for clicks on anything that matches now or later. */
export function clicked(selector: string, then: (element: HTMLElement, event: MouseEvent) => void): void {
  document.addEventListener("click", (event) => {
    const found = event.target instanceof Element ? event.target.closest<HTMLElement>(selector) : null;
    if (found) then(found, event);
  });
}

export function parsed(html: string): Document {
  return new DOMParser().parseFromString(html, "text/html");
}

/** What a form gives when it is sent, by this button or by none. */
export function given(form: HTMLFormElement, button: HTMLButtonElement | null = null): URLSearchParams {
  return new URLSearchParams(new FormData(form, button) as unknown as Record<string, string>);
}
