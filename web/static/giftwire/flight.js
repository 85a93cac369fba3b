// The gifts in flight: given, and not decided. Each is sent under one id until its fate is known;
// that has one effect, however often it is sent.

import { backoff, Pace } from "./backoff.js";
import { GiftwireError } from "./errors.js";
import { checked, Entry, newId } from "./gift.js";
import { PASSING, REPEAT_MAX } from "./options.js";

/** @import * as api from "../giftwire.js" */
/** @import { GiftRecord } from "./gift.js" */
/** @import { Settings } from "./options.js" */
/** @import { Timer, Timers, World } from "./world.js" */

/**
 * @typedef {object} FlightEvents
 * @property {(frame: object) => boolean} send false: it was surely not sent
 * @property {(gift: api.Gift) => void} changed
 * @property {(record: GiftRecord) => void} keep
 * @property {(id: string) => void} forget
 */

// A clock that was set back by more than this tells no ages.
const CLOCK_BACK_MS = 60_000;

// The wait for an answer grows to so many times answerMs.
const ANSWER_GROWTH = 16;

const TOO_OLD = Object.freeze({
  code: /** @type {const} */ ("unknown"),
  message: "no answer in time, and too old to be asked for again: the platform's ledger knows what became of it",
});
const NOT_SENT = Object.freeze({
  code: /** @type {const} */ ("not_sent"),
  message: "it could not be sent in time; nothing was charged",
});

export class Flight {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #world;
  #timers;
  #settings;
  #events;
  #pace;
  /** @type {Timer} */
  #timer;
  #isOpen = false;
  #isPumping = false;
  #ended = false;
  #n = 0;

  /**
   * @param {Settings} settings
   * @param {{ world: World, timers: Timers }} place
   * @param {FlightEvents} events
   */
  constructor(settings, { world, timers }, events) {
    this.#world = world;
    this.#timers = timers;
    this.#settings = settings;
    this.#events = events;
    this.#pace = new Pace(settings.giftsPerSecond);
  }

  /** The gifts that are not decided, in the order given. */
  list() {
    return Array.from(this.#entries.values(), (entry) => entry.gift);
  }

  /**
   * @param {api.GiftRequest} request
   * @returns {api.Gift}
   */
  give(request) {
    const asked = checked(request);
    const { maxInFlight } = this.#settings;
    if (this.#ended) throw new GiftwireError("closed", "the room is closed");
    if (this.#entries.size >= maxInFlight) throw new GiftwireError("too_many", `${maxInFlight} gifts wait for their results`);
    const entry = new Entry({ id: newId(), at: this.#world.now(), n: this.#n++, asked, sent: false }, false);
    this.#entries.set(entry.record.id, entry);
    this.#events.keep(entry.record);
    this.#pump();
    return entry.gift;
  }

  /**
   * Takes over what an earlier life of the page has left. It goes before everything given since.
   * @param {GiftRecord[]} records
   */
  adopt(records) {
    if (this.#ended) return;
    const sorted = [...records].sort((a, b) => a.at - b.at || a.n - b.n);
    const entries = sorted.map((record) => new Entry(record, true));
    this.#entries = new Map([...entries.map((e) => /** @type {const} */ ([e.record.id, e])), ...this.#entries]);
    for (const entry of entries) this.#events.changed(entry.gift);
  }

  /** A connection stands: everything is asked for again, new gifts follow. */
  opened() {
    this.#isOpen = true;
    this.#pump();
  }

  /** The connection is gone. */
  lost() {
    this.#isOpen = false;
    for (const entry of this.#entries.values()) {
      entry.doubt ||= entry.waiting;
      entry.waiting = false;
      entry.due = 0;
      entry.repeats = 0;
    }
    this.#pump();
  }

  /** @param {api.Accepted} event */
  accepted(event) {
    const entry = this.#entries.get(event.id);
    if (entry === undefined) return; // a second answer to what is decided
    const isNews = entry.gift.state !== "accepted";
    this.#answered(entry);
    entry.due = Infinity;
    entry.accepted(event, this.#world.now());
    if (!isNews) return;
    this.#events.keep(entry.record);
    this.#events.changed(entry.gift);
  }

  /** @param {api.Result} event */
  decided(event) {
    const entry = this.#entries.get(event.id);
    if (entry === undefined) return;
    entry.decided(event, this.#world.now());
    this.#settle(entry);
  }

  /** @param {api.Rejected} event */
  rejected(event) {
    const entry = this.#entries.get(event.id);
    if (entry === undefined || entry.record.msgId !== undefined) return; // accepted is the truth
    const passes = PASSING.includes(event.code);
    if (passes && entry.doubt) {
      // The hub looks at rates and backlog before it looks the id up: this says nothing of the
      // sending whose answer was lost, so only asking again does.
      entry.waiting = false;
      this.#later(entry, event);
    } else if (passes && this.#mayRetry(entry, event.code)) {
      this.#answered(entry);
      entry.requeued();
      this.#later(entry, event);
      this.#events.keep(entry.record);
      this.#events.changed(entry.gift);
    } else {
      entry.ended("rejected", event, this.#world.now());
      this.#settle(entry);
      return;
    }
    this.#pump();
  }

  /** @param {Entry} entry */
  #answered(entry) {
    entry.waiting = false;
    entry.doubt = false;
    entry.repeats = 0;
  }

  /**
   * @param {Entry} entry
   * @param {string} code
   */
  #mayRetry(entry, code) {
    const clock = this.#world.clock();
    entry.refusedAt ??= clock;
    return this.#settings.retry.includes(code) && clock - entry.refusedAt < this.#settings.times.retryForMs;
  }

  /**
   * @param {Entry} entry
   * @param {api.Rejected} event
   */
  #later(entry, { retry_after_ms = 1000 }) {
    // Jitter on top: all senders were told the same.
    const jitter = backoff(0, this.#settings.times.backoffBaseMs, Infinity, this.#world.random());
    entry.due = this.#world.clock() + Math.max(retry_after_ms, 0) + jitter;
  }

  /** @param {Entry} entry */
  #settle(entry) {
    this.#entries.delete(entry.record.id);
    this.#events.forget(entry.record.id);
    this.#events.changed(entry.gift);
  }

  /** Sends what is due, ends what is too old, and comes back for the rest. */
  #pump() {
    if (this.#isPumping || this.#ended) return; // an app's listener gave a gift: the loop finds it
    this.#isPumping = true;
    // One reading for all: a place that comes free meanwhile is for the first who waits.
    const clock = this.#world.clock();
    let next = Infinity;
    for (const entry of this.#entries.values()) next = Math.min(next, this.#step(entry, clock));
    this.#isPumping = false;
    this.#timers.clear(this.#timer);
    if (next < Infinity) this.#timer = this.#timers.set(() => this.#pump(), next);
  }

  /**
   * One gift; the answer is in how many ms to look at it again.
   * @param {Entry} entry
   * @param {number} clock
   */
  #step(entry, clock) {
    if (entry.due === Infinity) return Infinity; // accepted: its result comes by itself
    const now = this.#world.now();
    const left = this.#left(entry, now);
    if (left <= 0) {
      if (entry.record.sent) entry.ended("unknown", TOO_OLD, now);
      else entry.ended("rejected", NOT_SENT, now);
      this.#settle(entry);
      return Infinity;
    }
    if (!this.#isOpen) return left;
    if (entry.due > clock) return Math.min(left, entry.due - clock);
    const wait = this.#pace.take(clock);
    if (wait > 0) return Math.min(left, wait);
    this.#send(entry, clock);
    return Math.min(left, Math.max(entry.due - clock, 0));
  }

  /**
   * For how many ms the gift may still be sent.
   * @param {Entry} entry
   * @param {number} now
   */
  #left({ record }, now) {
    const { sendWithinMs, repeatForMs } = this.#settings.times;
    if (record.at - now > CLOCK_BACK_MS) return 0;
    const limit = record.msgId !== undefined ? REPEAT_MAX : record.sent ? repeatForMs : sendWithinMs;
    return record.at + limit - now;
  }

  /**
   * @param {Entry} entry
   * @param {number} clock
   */
  #send(entry, clock) {
    const isFirst = !entry.record.sent;
    if (isFirst) {
      // Kept as sent before it is: a page that dies in between asks again, which does no harm.
      entry.sent(this.#world.now());
      this.#events.keep(entry.record);
    }
    if (!this.#events.send(entry.frame())) {
      if (isFirst) {
        entry.requeued();
        this.#events.keep(entry.record);
      }
      entry.due = clock + this.#settings.times.answerMs; // the connection is about to be lost; lost() makes it earlier
      return;
    }
    entry.doubt ||= entry.waiting; // the last sending was not answered
    entry.waiting = true;
    entry.due = clock + this.#settings.times.answerMs * Math.min(2 ** entry.repeats++, ANSWER_GROWTH);
    if (isFirst) this.#events.changed(entry.gift);
  }

  /** The room has closed: nothing is sent any more. What was never sent is surely not given. */
  end() {
    this.#ended = true;
    this.#timers.clear(this.#timer);
    for (const entry of this.#entries.values()) {
      if (entry.record.sent) {
        entry.abandoned(); // and stays kept, for the next life of the page
        continue;
      }
      entry.ended("rejected", { ...NOT_SENT, message: "the room was closed before it was sent; nothing was charged" }, this.#world.now());
      this.#events.forget(entry.record.id);
      this.#events.changed(entry.gift);
    }
    this.#entries.clear();
  }
}
