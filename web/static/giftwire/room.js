// A viewer's room: the line, the gifts in flight, and what the app hears of both. Its public
// members are documented in ../giftwire.d.ts.

import { GiftwireError } from "./errors.js";
import { Flight } from "./flight.js";
import { deferred, newId } from "./gift.js";
import { Keep } from "./keep.js";
import { Likes } from "./likes.js";
import { Line } from "./line.js";
import { settle } from "./options.js";
import { Timers, world } from "./world.js";

/** @import * as api from "../giftwire.js" */
/** @import { World } from "./world.js" */

const COMMENT_MAX = 200; // characters
const LIKES_MAX = 1000; // of one call

/**
 * @param {api.Options} options
 * @returns {api.Room}
 */
export function connect(options) {
  return new LiveRoom(options, world());
}

export class LiveRoom extends EventTarget {
  #settings;
  #line;
  #flight;
  #keep;
  #likes;
  #timers = new Timers();
  #unwatch;
  #opened = deferred();
  /** @type {{ epoch: string, seq: number } | undefined} */
  #place;
  /** @type {api.Welcome | undefined} */
  #welcome;
  /** @type {api.Latency | undefined} */
  #latency;
  /** @type {api.CloseReason | undefined} */
  #reason;
  #owner = "";
  /** @type {Promise<void> | undefined} */
  #adopted; // what an earlier life of the page has left

  /**
   * @param {api.Options} options
   * @param {World} world
   */
  constructor(options, world) {
    super();
    this.#settings = settle(options);
    const place = { world, timers: this.#timers };
    this.#keep = new Keep(this.#settings, place, (error) => this.#tell("error", error));
    this.#flight = new Flight(this.#settings, place, {
      send: (frame) => this.#line.send(frame),
      changed: (gift) => this.#tell("gift", gift),
      keep: (record) => this.#keep.put(record),
      forget: (id) => this.#keep.remove(id),
    });
    this.#line = new Line(this.#settings, place, {
      state: (change) => this.#changed(change),
      event: (event) => this.#take(event),
      measured: (latency) => this.#tell("latency", (this.#latency = latency)),
      fault: (error) => this.#tell("error", error),
      place: () => this.#query(),
      urgent: () => this.#flight.list().length > 0,
    });
    this.#likes = new Likes(place, (frame) => this.#line.send(frame));
    this.#unwatch = world.watch((why) => this.#line.wake(why));
    this.#line.open();
  }

  get state() {
    return this.#line.state;
  }

  get reason() {
    return this.#reason;
  }

  get welcome() {
    return this.#welcome;
  }

  get latencyMs() {
    return this.#latency?.latencyMs;
  }

  get clockOffsetMs() {
    return this.#latency?.clockOffsetMs;
  }

  get pending() {
    return this.#flight.list();
  }

  /** @returns {Promise<api.Welcome>} */
  get opened() {
    return this.#opened.promise;
  }

  /** @param {api.GiftRequest} request */
  give(request) {
    return this.#flight.give(request);
  }

  /** @param {string} text */
  comment(text) {
    const length = typeof text === "string" ? Array.from(text).length : 0;
    if (length < 1 || length > COMMENT_MAX || /\p{Cc}|\p{Cs}/u.test(text)) {
      throw new GiftwireError("bad_comment", `text must be 1 to ${COMMENT_MAX} characters without control characters`);
    }
    const id = newId();
    if (!this.#line.send({ type: "comment", id, text })) throw new GiftwireError("not_open", "there is no connection to say it on");
    return id;
  }

  like(count = 1) {
    if (!Number.isInteger(count) || count < 1 || count > LIKES_MAX) {
      throw new GiftwireError("bad_like", `count must be a whole number from 1 to ${LIKES_MAX}`);
    }
    if (this.state === "open") this.#likes.add(count);
  }

  close() {
    this.#line.close({ code: "app", message: "the app has closed the room" });
  }

  /**
   * @param {string} type
   * @param {unknown} detail
   */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {api.StateChange} change */
  #changed(change) {
    if (change.state !== "open") this.#flight.lost();
    if (change.reason !== undefined) this.#end(change.reason);
    // Not if the app, told of its gifts, has closed the room: then this is the past.
    if (change.state === this.state) this.#tell("state", change);
  }

  /** @param {api.CloseReason} reason */
  #end(reason) {
    this.#reason = reason;
    this.#opened.reject(new GiftwireError("closed", `${reason.code}: ${reason.message}`));
    this.#unwatch();
    this.#flight.end();
    this.#keep.end();
    this.#timers.end();
  }

  /** The query that resumes where the last connection ended. */
  #query() {
    if (this.#place === undefined) return "";
    return `?since=${this.#place.seq}&epoch=${encodeURIComponent(this.#place.epoch)}`;
  }

  /** @param {api.ServerEvent} event */
  #take(event) {
    switch (event.type) {
      case "welcome":
        this.#welcomed(event);
        return;
      case "gifts":
        if (!this.#isNews(event)) return;
        break;
      case "lagged":
        this.#moveTo(event.to);
        break;
      case "accepted":
        this.#flight.accepted(event);
        break;
      case "rejected":
        this.#flight.rejected(event);
        break;
      case "result":
        this.#flight.decided(event);
        break;
      case "pong":
        return; // the line has measured by it
      case "error":
        this.#tell("error", new GiftwireError(event.code, event.message, { id: event.id }));
        return;
    }
    if (this.state !== "closed") this.#tell(event.type, event); // told of a gift, the app may have closed it
  }

  /** @param {api.Welcome} welcome */
  #welcomed(welcome) {
    const previous = this.#place;
    const owner = `${this.#settings.base}|${welcome.room}|${welcome.user_id}`;
    if (this.#owner !== "" && owner !== this.#owner) {
      // The gifts in flight are another user's, and so is everything that the app shows.
      this.#line.close({ code: "user_changed", message: "the new token is another user's: connect again for that one" });
      return;
    }
    this.#owner = owner;
    this.#welcome = welcome;
    this.#place = { epoch: welcome.epoch, seq: welcome.seq };
    this.#opened.resolve(welcome);
    this.#tell("welcome", welcome);
    if (this.state !== "open") return; // closed by the app in its listener
    if (previous !== undefined && !welcome.resumed) this.#tell("reset", { ...this.#place, previous });
    if (this.state === "open") this.#fly();
  }

  /** Sends the gifts, those of an earlier life of the page first. */
  async #fly() {
    this.#adopted ??= this.#keep.open(this.#owner).then((left) => this.#flight.adopt(left));
    await this.#adopted;
    if (this.state === "open") this.#flight.opened();
  }

  /**
   * Whether these gifts were not seen before.
   * @param {api.Gifts} event
   */
  #isNews({ seq }) {
    const last = this.#place?.seq ?? 0;
    if (seq <= last) return false;
    if (seq > last + 1) this.#tell("error", new GiftwireError("gap", `gifts ${last + 1} to ${seq - 1} are missing, and the hub has not said so`));
    this.#moveTo(seq);
    return true;
  }

  /** @param {number} seq */
  #moveTo(seq) {
    if (this.#place !== undefined && seq > this.#place.seq) this.#place = { ...this.#place, seq };
  }
}
