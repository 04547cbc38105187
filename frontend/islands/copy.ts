import { clicked, one } from "./dom";

/** `data-copy` holds the text, or `data-copy-of` the id of the element that shows it. */
export function copies(): void {
  clicked("[data-copy], [data-copy-of]", (button) => {
    const source = button.dataset.copyOf ? one(`#${button.dataset.copyOf}`) : null;
    const text = button.dataset.copy ?? source?.dataset.secret ?? source?.textContent ?? "";
    void put(text).then((done) => {
      const label = button.textContent;
      button.textContent = done ? "Copied" : "Select and copy";
      button.classList.toggle("done", done);
      if (!done && source) getSelection()?.selectAllChildren(source);
      setTimeout(() => {
        button.textContent = label;
        button.classList.remove("done");
      }, 1600);
    });
  });
  clicked("[data-reveal]", (button) => {
    const target = one(`#${button.dataset.reveal}`);
    if (!target?.dataset.secret) return;
    const hidden = target.textContent !== target.dataset.secret;
    target.dataset.mask ??= target.textContent ?? "";
    target.textContent = hidden ? target.dataset.secret : target.dataset.mask;
    button.textContent = hidden ? "Hide" : "Show";
  });
}

async function put(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // A page without permission falls through to the old way.
    }
  }
  // Plain http on a LAN has no clipboard API.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
