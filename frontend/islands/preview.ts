import { one } from "./dom";

/** A form marked data-preview shows what it would lead to, while it is being filled in. */
export function previews(): void {
  let timer = 0;
  const ask = (event: Event): void => {
    const form = event.target instanceof Element ? event.target.closest<HTMLFormElement>("form[data-preview]") : null;
    if (!form) return;
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
