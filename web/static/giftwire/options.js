// What the app asks for, checked once and completed by the defaults.

import { GiftwireError } from "./errors.js";

/** @import * as api from "../giftwire.js" */

/**
 * @typedef {object} Settings what a room is made of; Options with nothing left open
 * @property {string} base the hub's base, http or https, without a slash at its end
 * @property {string} room
 * @property {api.TokenSource} token
 * @property {typeof WebSocket} WebSocket
 * @property {typeof fetch} fetch
 * @property {Storage | api.TabStorage | null} storage
 * @property {boolean} trusted the app handed the storage in, and says that nobody shares it
 * @property {readonly string[]} retry
 * @property {number} maxInFlight
 * @property {number} giftsPerSecond
 * @property {Required<api.Times>} times
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

// No id is repeated after this, whatever the app asks for: the hub knows ids for 24 h, and
// clients keep a wide berth (PROTOCOL.md, "Reject codes").
export const REPEAT_MAX = 12 * HOUR;

/**
 * The defaults; each is documented in ../giftwire.d.ts.
 * @type {Readonly<Required<api.Times>>}
 */
const TIMES = Object.freeze({
  backoffBaseMs: SECOND,
  backoffMaxMs: 30 * SECOND,
  hiddenMs: 30 * SECOND,
  offlineMs: MINUTE,
  welcomeMs: 10 * SECOND,
  tokenMs: 15 * SECOND,
  silenceMs: 30 * SECOND,
  pongMs: 10 * SECOND,
  answerMs: 20 * SECOND,
  sendWithinMs: MINUTE,
  retryForMs: 10 * SECOND,
  repeatForMs: REPEAT_MAX,
});

const ROOM = /^[A-Za-z0-9_-]{1,64}$/;
// What may be tried again by itself: these pass without anybody's doing.
export const PASSING = Object.freeze(["unavailable", "busy", "rate_limited"]);

/**
 * @param {api.Options} options
 * @returns {Settings}
 */
export function settle(options) {
  demand(typeof options === "object" && options !== null, "options must be an object");
  const { room, token } = options;
  demand(typeof room === "string" && ROOM.test(room), "room must be 1 to 64 of A-Z, a-z, 0-9, _ and -");
  demand(typeof token === "function" || (typeof token === "string" && token !== ""), "token must be a string or a function");
  const retry = options.retry ?? ["unavailable"];
  demand(Array.isArray(retry) && retry.every((code) => PASSING.includes(code)), `retry may have ${PASSING.join(", ")}`);
  const explicit = options.storage !== undefined;
  return {
    base: base(options.url),
    room,
    token,
    WebSocket: implementation(options),
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    storage: options.storage === undefined ? tabStorage() : options.storage,
    trusted: explicit,
    retry,
    maxInFlight: within("maxInFlight", options.maxInFlight ?? 200, 1, 1000),
    giftsPerSecond: within("giftsPerSecond", options.giftsPerSecond ?? 20, 1, 1000),
    times: times(options.times ?? {}),
  };
}

/**
 * @param {unknown} ok
 * @param {string} message
 * @returns {asserts ok}
 */
function demand(ok, message) {
  if (!ok) throw new GiftwireError("bad_option", message);
}

/**
 * @param {string} name
 * @param {unknown} n
 * @param {number} min
 * @param {number} max
 */
function within(name, n, min, max) {
  demand(typeof n === "number" && n >= min && n <= max, `${name} must be a number from ${min} to ${max}`);
  return n;
}

/** @param {api.Times} wanted */
function times(wanted) {
  const all = { ...TIMES };
  for (const [name, ms] of Object.entries(wanted)) {
    demand(name in all, `times.${name} is not known`);
    if (ms !== undefined) all[/** @type {keyof api.Times} */ (name)] = within(`times.${name}`, ms, 1, REPEAT_MAX);
  }
  return all;
}

/**
 * The hub's base in the form that fetch needs. WebSocket URLs are made of it, because older
 * browsers take only ws and wss there.
 * @param {string | URL | undefined} given
 */
function base(given) {
  const text = given ?? globalThis.location?.origin;
  demand(text !== undefined, "url is needed where there is no page: the hub's base, such as https://live.example.com");
  let url;
  try {
    url = new URL(text, globalThis.location?.href);
  } catch (cause) {
    throw new GiftwireError("bad_option", "url is not a URL", { cause });
  }
  const scheme = { "ws:": "http:", "wss:": "https:", "http:": "http:", "https:": "https:" }[url.protocol];
  demand(scheme !== undefined, "url must be ws, wss, http or https");
  demand(url.username === "" && url.password === "" && url.search === "" && url.hash === "", "url may have a path, but no credentials, query or fragment");
  return `${scheme}//${url.host}${url.pathname.replace(/\/+$/, "")}`;
}

/** @param {api.Options} options */
function implementation(options) {
  const found = options.WebSocket ?? globalThis.WebSocket;
  demand(typeof found === "function", "there is no global WebSocket here (Node before 22): hand one in as options.WebSocket, for example that of npm's ws");
  return /** @type {typeof WebSocket} */ (found);
}

/** The tab's own storage; null where there is none, or where looking at it is forbidden. */
function tabStorage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null; // a page that may not store says so by throwing: gifts are kept in memory only
  }
}
