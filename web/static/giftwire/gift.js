// One gift of this viewer, from the tap to its result.

import { GiftError, GiftwireError } from "./errors.js";

/** @import * as api from "../giftwire.js" */

/**
 * @typedef {object} GiftRecord what is kept of a gift; the order of at and n is the order given
 * @property {string} id
 * @property {number} at Unix ms
 * @property {number} n
 * @property {api.GiftRequest} asked
 * @property {boolean} sent it may have reached the hub
 * @property {string} [msgId] the hub has accepted it
 */

// The bounds of PROTOCOL.md. What breaks them is refused here, with a reason at the caller's line.
const COUNT_MAX = 100_000;
const GIFT_ID_MAX = 128; // bytes
const RECEIVER = /^[0-9A-Za-z]{1,48}$/;

/**
 * A checked copy of what the app asks for.
 * @param {api.GiftRequest} request
 * @returns {api.GiftRequest}
 */
export function checked(request) {
  const { gift_id, count, value, receiver_id } = request ?? {};
  demand(typeof gift_id === "string" && printable(gift_id), `gift_id must be 1 to ${GIFT_ID_MAX} bytes without control characters`);
  demand(isCount(count), `count must be a whole number from 1 to ${COUNT_MAX}`);
  demand(value === undefined || isCount(value), `value must be a whole number from 1 to ${COUNT_MAX}`);
  demand(receiver_id === undefined || RECEIVER.test(receiver_id), "receiver_id must be 1 to 48 of 0-9, A-Z and a-z");
  return { gift_id, count, ...(value !== undefined && { value }), ...(receiver_id !== undefined && { receiver_id }) };
}

/**
 * @param {boolean} ok
 * @param {string} message
 */
function demand(ok, message) {
  if (!ok) throw new GiftwireError("bad_gift", message);
}

/** @param {unknown} n */
function isCount(n) {
  return Number.isInteger(n) && Number(n) >= 1 && Number(n) <= COUNT_MAX;
}

/** @param {string} text */
function printable(text) {
  const bytes = new TextEncoder().encode(text).length;
  return bytes >= 1 && bytes <= GIFT_ID_MAX && !/\p{Cc}|\p{Cs}/u.test(text);
}

/**
 * An idempotency key, 128 bits of chance in hexadecimal. (crypto.randomUUID would not be there on
 * pages without TLS.)
 */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/**
 * A promise and what settles it.
 * @returns {{ promise: Promise<any>, resolve: (value: any) => void, reject: (error: Error) => void }}
 */
export function deferred() {
  /** @type {any} */
  const d = {};
  d.promise = new Promise((resolve, reject) => Object.assign(d, { resolve, reject }));
  d.promise.catch(() => {}); // an app that does not look must not see "unhandled rejection"
  return d;
}

/** A gift that is not decided, with what the flight has to know of it. */
export class Entry {
  /** The sending of it that was not answered may have been taken, so a rejection of another one is not the truth. */
  doubt;
  /** Sent on this connection and not answered. */
  waiting = false;
  /** Clock at which to send it, or to send it again. Infinity: an answer is there, only the result is missing. */
  due = 0;
  /** How often it was sent again on this connection. */
  repeats = 0;
  /** Clock of the first passing rejection; undefined: none since it was given. */
  /** @type {number | undefined} */
  refusedAt;
  #accepted = deferred();
  #result = deferred();

  /**
   * @param {GiftRecord} record
   * @param {boolean} restored
   */
  constructor(record, restored) {
    this.record = record;
    this.doubt = record.sent;
    /** @type {{ -readonly [K in keyof api.Gift]: api.Gift[K] }} */
    this.gift = {
      ...record.asked,
      id: record.id,
      state: record.msgId !== undefined ? "accepted" : record.sent ? "sent" : "queued",
      restored,
      givenAt: record.at,
      accepted: this.#accepted.promise,
      result: this.#result.promise,
    };
    if (record.msgId !== undefined) this.gift.msg_id = record.msgId;
  }

  /** The frame, always the same. */
  frame() {
    return { type: "gift", id: this.record.id, ...this.record.asked };
  }

  /** @param {number} now */
  sent(now) {
    this.record.sent = true;
    if (this.gift.state === "queued") this.gift.state = "sent";
    this.gift.sentAt ??= now;
  }

  /**
   * @param {{ id: string, msg_id: string }} event
   * @param {number} now
   */
  accepted({ id, msg_id }, now) {
    this.record.msgId = msg_id;
    if (this.gift.state !== "accepted") Object.assign(this.gift, { state: "accepted", msg_id, acceptedAt: now });
    this.#accepted.resolve({ type: "accepted", id, msg_id });
  }

  /** It was surely not taken, and is sent again later. */
  requeued() {
    this.record.sent = false;
    this.gift.state = "queued";
  }

  /**
   * @param {api.Result} event
   * @param {number} now
   */
  decided(event, now) {
    this.accepted(event, now); // where it was not heard, it was missed
    const { status, code, reason, message } = event;
    const state = status === "delivered" || status === "failed" ? status : "unresolved";
    Object.assign(this.gift, { state, decidedAt: now, result_code: code, reason, message });
    this.#result.resolve(event);
  }

  /**
   * There will be no result.
   * @param {"rejected" | "unknown"} state
   * @param {{ code: api.ErrorCode, message: string, retry_after_ms?: number }} why
   * @param {number} now
   */
  ended(state, { code, message, retry_after_ms }, now) {
    Object.assign(this.gift, { state, code, message, decidedAt: now });
    if (retry_after_ms !== undefined) this.gift.retry_after_ms = retry_after_ms;
    this.#fail(code, message);
  }

  /** The room has closed before the result: its state stays what it is. */
  abandoned() {
    this.#fail("closed", "the room was closed before the gift was decided");
  }

  /**
   * @param {api.ErrorCode} code
   * @param {string} message
   */
  #fail(code, message) {
    const error = new GiftError(code, message, this.gift);
    this.#accepted.reject(error); // of no effect where it was accepted
    this.#result.reject(error);
  }
}
