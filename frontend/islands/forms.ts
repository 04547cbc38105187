import { all, clicked, one, parsed } from "./dom";
import { replace } from "./page";
import { unsavedBeside } from "./unsaved";

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
    if (!form.hasAttribute("data-stay")) return;
    event.preventDefault();
    void post(form, button);
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

async function post(form: HTMLFormElement, button: HTMLButtonElement | null): Promise<void> {
  const data = new URLSearchParams(new FormData(form, button) as unknown as Record<string, string>);
  const action = button?.getAttribute("formaction") ?? form.getAttribute("action") ?? location.href;
  if (button) button.disabled = true;
  try {
    const response = await fetch(action, { method: "POST", body: data, headers: { Accept: "text/html" } });
    if (!response.headers.get("content-type")?.startsWith("text/html")) throw new Error("not a page");
    const url = response.redirected ? response.url : location.href;
    const html = await response.text();
    const kept = unsavedBeside(form);
    // Another page has no place for what was not saved here: the browser asks first. An error is said, not shown.
    if (kept && new URL(url).pathname !== location.pathname) location.href = url;
    else if (kept && !one(".app", parsed(html))) alert(all("h1, p.soft", parsed(html)).map((part) => part.textContent).join("\n"));
    else {
      // What the form gave is what comes back, saved or not.
      form.removeAttribute("data-unsaved");
      replace(html, url, form);
    }
  } catch {
    if (button) button.disabled = false;
    if (button?.hasAttribute("formaction")) form.action = button.getAttribute("formaction")!;
    if (button?.name) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: button.name, value: button.value }));
    form.submit();
  } finally {
    if (button) button.disabled = false;
  }
}
