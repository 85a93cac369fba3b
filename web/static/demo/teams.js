// Who plays for whom. The hub does not tell it: a comment that is a join word does, and in dev the
// calls that ZEGO got, which go further back.

/** @import * as api from "../giftwire.js" */
/** @import { Session } from "./session.js" */

const KEY = "giftwire.demo.teams"; // shared by tabs: each has heard something
const KNOWN_MAX = 2000; // viewers remembered; the oldest are forgotten first

/** `team` tells that a viewer has joined; `cleared` that everybody has to join anew. */
export class Teams extends EventTarget {
  /** @type {Map<string, string>} */
  #of = new Map();
  #round = "";
  #since = 0; // Unix ms: what was said before belongs to a round that is over
  /** @type {readonly api.JoinWord[]} */
  words = [];

  /** @param {Session} session */
  constructor(session) {
    super();
    session.on("welcome", ({ join, game }) => {
      this.words = join;
      // Another round than the one before the connection was lost: its end was missed.
      const missed = this.#round !== "" && this.#round !== game.round_id;
      this.#round = game.round_id;
      if (missed) this.clear();
      else if (this.#of.size === 0) this.#recall();
    });
    session.on("game", (game) => {
      this.#round = game.round_id;
      if (game.state === "ended") this.clear();
    });
    session.on("comments", ({ comments }) => {
      for (const { user_id, text, at } of comments) this.heard(user_id, text, at);
    });
  }

  /** @param {string} user_id */
  of(user_id) {
    return this.#of.get(user_id);
  }

  /** Whether something happened in this round, as far as this browser knows. @param {number} at Unix ms */
  isNow(at) {
    return at >= this.#since;
  }

  /**
   * Somebody said something: the first join word of a round counts.
   * @param {string} user_id
   * @param {string} text
   * @param {number} at Unix ms
   */
  heard(user_id, text, at) {
    const team = this.words.find((word) => word.text === text)?.team;
    if (team === undefined || this.#of.has(user_id) || !this.isNow(at)) return;
    this.#of.set(user_id, team);
    if (this.#of.size > KNOWN_MAX) this.#of.delete(this.#of.keys().next().value ?? "");
    this.#keep();
    this.dispatchEvent(new CustomEvent("team", { detail: { user_id, team } }));
  }

  /**
   * The game did not know this viewer.
   * @param {string} user_id
   */
  forget(user_id) {
    if (!this.#of.delete(user_id)) return;
    this.#keep();
    this.dispatchEvent(new CustomEvent("cleared"));
  }

  /** The round is over, and with it who plays for whom. */
  clear() {
    this.#of.clear();
    this.#since = Date.now();
    this.#keep();
    this.dispatchEvent(new CustomEvent("cleared"));
  }

  #recall() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY) ?? "null");
      if (Number.isFinite(kept?.since)) this.#since = kept.since;
      if (kept?.round === this.#round && Array.isArray(kept.of)) this.#of = new Map(kept.of);
    } catch {
      // No storage, or not ours: it is heard again, or not known.
    }
    if (this.#of.size > 0) this.dispatchEvent(new CustomEvent("team", { detail: {} }));
  }

  #keep() {
    try {
      localStorage.setItem(KEY, JSON.stringify({ round: this.#round, since: this.#since, of: [...this.#of] }));
    } catch {
      // Then a new tab does not know it.
    }
  }
}
