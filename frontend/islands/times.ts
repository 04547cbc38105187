import { all } from "./dom";

/** Keeps `<time data-rel>` true. The words are those of web/times.py. */
export function times(): void {
  // The server's clock counts, not this machine's: both ends of every span come from there.
  const offset = Date.parse(document.body.dataset.now ?? "") - Date.now() || 0;
  const tick = (): void => {
    for (const element of all<HTMLTimeElement>("time[data-rel]")) {
      const text = relative(Date.parse(element.dateTime) - Date.now() - offset, element.dataset.rel ?? "");
      if (element.textContent !== text) element.textContent = text;
    }
  };
  setInterval(tick, 1000);
}

export function relative(milliseconds: number, style: string): string {
  const future = milliseconds > 0;
  const s = Math.floor(Math.abs(milliseconds) / 1000);
  if (style === "clock") return future ? `in ${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}` : "now";
  const text =
    s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min` : s < 172_800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86_400)} d`;
  if (style === "ago") return future ? `in ${text}` : s < 5 ? "just now" : `${text} ago`;
  return text;
}
