import { given, one, parsed } from "./dom";

/** A form marked data-preview shows what it would lead to, while it is being filled in. */
export function previews(): void {
  let timer = 0;
  const ask = (event: Event): void => {
    // Asked of the field, not of what is around it: a field may stand beside its form.
    const form = (event.target as HTMLInputElement).form;
    if (!form?.matches("[data-preview]")) return;
    clearTimeout(timer);
    timer = window.setTimeout(() => void preview(form), 200);
  };
  document.addEventListener("input", ask);
  document.addEventListener("change", ask);
}

async function preview(form: HTMLFormElement): Promise<void> {
  const body = given(form);
  const response = await fetch(form.dataset.preview!, { method: "POST", body }).catch(() => null);
  if (!response?.ok) return;
  const html = await response.text();
  const place = one(`#${form.dataset.into}`);
  // What became of the form since, by more typing or by the answer to a save, has its own preview.
  if (!place || given(form).toString() !== body.toString()) return;
  place.replaceChildren(...parsed(html).body.childNodes);
}
