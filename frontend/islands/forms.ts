import { all, clicked, one } from "./dom";
import { send } from "./sending";

/** Forms marked data-stay post without a new page; if that fails, the browser does it the plain way. */
export function forms(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    const button = event.submitter as HTMLButtonElement | null;
    const question = button?.dataset.confirm ?? form.dataset.confirm;
    if (question && !confirm(question)) {
      event.preventDefault();
      return;
    }
    // What was said of something earlier is no answer to this.
    if (form.method === "post") one(".toast")?.remove();
    if (!form.hasAttribute("data-stay")) return;
    event.preventDefault();
    send(form, button);
  });
  // The second of two quick taps does not answer what came into the place of the first.
  document.addEventListener("click", (event) => {
    if (event.detail > 1 && event.target instanceof Element && event.target.closest("#acts button, .dock button, #ring button")) event.preventDefault();
  }, true);
  // A choice that needs no button saves itself.
  document.addEventListener("change", (event) => {
    const field = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-submit]") : null;
    (field as HTMLSelectElement | null)?.form?.requestSubmit();
  });
  addEventListener("popstate", () => location.reload());
  // One menu at a time, and none after a click elsewhere or Escape.
  document.addEventListener("click", (event) => {
    for (const menu of all<HTMLDetailsElement>("details.pop[open]"))
      if (!menu.contains(event.target as Node)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of all<HTMLDetailsElement>("details.pop[open]")) menu.open = false;
  });
  clicked("[data-check-all]", (box) => {
    for (const other of all<HTMLInputElement>(".row input[type=checkbox]")) other.checked = (box as HTMLInputElement).checked;
  });
  const zone = one<HTMLSelectElement>("select[data-guess-zone]");
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && [...zone.options].some((option) => option.value === here)) zone.value = here;
}
