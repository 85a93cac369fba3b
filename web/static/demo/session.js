// This tab's place in the room. It outlives a change of name, for which the client connects anew.

import { connect } from "../giftwire.js";
import { Scissors } from "./scissors.js";
import { at, recall, remember, ROOM, token } from "./viewer.js";

/** @import * as api from "../giftwire.js" */

/** @type {(keyof api.RoomEvents)[]} */
const PASSED = ["state", "welcome", "reset", "gifts", "lagged", "comments", "likes", "presence", "game", "gift", "rejected", "latency", "bye", "error"];

// A page that people watch comes back sooner than an app of millions may.
const TIMES = { backoffBaseMs: 500, backoffMaxMs: 4000 };

export class Session {
  viewer = recall();
  scissors = new Scissors();
  #events = new EventTarget();
  /** @type {api.Room | undefined} */
  #room;

  /** @returns {api.Room} */
  get room() {
    if (this.#room === undefined) throw new Error("the session is not open");
    return this.#room;
  }

  /** Connects. Listen first. */
  open() {
    const room = connect({
      url: at("."),
      room: ROOM,
      token: () => token(this.viewer),
      WebSocket: this.scissors.WebSocket,
      fetch: this.scissors.fetch,
      times: TIMES,
    });
    this.#room = room;
    room.opened.catch(() => {}); // told as a state
    for (const type of PASSED) {
      room.addEventListener(type, (event) => {
        const { detail } = /** @type {CustomEvent} */ (event);
        // A room that the page itself has closed has a successor.
        if (type === "state" && detail.reason?.code === "app") return;
        this.#tell(type, detail);
      });
    }
  }

  /**
   * Listens to the room, whichever connection it has.
   * @template {keyof api.RoomEvents} K
   * @param {K} type
   * @param {(detail: api.RoomEvents[K]) => void} listener
   */
  on(type, listener) {
    this.#events.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));
  }

  /**
   * @param {string} type
   * @param {unknown} detail
   */
  #tell(type, detail) {
    this.#events.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /**
   * Gives a gift, and tells of it at once: the room tells only when its state changes.
   * @param {api.GiftRequest} request
   */
  give(request) {
    this.#tell("gift", this.room.give(request));
  }

  /**
   * The name is in the token, so a new one needs a new connection.
   * @param {string} nickname
   */
  async rename(nickname) {
    const viewer = { ...this.viewer, nickname };
    await token(viewer); // throws where the name will not do
    this.viewer = viewer;
    remember(viewer);
    this.room.close();
    this.open();
    this.#tell("state", { state: this.room.state, previous: "closed" });
  }
}
