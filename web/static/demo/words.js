// Plain words and numbers.

/** @import * as api from "../giftwire.js" */

const NUMBER = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** @param {number} n */
export const number = (n) => NUMBER.format(n);

/**
 * Numbers that have little room: 12,345 is 12.3K.
 * @param {number} n
 */
export const short = (n) => (n < 10_000 ? NUMBER.format(n) : SHORT.format(n));

/**
 * @param {number} n
 * @param {string} one
 */
export function several(n, one) {
  if (n === 1) return `1 ${one}`;
  return `${number(n)} ${plural(one)}`;
}

/** @param {string} one */
function plural(one) {
  if (/(s|x|ch|sh)$/.test(one)) return `${one}es`;
  return `${one}s`;
}

/**
 * A span of time, short enough for a column.
 * @param {number} ms
 */
export function span(ms) {
  if (ms < 0.95) return "<1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

/** @typedef {"good" | "wait" | "bad" | "none"} Tone */
/** @typedef {{ chip: string, more: string, tone: Tone }} Fate what a gift's state means to who gave it */

/** @type {Record<api.GiftState, [chip: string, tone: Tone, more: string]>} */
const STATES = {
  queued: ["waiting", "wait", "Goes out as soon as there is a connection."],
  sent: ["sending", "wait", "On its way to giftwire. If the line breaks, it is sent again, once."],
  accepted: ["safe", "wait", "On disk. It will reach the game, whatever happens."],
  delivered: ["delivered", "good", ""],
  failed: ["not given", "bad", ""],
  unresolved: ["unclear", "bad", "ZEGO cannot tell whether the game gave it. A person will look; it is not sent again."],
  rejected: ["not taken", "bad", ""],
  unknown: ["unknown", "bad", "No answer for too long. The platform’s ledger knows what became of it."],
};

/** @type {Record<string, string>} */
const REASONS = {
  not_joined_or_refused: "The game does not know you in this round: choose a side first. You pay nothing.",
  no_such_gift: "The game does not know this gift. You pay nothing.",
  game_not_started: "The game did not start in time. You pay nothing.",
  game_not_found: "ZEGO does not find the game. You pay nothing.",
  refused: "ZEGO refused this gift. You pay nothing.",
  expired: "It could not be given in time. You pay nothing.",
  game_error: "The game reported a fault. You pay nothing.",
};

/** @type {Record<string, string>} */
const REJECTIONS = {
  rate_limited: "Too fast. Nothing was charged.",
  busy: "The room has too many gifts waiting. Nothing was charged.",
  unavailable: "giftwire cannot store it now. Nothing was charged.",
  declined: "The wallet said no.",
  room_closed: "The room is closed. Nothing was charged.",
  game_not_running: "The game is not running. Nothing was charged.",
  not_sent: "There was no connection for too long, so it was not sent. Nothing was charged.",
};

/**
 * What has become of a gift, for who gave it.
 * @param {api.Gift} gift
 * @returns {Fate}
 */
export function fate(gift) {
  const [chip, tone, more] = STATES[gift.state];
  if (gift.state === "failed") return { chip, tone, more: REASONS[gift.reason ?? ""] ?? gift.message ?? "" };
  if (gift.state === "rejected") return { chip, tone, more: REJECTIONS[gift.code ?? ""] ?? gift.message ?? "" };
  if (gift.state === "delivered" && gift.decidedAt !== undefined && gift.sentAt !== undefined) {
    return { chip, tone, more: `on the stage after ${span(gift.decidedAt - gift.sentAt)}` };
  }
  return { chip, tone, more };
}
