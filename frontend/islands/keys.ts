import { all, clicked, one } from "./dom";

const GOES: Record<string, string> = {
  n: "/", a: "/alerts", s: "/schedules", i: "/integrations", d: "/deliveries", m: "/me", p: "/policies", c: "/incidents", w: "/workflows",
};
const ACTS: Record<string, string> = { a: "acknowledge", r: "resolve", s: "snooze", e: "escalate" };

/** j k move, x mark, Enter open, a r s e act on the selected row or on the alert of the page. */
export function keys(): void {
  let going = false;
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.matches("input:not([type=checkbox]), textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    const handled = going ? go(event.key) : press(event.key);
    going = !going && event.key === "g";
    if (handled) event.preventDefault();
  });
  clicked("[data-keys]", () => one<HTMLDialogElement>("#keys")?.showModal());
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse" && event.target instanceof Element) select(event.target.closest<HTMLElement>("[data-row]"), false);
  });
}

function go(key: string): boolean {
  const to = GOES[key];
  if (to) location.href = to;
  return !!to;
}

function press(key: string): boolean {
  if (key === "j" || key === "k") return move(key === "j" ? 1 : -1);
  if (key === "/") return focusSearch();
  if (key === "?") return opened();
  const row = one("[data-row].sel");
  if (key === "Enter" && row && (document.activeElement === document.body || document.activeElement === row)) return open(row);
  if (key === "x" && row) return mark(row);
  return act(ACTS[key], row);
}

function select(row: HTMLElement | null, scroll = true): void {
  if (!row || row.classList.contains("sel")) return;
  for (const other of all("[data-row].sel")) other.classList.remove("sel");
  row.classList.add("sel");
  if (scroll) row.scrollIntoView({ block: "nearest" });
}

function move(by: number): boolean {
  const rows = all("[data-row]");
  const now = rows.findIndex((row) => row.classList.contains("sel"));
  select(rows[Math.max(0, Math.min(rows.length - 1, now + by))] ?? null);
  return rows.length > 0;
}

function focusSearch(): boolean {
  const field = one<HTMLInputElement>("[data-search]");
  field?.focus();
  field?.select();
  return !!field;
}

function opened(): boolean {
  one<HTMLDialogElement>("#keys")?.showModal();
  return true;
}

function open(row: HTMLElement): boolean {
  one<HTMLAnchorElement>("a.name", row)?.click();
  return true;
}

function mark(row: HTMLElement): boolean {
  one<HTMLInputElement>("input[type=checkbox]", row)?.click();
  return true;
}

/** On a list, marks the selected row alone unless others are marked, then presses the button of the action. */
function act(name: string | undefined, row: HTMLElement | null): boolean {
  if (!name) return false;
  const button = one<HTMLElement>(`[data-act="${name}"]`);
  if (!button) return false;
  if (row && !one(".row input:checked")) mark(row);
  if (button.tagName === "SUMMARY") (button.parentElement as HTMLDetailsElement).open = true;
  else button.click();
  return true;
}
