// The service worker: shows a push message when no page is open, and acknowledges from the lock screen.
// It caches nothing: a page about an alert that is not true any more would be worse than none.
export {};

interface Told {
  title: string;
  body: string;
  tag: string;
  url: string;
  acknowledge: string;
  loud: boolean;
  at: number;
}

// The types of a page and of a worker cannot be loaded together; these few are what is used.
interface WorkerScope {
  addEventListener(name: string, then: (event: any) => void): void;
  skipWaiting(): Promise<void>;
  registration: { showNotification(title: string, options: object): Promise<void> };
  clients: { claim(): Promise<void>; openWindow(url: string): Promise<unknown>; matchAll(options: object): Promise<any[]> };
}
const scope = self as unknown as WorkerScope;

scope.addEventListener("install", () => void scope.skipWaiting());
scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));

scope.addEventListener("push", (event) => {
  let told: Partial<Told> = {};
  try {
    told = event.data?.json() ?? {};
  } catch {
    // Browsers withdraw the permission of whoever shows nothing, so even this is shown.
  }
  event.waitUntil(show(told));
});

scope.addEventListener("notificationclick", (event) => {
  const told = event.notification.data as Partial<Told>;
  event.notification.close();
  event.waitUntil(event.action === "acknowledge" && told.acknowledge ? acknowledge(told) : open(told.url));
});

function show(told: Partial<Told>): Promise<void> {
  const actions = [{ action: "open", title: "Open" }];
  if (told.acknowledge) actions.unshift({ action: "acknowledge", title: "Acknowledge" });
  return scope.registration.showNotification(told.title ?? "Nightbell", {
    body: told.body ?? "Something happened. Open it to see what.",
    tag: told.tag ?? "nightbell",
    // The same alert again must be heard again.
    renotify: true,
    requireInteraction: told.loud ?? true,
    silent: false,
    vibrate: told.loud ? [600, 200, 600, 200, 900] : [200],
    timestamp: told.at,
    icon: "/static/bell-192.png",
    badge: "/static/bell-192.png",
    actions,
    data: told,
  });
}

async function acknowledge(told: Partial<Told>): Promise<void> {
  try {
    const answer = await fetch(told.acknowledge!, { method: "POST", headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    await scope.registration.showNotification("Acknowledged", { body: told.title, tag: told.tag, silent: true, icon: "/static/bell-192.png", data: told });
  } catch {
    // No network, or too late: the page says which.
    await open(told.url);
  }
}

async function open(url = "/"): Promise<void> {
  const here = (await scope.clients.matchAll({ type: "window" })).find((page) => page.url === new URL(url, self.location.href).href);
  if (here) await here.focus();
  else await scope.clients.openWindow(url);
}
