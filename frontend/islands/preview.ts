import { one } from "./dom";

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
  const body = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
  const response = await fetch(form.dataset.preview!, { method: "POST", body }).catch(() => null);
  const place = one(`#${form.dataset.into}`);
  if (!response?.ok || !place) return;
  place.replaceChildren(...new DOMParser().parseFromString(await response.text(), "text/html").body.childNodes);
}
