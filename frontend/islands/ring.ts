import { all, clicked, one } from "./dom";

let sound: AudioContext | null = null;
let timer = 0;
let title = "";
/** What the title was last made to say; another one came with another page, and stays. */
let struck = "";

/** Rings while the banner lists a page for this person that nobody has acknowledged. */
export function ring(): void {
  const listen = (): void => {
    const pages = all("#ring [data-ringing]");
    const loud = pages.some((page) => sessionStorage.getItem(`quiet ${page.dataset.ringing}`) === null);
    if (pages.length) start(loud, pages[0]?.dataset.title ?? "Page");
    else stop();
  };
  document.addEventListener("shown", listen);
  clicked("[data-quiet]", () => {
    for (const page of all("#ring [data-ringing]")) sessionStorage.setItem(`quiet ${page.dataset.ringing}`, "1");
    listen();
  });
  // Browsers let a page sound only after its user touched it.
  document.addEventListener("pointerdown", () => void sound?.resume());
  document.addEventListener("keydown", () => void sound?.resume());
  listen();
}

function start(loud: boolean, what: string): void {
  stop();
  title = document.title;
  let beat = 0;
  const strike = (): void => {
    beat += 1;
    document.title = struck = beat % 2 ? `🔔 ${what}` : title;
    if (loud) beep();
    const hint = one("#ring [data-sound]");
    if (hint) hint.hidden = !loud || sound?.state === "running";
    const quiet = one("#ring [data-quiet]");
    if (quiet) quiet.hidden = !loud;
  };
  strike();
  timer = window.setInterval(strike, 1400);
}

function stop(): void {
  if (!timer) return;
  clearInterval(timer);
  timer = 0;
  if (document.title === struck) document.title = title;
}

function beep(): void {
  if (!(navigator.userActivation?.hasBeenActive ?? true)) return;
  sound ??= new AudioContext();
  if (sound.state !== "running") return void sound.resume().catch(() => undefined);
  const now = sound.currentTime;
  [880, 1175, 880].forEach((pitch, index) => {
    const tone = sound!.createOscillator();
    const gain = sound!.createGain();
    const at = now + index * 0.16;
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(0.25, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.15);
    tone.connect(gain).connect(sound!.destination);
    tone.start(at);
    tone.stop(at + 0.16);
  });
}
