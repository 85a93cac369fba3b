// Whether the other side is still there, how far away it is, and what its clock shows.

/** @import * as api from "../giftwire.js" */
/** @import { Timer, Timers, World } from "./world.js" */

// A timer that fires this late was throttled or slept: what came meanwhile may not be read yet.
const LATE_MS = 1000;

// Latency is measured this often in a room that is never silent, in units of the silence.
const MEASURE_EVERY = 2;

// The clocks' distance is taken from the fastest of so many answers: a fast one errs least.
const SAMPLES = 8;

export class Pulse {
  #world;
  #timers;
  #times;
  #events;
  /** @type {Timer} */
  #timer;
  #heard = 0; // clock of the last sign of life
  #asked = 0; // clock of the last ping
  #asking = false;
  #answered = false; // something was heard since the last ping
  #excused = false; // the deadline has been moved once
  /** @type {{ rtt: number, offset: number }[]} */
  #samples = [];

  /**
   * @param {{ world: World, timers: Timers, times: { silenceMs: number, pongMs: number } }} place
   * @param {{ ping: (t: number) => void, dead: () => void, measured: (latency: api.Latency) => void }} events
   */
  constructor({ world, timers, times }, events) {
    this.#world = world;
    this.#timers = timers;
    this.#times = times;
    this.#events = events;
  }

  /** A connection has begun. */
  start() {
    this.stop();
    this.#heard = this.#world.clock();
    this.check();
  }

  /** The connection is over. */
  stop() {
    this.#timers.clear(this.#timer);
    this.#asking = false;
  }

  /** Something was heard, whatever it is. */
  heard() {
    this.#heard = this.#world.clock();
    this.#answered = true;
  }

  /** Asks for a sign of life now, as after a sleep, when a dead connection looks like a living one. */
  check() {
    if (this.#asking) return;
    this.#excused = false;
    this.#ask();
  }

  #ask() {
    this.#asking = true;
    this.#answered = false;
    this.#asked = this.#world.clock();
    this.#events.ping(this.#asked);
    this.#in(this.#times.pongMs);
  }

  /** @param {number} ms */
  #in(ms) {
    const due = this.#world.clock() + ms;
    this.#timers.clear(this.#timer);
    this.#timer = this.#timers.set(() => this.#tick(this.#world.clock() - due), ms);
  }

  /** @param {number} late by how many ms */
  #tick(late) {
    const { silenceMs, pongMs } = this.#times;
    const silence = this.#world.clock() - this.#heard;
    if (this.#asking && !this.#answered) {
      if (late < LATE_MS || this.#excused) {
        this.#events.dead();
        return;
      }
      this.#excused = true;
      this.#ask();
      return;
    }
    this.#asking = false;
    const measure = !this.#world.hidden() && this.#world.clock() - this.#asked >= MEASURE_EVERY * silenceMs;
    if (silence >= silenceMs || measure) this.check();
    else this.#in(Math.max(silenceMs - silence, Math.min(pongMs, silenceMs)));
  }

  /** @param {api.Pong} pong */
  pong(pong) {
    if (!this.#asking || pong.t !== this.#asked) return; // of an earlier ping: its way is not known
    this.#asking = false;
    const rtt = this.#world.clock() - this.#asked;
    const sample = { rtt, offset: pong.now - (this.#world.now() - rtt / 2) };
    this.#samples = [...this.#samples.slice(1 - SAMPLES), sample];
    const best = this.#samples.reduce((a, b) => (b.rtt < a.rtt ? b : a));
    this.#in(this.#times.silenceMs);
    this.#events.measured({ latencyMs: rtt, clockOffsetMs: best.offset });
  }
}
