// The play, without a picture of it: who stands where, who marches, what flies. Lengths are in
// units of the scene, which is HEIGHT high; times are seconds. Nothing here grows without a bound.

export const HEIGHT = 100;
export const ROWS = 5; // of a formation
const COLUMNS = 7;
const TROOPS_MAX = ROWS * COLUMNS; // on screen, a side; of more, the first ones charge
const GROUP_MAX = 12; // figures of one arrival; the flag says how many they are
const ARRIVAL_GAP = 0.35; // between two arrivals of a side: what comes faster is one group
const SPEED = 34;
const BITS_MAX = 90; // hearts, sparks, petals
const FLAGS_MAX = 5;
const FLAG_LIFE = 2.6;

/** @typedef {"blue" | "red"} Side */
/** @typedef {"soldier" | "general"} Kind */
/** @typedef {{ side: Side, kind: Kind, x: number, row: number, slot: number, step: number, charging: boolean, delay: number }} Figure */
/** @typedef {"heart" | "petal" | "plus" | "spark" | "puff" | "gift"} BitKind */
/** @typedef {{ kind: BitKind, x: number, y: number, vx: number, vy: number, age: number, life: number }} Bit */
/** @typedef {{ text: string, side: Side, x: number, y: number, age: number }} Flag */
/** @typedef {{ num: number, who: string }} Arrivals gifts of one kind that have not been shown */

/** @type {readonly Side[]} */
export const SIDES = ["blue", "red"];

export class Scene {
  width = 200;
  /** @type {Figure[]} */
  figures = [];
  /** @type {Bit[]} */
  bits = [];
  /** @type {Flag[]} */
  flags = [];
  front = 0.5; // where the armies meet, 0 to 1
  #wanted = 0.5;
  /** @type {Record<Side, number>} */
  cheer = { blue: 0, red: 0 };
  /** @type {Record<Side, Map<string, Arrivals>>} */
  #waiting = { blue: new Map(), red: new Map() };
  /** @type {Record<Side, number>} */
  #gap = { blue: 0, red: 0 };
  #clash = 0;
  still;
  #random;

  /**
   * @param {boolean} still no movement: figures stand where they belong
   * @param {() => number} random
   */
  constructor(still, random = Math.random) {
    this.still = still;
    this.#random = random;
  }

  /**
   * Something was given. What the scene does not know of flies as a gift.
   * @param {Side} side
   * @param {string} effect
   * @param {number} num
   * @param {string} who
   */
  give(side, effect, num, who) {
    const waiting = this.#waiting[side].get(effect);
    if (waiting === undefined) this.#waiting[side].set(effect, { num, who });
    else {
      waiting.num += num;
      if (waiting.who !== who) waiting.who = "";
    }
  }

  /** Hearts rise. @param {number} count */
  like(count) {
    if (this.still) return;
    for (let i = 0; i < Math.min(count, 12); i++) {
      this.#bit("heart", this.width * (0.93 + 0.04 * this.#random()), 88 + 6 * this.#random(), -4 + 8 * this.#random(), -26 - 14 * this.#random(), 2.2);
    }
  }

  /** Somebody's gift of whom it is not known for whom: it comes down in the middle. */
  drop() {
    if (!this.still) this.#bit("gift", this.width * (0.4 + 0.2 * this.#random()), 20, 0, 22, 2);
  }

  /** Where the front goes: the blue share of all power. @param {number} share 0 to 1 */
  lean(share) {
    this.#wanted = 0.36 + 0.28 * share;
    if (this.still) this.front = this.#wanted;
  }

  clear() {
    this.figures = [];
    this.flags = [];
    this.#waiting = { blue: new Map(), red: new Map() };
  }

  /** Whether anything will look different in the next frame. */
  get busy() {
    if (this.bits.length > 0 || this.flags.length > 0 || this.cheer.blue > 0 || this.cheer.red > 0) return true;
    if (SIDES.some((side) => this.#waiting[side].size > 0)) return true;
    if (Math.abs(this.front - this.#wanted) > 0.001) return true;
    return this.figures.some((figure) => figure.charging || figure.x !== this.#place(figure));
  }

  /** @param {number} dt seconds since the last step */
  step(dt) {
    for (const side of SIDES) {
      this.#arrive(side, dt);
      this.cheer[side] = Math.max(0, this.cheer[side] - dt);
    }
    this.front += (this.#wanted - this.front) * Math.min(1, dt * 1.5);
    if (Math.abs(this.front - this.#wanted) < 0.001) this.front = this.#wanted;
    for (const figure of this.figures) this.#march(figure, dt);
    this.figures = this.figures.filter((figure) => !this.#falls(figure));
    this.#fly(dt);
    this.#fight(dt);
  }

  /**
   * @param {Side} side
   * @param {number} dt
   */
  #arrive(side, dt) {
    this.#gap[side] -= dt;
    const next = this.#waiting[side].entries().next().value;
    if (next === undefined || this.#gap[side] > 0) return;
    const [effect, { num, who }] = next;
    this.#waiting[side].delete(effect);
    this.#gap[side] = this.still ? 0 : ARRIVAL_GAP;
    if (effect === "soldier" || effect === "general") this.#enlist(side, effect, num);
    else this.#bless(side, effect, num);
    this.#raise(side, effect, num, who);
  }

  /**
   * @param {Side} side
   * @param {Kind} kind
   * @param {number} num
   */
  #enlist(side, kind, num) {
    const shown = Math.min(num, kind === "general" ? 2 : GROUP_MAX);
    for (let i = 0; i < shown; i++) {
      const slot = this.#freeSlot(side);
      const figure = { side, kind, x: 0, row: slot % ROWS, slot, step: this.#random() * 8, charging: false, delay: this.still ? 0 : i * 0.16 };
      figure.x = this.still ? this.#place(figure) : this.gate(side);
      this.figures.push(figure);
    }
  }

  /** A place in the formation; where there is none, the first one in it charges. @param {Side} side */
  #freeSlot(side) {
    const own = this.figures.filter((figure) => figure.side === side && !figure.charging);
    if (own.length >= TROOPS_MAX) {
      const first = own[0];
      first.charging = true;
      return first.slot;
    }
    const taken = new Set(own.map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    return slot;
  }

  /**
   * @param {Side} side
   * @param {string} effect
   * @param {number} num
   */
  #bless(side, effect, num) {
    this.cheer[side] = this.still ? 0 : 1.6;
    if (this.still) return;
    const kind = effect === "heal" ? "plus" : effect === "cheer" ? "petal" : "gift";
    const middle = effect === "heal" ? this.gate(side) : this.#middle(side);
    for (let i = 0; i < Math.min(4 + num, 16); i++) {
      const x = middle + (this.#random() - 0.5) * 34;
      if (kind === "plus") this.#bit(kind, x, 70 + 20 * this.#random(), 0, -9 - 8 * this.#random(), 1.6);
      else this.#bit(kind, x, 18 + 30 * this.#random(), (this.#random() - 0.5) * 8, 12 + 10 * this.#random(), 2.2);
    }
  }

  /**
   * @param {Side} side
   * @param {string} effect
   * @param {number} num
   * @param {string} who
   */
  #raise(side, effect, num, who) {
    const what = `+${num} ${effect}${num === 1 || effect.endsWith("s") ? "" : "s"}`;
    const text = who === "" ? what : `${who}  ${what}`;
    const row = this.flags.filter((flag) => flag.side === side).length;
    this.flags.push({ text, side, x: this.gate(side), y: 48 - 8 * (row % 3), age: 0 });
    if (this.flags.length > FLAGS_MAX) this.flags.shift();
  }

  /** Where a side's troops come from. @param {Side} side */
  gate(side) {
    const inset = Math.min(26, this.width * 0.11);
    return side === "blue" ? inset : this.width - inset;
  }

  /** The middle of a side's formation. @param {Side} side */
  #middle(side) {
    return this.front * this.width + (side === "blue" ? -30 : 30);
  }

  /** Where a figure belongs. @param {Figure} figure */
  #place({ side, kind, slot, row }) {
    const gap = Math.min(10, (this.width * 0.26) / COLUMNS);
    const back = 9 + Math.floor(slot / ROWS) * gap + (row % 2) * gap * 0.45 + (kind === "general" ? 3 : 0);
    return this.front * this.width + (side === "blue" ? -back : back);
  }

  /**
   * @param {Figure} figure
   * @param {number} dt
   */
  #march(figure, dt) {
    if (figure.delay > 0) {
      figure.delay -= dt;
      return;
    }
    const to = figure.charging ? this.front * this.width : this.#place(figure);
    const way = to - figure.x;
    const most = (figure.charging ? 1.6 : 1) * SPEED * (figure.kind === "general" ? 0.8 : 1) * dt;
    figure.x = Math.abs(way) <= most ? to : figure.x + Math.sign(way) * most;
    if (Math.abs(way) > 0.3) figure.step += dt * 11;
    else figure.step = Math.round(figure.step / 4) * 4; // at rest: feet together
  }

  /** Who has reached the front, charging, is gone in a puff. @param {Figure} figure */
  #falls({ charging, x, row }) {
    if (!charging || Math.abs(x - this.front * this.width) > 1) return false;
    if (!this.still) this.#bit("puff", x, rowY(row) - 5, 0, -3, 0.5);
    return true;
  }

  /** @param {number} dt */
  #fight(dt) {
    this.#clash -= dt;
    if (this.still || this.#clash > 0) return;
    this.#clash = 0.35 + this.#random() * 0.5;
    const meets = SIDES.every((side) => this.figures.some((figure) => figure.side === side && figure.slot < ROWS && figure.x === this.#place(figure)));
    if (meets && this.busy) this.#bit("spark", this.front * this.width + (this.#random() - 0.5) * 5, rowY(Math.floor(this.#random() * ROWS)) - 7, 0, -4, 0.35);
  }

  /** @param {number} dt */
  #fly(dt) {
    for (const bit of this.bits) {
      bit.age += dt;
      bit.x += bit.vx * dt;
      bit.y += bit.vy * dt;
    }
    this.bits = this.bits.filter(({ age, life }) => age < life);
    for (const flag of this.flags) flag.age += dt;
    this.flags = this.flags.filter(({ age }) => age < FLAG_LIFE);
  }

  /**
   * @param {BitKind} kind
   * @param {number} x
   * @param {number} y
   * @param {number} vx
   * @param {number} vy
   * @param {number} life
   */
  #bit(kind, x, y, vx, vy, life) {
    if (this.bits.length < BITS_MAX) this.bits.push({ kind, x, y, vx, vy, age: 0, life });
  }
}

/** Where the feet of a row are. @param {number} row */
export const rowY = (row) => 74 + row * 4.6;
