// Fast taps are summed, and given as one gift under one id when the tapping ends.

/** @import { Choice } from "./effects.js" */

export const FUSE_MS = 700; // between taps; longer, and the tapping has ended
const LONGEST_MS = 10_000; // somebody who never stops still sees it happen

export class Combo {
  /** @type {{ choice: Choice, gift_id: string, taps: number, since: number } | undefined} */
  #run;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #fuse;
  #give;
  #now;

  /**
   * @param {(gift: { gift_id: string, count: number, value: number }) => void} give
   * @param {() => number} [now] a clock, ms
   */
  constructor(give, now = () => performance.now()) {
    this.#give = give;
    this.#now = now;
  }

  /** Taps so far; 0: nothing waits. */
  get taps() {
    return this.#run?.taps ?? 0;
  }

  get count() {
    return this.#run === undefined ? 0 : this.#run.taps * this.#run.choice.count;
  }

  /**
   * One more. Of another gift or count: what has been summed is given first.
   * @param {string} gift_id
   * @param {Choice} choice
   * @param {number} max taps of one gift
   */
  tap(gift_id, choice, max) {
    const run = this.#run;
    if (run !== undefined && (run.gift_id !== gift_id || run.choice.count !== choice.count)) this.end();
    this.#run ??= { choice, gift_id, taps: 0, since: this.#now() };
    this.#run.taps++;
    clearTimeout(this.#fuse);
    if (this.#run.taps >= max || this.#now() - this.#run.since >= LONGEST_MS) this.end();
    else this.#fuse = setTimeout(() => this.end(), FUSE_MS);
  }

  /** Gives what was summed, at once. */
  end() {
    clearTimeout(this.#fuse);
    const run = this.#run;
    this.#run = undefined;
    if (run === undefined) return;
    const { choice, gift_id, taps } = run;
    // The tier is named: 66 taps of 10 are soldiers, though 660 could be generals.
    this.#give({ gift_id, count: choice.count * taps, value: choice.value });
  }
}
