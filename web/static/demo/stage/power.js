// Who is ahead: what each side was given in this round.

import { byId, seldom, write } from "../dom.js";
import { short, several } from "../words.js";
import { SIDES } from "./scene.js";

/** @import { Side } from "./scene.js" */

const DRAW_MS = 150;

/** @typedef {{ power: number, troops: Map<string, number> }} Army */

export class Power {
  /** @type {Record<Side, Army>} */
  #of = { blue: army(), red: army() };
  #tug = byId("tug", HTMLElement);

  /**
   * @param {Side} side
   * @param {string} effect
   * @param {{ num: number, count: number }} given
   */
  add(side, effect, { num, count }) {
    const own = this.#of[side];
    own.power += count;
    own.troops.set(effect, (own.troops.get(effect) ?? 0) + num);
    this.#draw();
  }

  clear() {
    this.#of = { blue: army(), red: army() };
    this.#draw();
  }

  /** The blue share of all, 0 to 1. */
  get share() {
    const { blue, red } = this.#of;
    return blue.power + red.power === 0 ? 0.5 : blue.power / (blue.power + red.power);
  }

  /** @param {Record<Side, string>} names */
  name(names) {
    for (const side of SIDES) {
      const place = document.querySelector(`.side.${side} .team`);
      if (place !== null) write(place, names[side]);
    }
  }

  #draw = seldom(DRAW_MS, () => {
    for (const side of SIDES) {
      const { power, troops } = this.#of[side];
      write(byId(`power-${side}`, HTMLElement), short(power));
      write(byId(`troops-${side}`, HTMLElement), roll(troops));
    }
    this.#tug.style.transform = `scaleX(${(0.06 + 0.88 * this.share).toFixed(3)})`;
  });
}

/** @returns {Army} */
const army = () => ({ power: 0, troops: new Map() });

/** @param {Map<string, number>} troops */
function roll(troops) {
  const shown = ["soldier", "general"].filter((kind) => troops.has(kind));
  if (shown.length === 0) return "no troops yet";
  return shown.map((kind) => several(troops.get(kind) ?? 0, kind)).join(", ");
}
