import { one } from "./dom";

/** Says below the timeline why a shift is somebody's, for the pointer and for the keyboard alike. */
export function schedule(): void {
  const say = (event: Event): void => {
    const bar = event.target instanceof Element ? event.target.closest<SVGElement>("[data-why]") : null;
    const place = one("[data-why-here]");
    if (bar && place) place.textContent = bar.dataset.why ?? "";
  };
  document.addEventListener("pointerover", say);
  document.addEventListener("focusin", say);
}
