// What gifts do, in numbers and words.

import { several } from "./words.js";

/** @import * as api from "../giftwire.js" */

/** @typedef {{ count: number, value: number }} Choice a count of a gift, and the tier that it is of */

const COUNT_MAX = 100_000; // PROTOCOL.md, gift frame
const CHOICES = 5;

/** @type {Record<string, string>} */
const NAMES = { soldier: "soldier", general: "general", cheer: "cheer", heal: "heal" };

/**
 * The counts that are offered: one of each tier, then multiples that are still the same tier's.
 * @param {api.MenuGift} gift
 * @returns {Choice[]}
 */
export function choices(gift) {
  const values = (gift.tiers.length > 0 ? gift.tiers.map((tier) => tier.value) : [1]).toSorted((a, b) => a - b);
  const offered = values.map((value) => ({ count: value, value }));
  for (const times of [2, 5, 10]) {
    for (const value of values) {
      const count = value * times;
      if (offered.length < CHOICES && count <= COUNT_MAX && tierOf(gift, count) === value) offered.push({ count, value });
    }
  }
  return offered.toSorted((a, b) => a.count - b.count);
}

/**
 * The tier that a count without a wish is of: the largest that divides it.
 * @param {api.MenuGift} gift
 * @param {number} count
 */
export function tierOf(gift, count) {
  const values = gift.tiers.length > 0 ? gift.tiers.map((tier) => tier.value) : [1];
  return Math.max(0, ...values.filter((value) => count % value === 0));
}

/** How many taps of that choice one gift can have. @param {Choice} choice */
export const tapsMax = ({ count }) => Math.max(1, Math.floor(COUNT_MAX / count));

/**
 * @param {api.MenuGift | undefined} gift
 * @param {number} value
 */
export function effectOf(gift, value) {
  return gift?.tiers.find((tier) => tier.value === value)?.effect ?? "gift";
}

/**
 * "2 soldiers".
 * @param {api.MenuGift | undefined} gift
 * @param {{ value: number, num: number }} given
 */
export function outcome(gift, { value, num }) {
  const effect = effectOf(gift, value);
  return several(num, NAMES[effect] ?? effect);
}

/**
 * "20 rockets".
 * @param {api.MenuGift | undefined} gift
 * @param {number} count
 */
export const amount = (gift, count) => several(count, gift?.name.toLowerCase() ?? "gift");
