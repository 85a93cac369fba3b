// The simulated ZEGO's own API, which `giftwire dev` has below /sim, and dev's open books.

import { at, ROOM } from "../viewer.js";

/**
 * @typedef {object} Entry
 * @property {string} [user_id]
 * @property {string} [nickname]
 * @property {string} [msg_id]
 * @property {string} [gift_id]
 * @property {number} [value]
 * @property {number} [num]
 * @property {string} [text]
 * @property {number} [amount]
 * @property {number} result
 */

/**
 * @typedef {object} Call
 * @property {number} seq
 * @property {string} at
 * @property {string} action
 * @property {string} room
 * @property {Entry[]} entries
 * @property {boolean} over
 * @property {boolean} done
 * @property {boolean} processed
 * @property {number} code
 * @property {number} status
 * @property {string} reply
 * @property {number} took_ms
 */

/** @typedef {{ before_ms?: number, lost?: boolean, reply?: string, status?: number, after_ms?: number }} Fault */
/** @typedef {{ id: number, fault: Fault }} Rule */
/** @typedef {{ accepted: number, delivered: number, failed: number, unresolved: number, pending: number }} Counters */

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 */
async function ask(method, path, body) {
  const response = await fetch(at(path), {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
  const text = await response.text();
  return text === "" ? undefined : JSON.parse(text);
}

/** @returns {Promise<Rule[]>} */
export const rules = async () => (await ask("GET", "sim/faults")).rules;

/** @param {Fault} fault */
export const fail = (fault) => ask("POST", "sim/faults", { fault });

/** @param {number} id */
export const heal = (id) => ask("DELETE", `sim/faults/${id}`);

/** The state of the room's game; running where the simulator has not heard of the room. */
export async function state() {
  // Asked first: a browser writes a 404 to the console, though nothing is wrong.
  const { rooms } = await ask("GET", "sim/state");
  return rooms === 0 ? "running" : String((await ask("GET", `sim/rooms/${ROOM}`)).state);
}

/**
 * @typedef {object} Effect
 * @property {number} seq
 * @property {string} at
 * @property {string} room
 * @property {string} msg_id
 * @property {string} user_id
 * @property {string} nickname
 * @property {string} gift_id
 * @property {number} value
 * @property {number} num
 */

const EFFECTS_MAX = 1000; // a page of the simulator's ledger, its bound

/** The newest effects that were given in the room, oldest first. @returns {Promise<Effect[]>} */
export async function effects() {
  const { tally } = await ask("GET", "sim/state");
  const since = Math.max(0, tally.delivered - EFFECTS_MAX);
  /** @type {Effect[]} */
  const given = (await ask("GET", `sim/ledger?since=${since}&limit=${EFFECTS_MAX}`)).effects;
  return given.filter(({ room }) => room === ROOM);
}

/** @param {"running" | "not_started"} state */
export const setState = (state) => ask("POST", `sim/rooms/${ROOM}/state`, { state });

/** @param {string} mini_game_id */
export const start = (mini_game_id) => ask("POST", `sim/rooms/${ROOM}/start`, { mini_game_id });

/**
 * @param {number} win_team
 * @param {number} user_size
 */
export const settle = (win_team, user_size) => ask("POST", `sim/rooms/${ROOM}/settle`, { win_team, user_size });

/** How often gifts had their effect a second time. It has to stay 0. @returns {Promise<number>} */
export const doubled = async () => (await ask("GET", "sim/state")).tally.doubled;

/** @returns {Promise<Counters>} */
export const counters = async () => (await ask("GET", `v1/dev/rooms/${ROOM}`)).counters;

/**
 * The calls that arrived, from the first that is remembered; a call comes again when it has ended.
 * @param {(call: Call) => void} tell
 */
export function listen(tell) {
  const stream = new EventSource(at("sim/arrivals/stream?since=0"));
  stream.addEventListener("call", ({ data }) => tell(JSON.parse(data)));
  return stream;
}
