// The way of the newest own gift, station by station.

import { byId, write } from "./dom.js";
import { several, span } from "./words.js";

/** @import * as api from "../giftwire.js" */
/** @import { Call, Tries } from "./zego/calls.js" */

/** @typedef {"sent" | "durable" | "merged" | "zego" | "seen"} Step */
/** @typedef {"idle" | "now" | "done" | "trouble"} Light */

/** @type {Step[]} */
const STEPS = ["sent", "durable", "merged", "zego", "seen"];

export class Path {
  /** @type {api.Gift | undefined} */
  #gift;
  /** @type {number | undefined} when everybody was told, by the page's clock */
  #seenAt;
  #title = byId("path-what", HTMLElement);
  #places = new Map(STEPS.map((step) => [step, place(step)]));
  #what;
  /** @type {((msg_id: string) => Tries | undefined) | undefined} what ZEGO got, in dev */
  calls;

  /** @param {(gift: api.Gift) => string} what names a gift */
  constructor(what) {
    this.#what = what;
  }

  /** @param {api.Gift} gift */
  show(gift) {
    if (gift.restored && this.#gift === undefined && gift.state === "delivered") return;
    if (this.#gift === undefined || gift.givenAt >= this.#gift.givenAt) {
      if (this.#gift?.id !== gift.id) this.#seenAt = undefined;
      this.#gift = gift;
    }
    if (gift.id === this.#gift.id) this.draw();
  }

  /** @param {readonly api.DeliveredGift[]} gifts */
  seen(gifts) {
    if (this.#gift?.msg_id === undefined || !gifts.some(({ msg_id }) => msg_id === this.#gift?.msg_id)) return;
    this.#seenAt = Date.now();
    this.draw();
  }

  draw() {
    const gift = this.#gift;
    if (gift === undefined) return;
    write(this.#title, `Your newest gift: ${this.#what(gift)}`);
    const tries = gift.msg_id === undefined ? undefined : this.calls?.(gift.msg_id);
    this.#light("sent", ...sent(gift));
    this.#light("durable", ...durable(gift));
    this.#light("merged", ...merged(gift, tries?.last));
    this.#light("zego", ...zego(gift, tries));
    this.#light("seen", ...this.#everybody(gift));
  }

  /** @param {api.Gift} gift @returns {[Light, string]} */
  #everybody(gift) {
    if (this.#seenAt !== undefined) return ["done", gift.sentAt === undefined ? "on the stage" : `after ${span(this.#seenAt - gift.sentAt)}`];
    if (gift.state === "delivered") return ["done", "on the stage"];
    if (gift.state === "failed" || gift.state === "rejected") return ["idle", "not given, not charged"];
    return ["idle", "sees it on the stage"];
  }

  /**
   * @param {Step} step
   * @param {Light} light
   * @param {string} text
   */
  #light(step, light, text) {
    const found = this.#places.get(step);
    if (found === undefined) return;
    found.station.dataset.state = light;
    write(found.text, text);
  }
}

/** @param {Step} step */
function place(step) {
  const station = byId("path", HTMLElement).querySelector(`[data-step="${step}"]`);
  const text = station?.querySelector("span");
  if (!(station instanceof HTMLElement) || !text) throw new Error(`index.html has no step ${step}`);
  return { station, text };
}

/** @param {api.Gift} gift @returns {[Light, string]} */
function sent(gift) {
  if (gift.state === "queued") return ["now", "waits for a connection"];
  if (gift.state === "sent") return ["now", "sending"];
  if (gift.code === "not_sent") return ["trouble", "no connection: not sent"];
  return ["done", "with an id of its own"];
}

/** @param {api.Gift} gift @returns {[Light, string]} */
function durable(gift) {
  if (gift.state === "queued" || gift.state === "sent") return ["idle", "on disk: cannot be lost"];
  if (gift.state === "rejected") return ["trouble", "not taken, not charged"];
  if (gift.acceptedAt === undefined || gift.sentAt === undefined) return ["done", "on disk"];
  return ["done", `on disk after ${span(gift.acceptedAt - gift.sentAt)}`];
}

/** @param {api.Gift} gift @param {Call | undefined} call @returns {[Light, string]} */
function merged(gift, call) {
  if (call !== undefined) {
    const others = call.entries.length - 1;
    return ["done", others === 0 ? "alone in its 100 ms" : `with ${several(others, "other gift")}`];
  }
  if (gift.state === "accepted") return ["now", "waits for the tick"];
  return [decided(gift) ? "done" : "idle", "with others, each 100 ms"];
}

/** @param {api.Gift} gift @param {Tries | undefined} tries @returns {[Light, string]} */
function zego(gift, tries) {
  const attempt = tries !== undefined && tries.tries > 1 ? `, attempt ${tries.tries}` : "";
  switch (gift.state) {
    case "accepted":
      if (tries === undefined) return ["idle", "one call, at most 20/s"];
      return tries.trouble ? ["trouble", `does not take it${attempt}`] : ["now", `called${attempt}`];
    case "delivered":
      return ["done", tries === undefined ? "given" : `given in ${span(tries.last.took_ms)}${attempt}`];
    case "failed":
      return ["trouble", "did not give it"];
    case "unresolved":
      return ["trouble", "cannot tell"];
    default:
      return ["idle", "one call, at most 20/s"];
  }
}

/** @param {api.Gift} gift */
const decided = ({ state }) => state === "delivered" || state === "failed" || state === "unresolved";
