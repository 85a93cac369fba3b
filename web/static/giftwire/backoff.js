// When to come back. Pure arithmetic.

/**
 * Full jitter: anywhere from at once to the growing bound, so that viewers who were lost together
 * do not come back together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param {number} failures in a row, 0 for the first return
 * @param {number} base ms, the bound of the first return
 * @param {number} max ms, the bound that it grows to
 * @param {number} random from 0 to below 1
 */
export function backoff(failures, base, max, random) {
  // 2^30 s is beyond every max; without the limit failures would overflow to Infinity.
  return random * Math.min(max, base * 2 ** Math.min(failures, 30));
}

/**
 * Lazily: from half of ms to one and a half, so that hidden tabs do not come in step.
 * @param {number} ms
 * @param {number} random
 */
export function lazily(ms, random) {
  return ms * (0.5 + random);
}

// What a server may ask for. More is a mistake of somebody's, and would look like the end.
const ORDER_MAX = 10 * 60 * 1000;

/**
 * What the server asked for, in ms; undefined where it asked for nothing that makes sense.
 * @param {unknown} ms
 */
export function ordered(ms) {
  return typeof ms === "number" && ms >= 0 ? Math.min(ms, ORDER_MAX) : undefined;
}

/** So many at once, and then so many a second. */
export class Pace {
  #perSecond;
  #left;
  #at = -Infinity;

  /** @param {number} perSecond also how many go at once after a rest */
  constructor(perSecond) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /**
   * Takes one and answers 0, or answers in how many ms there will be one.
   * @param {number} clock ms
   */
  take(clock) {
    if (this.#at !== -Infinity) {
      const grown = (Math.max(clock - this.#at, 0) * this.#perSecond) / 1000;
      this.#left = Math.min(this.#perSecond, this.#left + grown);
    }
    this.#at = clock;
    if (this.#left < 1) return Math.ceil(((1 - this.#left) * 1000) / this.#perSecond);
    this.#left -= 1;
    return 0;
  }
}
