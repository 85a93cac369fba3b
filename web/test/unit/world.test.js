import assert from "node:assert/strict";
import { test } from "node:test";

import { Timers, world } from "../../static/giftwire/world.js";

// A page is a document and a window for the test.
function page(t) {
  const fake = { document: Object.assign(new EventTarget(), { visibilityState: "visible" }), navigator: { onLine: true } };
  const window = new EventTarget();
  for (const name of ["addEventListener", "removeEventListener"]) fake[name] = window[name].bind(window);
  for (const [name, value] of Object.entries(fake)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => (before ? Object.defineProperty(globalThis, name, before) : delete globalThis[name]));
  }
  return { ...fake, window };
}

test("a page tells of network and tab, until nobody listens", (t) => {
  const { document, navigator, window } = page(t);
  const { watch, online, hidden } = world();
  const heard = [];
  const end = watch((why) => heard.push(why));
  const tell = (target, type) => target.dispatchEvent(new Event(type));
  tell(window, "offline");
  tell(window, "online");
  document.visibilityState = "hidden";
  tell(document, "visibilitychange");
  assert.equal(hidden(), true);
  document.visibilityState = "visible";
  tell(document, "visibilitychange");
  tell(document, "resume");
  tell(window, "pageshow");
  assert.deepEqual([heard, hidden(), online()], [["offline", "online", "shown", "shown", "shown"], false, true]);
  navigator.onLine = false;
  assert.equal(online(), false);
  end();
  tell(window, "online");
  tell(document, "visibilitychange");
  assert.equal(heard.length, 5);
});

test("where there is no page, it counts as online and shown", () => {
  const { watch, online, hidden } = world();
  watch(() => {})();
  assert.deepEqual([online(), hidden()], [true, false]);
});

test("timers that have ended never fire, and none is started", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const timers = new Timers();
  const fired = [];
  timers.set(() => fired.push("a"), 10);
  timers.clear(timers.set(() => fired.push("b"), 10));
  timers.set(() => fired.push("never"), 1e12); // beyond what setTimeout takes, which would fire at once
  t.mock.timers.tick(10);
  timers.set(() => fired.push("c"), 10);
  timers.end();
  assert.equal(timers.set(() => fired.push("d"), 0), undefined);
  t.mock.timers.tick(1000);
  assert.deepEqual(fired, ["a"]);
});
