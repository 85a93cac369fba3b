// Where viewer tokens come from, and when a new one is asked for.

import { before } from "./world.js";

/** @import * as api from "../giftwire.js" */
/** @import { Timers, World } from "./world.js" */

// What may stand in a sub-protocol and looks like a JWT (RFC 7515, section 7.1; RFC 7230, token).
const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

// A token that ends this soon would end on the way.
const EXPIRY_MARGIN_MS = 5000;

export class Tokens {
  #source;
  #world;
  #timers;
  #withinMs;
  /** @type {string | null} */
  #token = null;
  /** @type {api.TokenReason} */
  #reason = "first";
  #renewed = false; // since the last welcome

  /**
   * @param {api.TokenSource} source
   * @param {{ world: World, timers: Timers, withinMs: number }} place
   */
  constructor(source, { world, timers, withinMs }) {
    this.#source = source;
    this.#world = world;
    this.#timers = timers;
    this.#withinMs = withinMs;
  }

  /**
   * The token to connect with; null: the app says that there is none. Rejects with what the app's
   * function threw, or when it takes too long.
   * @returns {Promise<string | null>}
   */
  async get() {
    if (typeof this.#source === "string") return this.#source;
    if (this.#token !== null && !this.#endsSoon(this.#token)) return this.#token;
    if (this.#token !== null) this.#reason = "expired";
    const asked = Promise.resolve(this.#source({ reason: this.#reason }));
    const late = () => new Error(`the token function took longer than ${this.#withinMs} ms`);
    const token = await before(this.#timers, this.#withinMs, asked, late);
    this.#token = token ?? null;
    return this.#token;
  }

  /** The token was taken. */
  welcomed() {
    this.#renewed = false;
  }

  /**
   * The token was refused: false where there is no hope for another one. A new one is asked for
   * once between two welcomes: a function that hands out bad tokens must not be called for ever.
   */
  refused() {
    if (typeof this.#source === "string" || this.#renewed) return false;
    this.#renewed = true;
    this.#forget("refused");
    return true;
  }

  /** The token has expired: false where there is no other one. */
  expired() {
    if (typeof this.#source === "string") return false;
    this.#forget("expired");
    return true;
  }

  /** @param {api.TokenReason} reason */
  #forget(reason) {
    this.#token = null;
    this.#reason = reason;
  }

  /** @param {string} token */
  #endsSoon(token) {
    const ends = expiry(token);
    return ends !== undefined && this.#world.now() >= ends - EXPIRY_MARGIN_MS;
  }
}

/** @param {string} token */
export function wellFormed(token) {
  return JWT.test(token);
}

/**
 * When a token expires, Unix ms; undefined where it does not say so. Only the hub checks tokens:
 * this saves a connection that would be refused, and a clock that is wrong costs a token.
 * @param {string} token
 */
function expiry(token) {
  try {
    const claims = JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    return typeof claims.exp === "number" ? claims.exp * 1000 : undefined;
  } catch {
    return undefined; // not for us to read: the hub will say what it is
  }
}
