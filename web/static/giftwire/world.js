// The place that the client runs in: clocks, chance, and what a browser tells of network and tab.

/**
 * @typedef {object} World
 * @property {() => number} now the wall clock, Unix ms: for ages that outlive the page
 * @property {() => number} clock a clock that only goes forward, ms: for everything else
 * @property {() => number} random from 0 to below 1
 * @property {() => boolean} online
 * @property {() => boolean} hidden
 * @property {(wake: (why: Wake) => void) => () => void} watch listen; the answer ends it
 * @property {LockManager | undefined} locks
 */

/** @typedef {"online" | "offline" | "shown"} Wake */
/** @typedef {ReturnType<typeof setTimeout> | undefined} Timer */

/**
 * The real world. Nothing is kept from here on: who watches, ends it.
 * @returns {World}
 */
export function world() {
  const here = globalThis;
  return {
    now: () => Date.now(),
    clock: () => performance.now(),
    random: () => Math.random(),
    // Not told (Node) counts as online: an attempt shows it.
    online: () => here.navigator?.onLine !== false,
    hidden: () => here.document?.visibilityState === "hidden",
    watch,
    locks: here.navigator?.locks,
  };
}

/** @param {(why: Wake) => void} wake */
function watch(wake) {
  const page = globalThis.document;
  const online = () => wake("online");
  const offline = () => wake("offline");
  const shown = () => {
    if (page?.visibilityState !== "hidden") wake("shown");
  };
  /** @type {[EventTarget | undefined, string, () => void][]} */
  const all = [
    [globalThis, "online", online],
    [globalThis, "offline", offline],
    [globalThis, "pageshow", shown], // back from the back/forward cache, where timers stood still
    [page, "visibilitychange", shown],
    [page, "resume", shown], // thawed: https://wicg.github.io/page-lifecycle/
  ];
  // Node's global is no EventTarget: there is nothing to hear then.
  const heard = all.filter(([target]) => typeof target?.addEventListener === "function");
  for (const [target, type, listener] of heard) target?.addEventListener(type, listener);
  return () => {
    for (const [target, type, listener] of heard) target?.removeEventListener(type, listener);
  };
}

// setTimeout takes 31 bits; more would fire at once.
const TIMEOUT_MAX = 2 ** 31 - 1;

/** All timers of one room, so that none is left when it closes. */
export class Timers {
  /** @type {Set<Timer>} */
  #running = new Set();
  #ended = false;

  /**
   * Calls fn once, in ms or somewhat later: hidden tabs are called once a minute only.
   * @param {() => void} fn
   * @param {number} ms
   * @returns {Timer}
   */
  set(fn, ms) {
    if (this.#ended) return undefined;
    const id = setTimeout(() => {
      this.#running.delete(id);
      fn();
    }, Math.min(Math.max(ms, 0), TIMEOUT_MAX));
    this.#running.add(id);
    return id;
  }

  /** @param {Timer} id */
  clear(id) {
    if (id === undefined) return;
    clearTimeout(id);
    this.#running.delete(id);
  }

  /** Ends all of them, and starts none any more. */
  end() {
    this.#ended = true;
    for (const id of this.#running) clearTimeout(id);
    this.#running.clear();
  }
}

/**
 * A promise's value, or the error when it takes longer than ms.
 * @template T
 * @param {Timers} timers
 * @param {number} ms
 * @param {Promise<T>} promise
 * @param {() => Error} late
 * @returns {Promise<T>}
 */
export function before(timers, ms, promise, late) {
  return new Promise((resolve, reject) => {
    const timer = timers.set(() => reject(late()), ms);
    promise.then(resolve, reject).finally(() => timers.clear(timer));
  });
}
