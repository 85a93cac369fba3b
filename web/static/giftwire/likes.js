// Likes: many taps, few frames.

/** @import { Timer, Timers, World } from "./world.js" */

// The hub takes 10 frames a second of a viewer in a room.
const EVERY_MS = 100;
const FRAME_MAX = 1000; // likes in a frame
const PENDING_MAX = 10_000; // a second of full frames; more taps are lost, as likes may be

export class Likes {
  #world;
  #timers;
  #send;
  /** @type {Timer} */
  #timer;
  #pending = 0;
  #next = 0; // clock of the next frame

  /**
   * @param {{ world: World, timers: Timers }} place
   * @param {(frame: object) => boolean} send
   */
  constructor({ world, timers }, send) {
    this.#world = world;
    this.#timers = timers;
    this.#send = send;
  }

  /** @param {number} count */
  add(count) {
    this.#pending = Math.min(this.#pending + count, PENDING_MAX);
    if (this.#timer === undefined) this.#flush();
  }

  #flush() {
    this.#timer = undefined;
    const wait = this.#next - this.#world.clock();
    if (this.#pending > 0 && wait <= 0) {
      const count = Math.min(this.#pending, FRAME_MAX);
      this.#next = this.#world.clock() + EVERY_MS;
      this.#pending = this.#send({ type: "like", count }) ? this.#pending - count : 0; // best effort
    }
    if (this.#pending > 0) this.#timer = this.#timers.set(() => this.#flush(), this.#next - this.#world.clock());
  }
}
