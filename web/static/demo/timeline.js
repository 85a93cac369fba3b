// The history of one gift, as giftwire's journal has it. `giftwire dev` shows it to anybody.

import { el } from "./dom.js";
import { span } from "./words.js";
import { at, ROOM } from "./viewer.js";

/** @import * as api from "../giftwire.js" */

/**
 * @typedef {object} Happening
 * @property {number} at Unix ms
 * @property {string} event
 * @property {string} [node]
 * @property {number} [n]
 * @property {boolean} [query]
 * @property {string} [taken]
 * @property {number} [code]
 * @property {number} [result]
 * @property {string} [status]
 * @property {string} [reason]
 * @property {string} [message]
 */

/**
 * Rows for a definition list.
 * @param {api.Gift} gift
 */
export async function timeline(gift) {
  if (gift.msg_id === undefined) return [whole("giftwire has not taken it yet, so there is no history.")];
  try {
    const response = await fetch(at(`v1/dev/rooms/${ROOM}/gifts/${gift.msg_id}`));
    const known = await response.json();
    if (!response.ok) return [whole(String(known.detail ?? "The history is not there."))];
    return [...known.events.flatMap((/** @type {Happening} */ event) => row(event, known.events[0].at)), whole(`MsgId ${known.msg_id}`)];
  } catch {
    return [whole("There is no connection to giftwire now.")];
  }
}

/** @param {string} text */
const whole = (text) => el("dd", { class: "whole", text });

/**
 * @param {Happening} event
 * @param {number} start
 */
function row(event, start) {
  const since = Math.max(0, event.at - start);
  return [el("dt", { text: since === 0 ? "0 ms" : `+${span(since)}` }), el("dd", { text: tell(event) })];
}

/** @param {Happening} event */
function tell(event) {
  switch (event.event) {
    case "received":
      return `received by node ${event.node ?? "?"}`;
    case "durable":
      return "written to the journal and synced to disk: safe";
    case "attempt":
      return event.query ? "asked ZEGO what became of it" : `sent to ZEGO, attempt ${event.n ?? 1}`;
    case "answer":
      return answered(event);
    case "outcome":
      return `decided: ${event.status ?? "?"}${event.reason === "ok" ? "" : ` (${event.reason ?? "?"})`}`;
    default:
      return event.event;
  }
}

/** @param {Happening} event */
function answered({ code, result, message, taken }) {
  if (result === 0) return "ZEGO: given";
  if (result !== undefined) return `ZEGO: result ${result}`;
  return `ZEGO: ${message || (code ? `code ${code}` : (taken ?? "no answer"))}`;
}
