// The figures, drawn once for a size and then copied: a frame of 90 of them costs 90 copies.

/** @import { BitKind, Kind, Side } from "./scene.js" */
/** @typedef {{ image: HTMLCanvasElement, width: number, height: number }} Sprite lengths in units of the scene */
/** @typedef {CanvasRenderingContext2D} Pen */

export const STEPS = 8; // pictures of a walk

/** @type {Record<Side, { cloth: string, dark: string, light: string }>} */
const COLOURS = {
  blue: { cloth: "#2f78ea", dark: "#1a4fa8", light: "#9cc4ff" },
  red: { cloth: "#de4551", dark: "#9c2430", light: "#ffb3b0" },
};
const SKIN = "#f2c9a0";
const STEEL = "#d5dbe8";
const STEEL_DARK = "#8d97ad";
const WOOD = "#7a5230";
const GOLD = "#ffc23d";

/** Draws the figures of one size. */
export class Figures {
  #scale;
  /** @type {Map<string, Sprite>} */
  #made = new Map();

  /** @param {number} scale device pixels a unit of the scene */
  constructor(scale) {
    this.#scale = scale;
  }

  /**
   * @param {Side} side
   * @param {Kind} kind
   * @param {number} step 0 to below STEPS
   */
  figure(side, kind, step) {
    return this.#once(`${side}${kind}${step}`, kind === "soldier" ? [12, 16] : [20, 24], (pen) => {
      if (side === "red") pen.scale(-1, 1); // they look at each other
      if (kind === "soldier") soldier(pen, COLOURS[side], step);
      else general(pen, COLOURS[side], step);
    });
  }

  /** @param {BitKind} kind */
  bit(kind) {
    return this.#once(kind, [6, 6], BITS[kind]);
  }

  /**
   * @param {string} name
   * @param {[number, number]} size
   * @param {(pen: Pen) => void} draw with the origin at the middle of the lower edge
   * @returns {Sprite}
   */
  #once(name, [width, height], draw) {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const image = document.createElement("canvas");
    image.width = Math.ceil(width * this.#scale);
    image.height = Math.ceil(height * this.#scale);
    const pen = image.getContext("2d");
    if (pen !== null) {
      pen.scale(this.#scale, this.#scale);
      pen.translate(width / 2, height - 1);
      pen.lineCap = pen.lineJoin = "round";
      draw(pen);
    }
    const sprite = { image, width, height };
    this.#made.set(name, sprite);
    return sprite;
  }
}

/**
 * @param {Pen} pen
 * @param {typeof COLOURS.blue} colour
 * @param {number} step
 */
function soldier(pen, colour, step) {
  const swing = Math.sin((step / STEPS) * Math.PI * 2);
  const bob = Math.abs(swing) * 0.5;
  shadow(pen, 3.6);
  leg(pen, -0.7, -swing * 1.8, colour.dark);
  leg(pen, 0.7, swing * 1.8, "#2b2f45");
  pen.translate(0, -bob);
  line(pen, [2.6, -0.5, 3.6, -14], WOOD, 0.6); // spear
  shape(pen, [3.1, -13.4, 3.65, -15, 4.2, -13.3], STEEL);
  shape(pen, [-2.1, -3.4, -1.7, -8, 1.7, -8, 2.1, -3.4], colour.cloth); // tunic
  line(pen, [-2, -4.4, 2, -4.4], GOLD, 0.5);
  disc(pen, 0, -9.4, 1.9, SKIN);
  helmet(pen, 0, -9.7, 2.1);
  shape(pen, [-0.3, -11.5, -2.6, -12.8, -2.2, -11], colour.cloth); // plume
  disc(pen, 1, -9, 0.28, "#33261a");
  shield(pen, 1.2, -5.6, colour);
}

/**
 * @param {Pen} pen
 * @param {typeof COLOURS.blue} colour
 * @param {number} step
 */
function general(pen, colour, step) {
  const swing = Math.sin((step / STEPS) * Math.PI * 2);
  shadow(pen, 7.5);
  for (const [x, way] of [[-4.6, swing], [-3.2, -swing], [3.4, -swing], [4.8, swing]]) line(pen, [x, -5, x + way * 1.5, -0.3], "#5c3d22", 1.2);
  pen.translate(0, -Math.abs(swing) * 0.6);
  pen.fillStyle = "#8b5e36"; // the horse
  pen.beginPath();
  pen.ellipse(0, -6.4, 6.2, 2.9, 0, 0, Math.PI * 2);
  pen.fill();
  shape(pen, [3, -7, 6.2, -13.5, 8.9, -11.2, 8.4, -9.9, 6.6, -10.2, 5.6, -5], "#8b5e36");
  shape(pen, [3.4, -8, 5.4, -13.2, 6.4, -13.6, 4.6, -7.4], "#4a3019"); // mane
  line(pen, [-5.8, -7.4, -7.8, -4], "#4a3019", 1.2);
  shape(pen, [-3.4, -9.2, 2.4, -9.2, 3, -4.6, -4, -4.6], colour.cloth); // caparison
  line(pen, [-4, -4.7, 3, -4.7], GOLD, 0.6);
  disc(pen, 7, -11.6, 0.3, "#1d1208");
  shape(pen, [-1, -15, -5.6, -9, -1.6, -8.6], colour.dark); // cape
  shape(pen, [-1.9, -8.6, -1.6, -14.6, 1.8, -14.6, 2, -8.6], STEEL);
  line(pen, [-1.8, -11.4, 1.8, -11.4], GOLD, 0.6);
  disc(pen, 0.1, -16.3, 2, SKIN);
  helmet(pen, 0.1, -16.6, 2.3);
  shape(pen, [0, -18.8, -3.6, -20.6, -3, -17.6], GOLD);
  disc(pen, 1.2, -15.9, 0.3, "#33261a");
  line(pen, [3.4, -9, 4.4, -22.2], WOOD, 0.7); // banner
  shape(pen, [4.35, -22, 4, -17, -1.6, -18, 0.2, -20, -1.2, -22.4], colour.cloth);
  disc(pen, 2.2, -19.8, 1, GOLD);
}

/** @param {Pen} pen @param {number} x @param {number} y @param {number} r */
function helmet(pen, x, y, r) {
  pen.fillStyle = STEEL;
  pen.beginPath();
  pen.arc(x, y, r, Math.PI * 0.98, Math.PI * 2.02);
  pen.fill();
  line(pen, [x - r, y, x + r + 0.5, y], STEEL_DARK, 0.5);
}

/** @param {Pen} pen @param {number} x @param {number} y @param {typeof COLOURS.blue} colour */
function shield(pen, x, y, colour) {
  pen.beginPath();
  pen.moveTo(x - 1.7, y - 1.8);
  pen.lineTo(x + 1.7, y - 1.8);
  pen.quadraticCurveTo(x + 1.7, y + 1.5, x, y + 2.6);
  pen.quadraticCurveTo(x - 1.7, y + 1.5, x - 1.7, y - 1.8);
  pen.fillStyle = colour.light;
  pen.fill();
  pen.strokeStyle = colour.dark;
  pen.lineWidth = 0.5;
  pen.stroke();
}

/** @param {Pen} pen @param {number} half */
function shadow(pen, half) {
  pen.fillStyle = "rgb(0 0 0 / 22%)";
  pen.beginPath();
  pen.ellipse(0, 0, half, 0.9, 0, 0, Math.PI * 2);
  pen.fill();
}

/** @param {Pen} pen @param {number} x @param {number} way @param {string} colour */
function leg(pen, x, way, colour) {
  line(pen, [x, -3.6, x + way, -0.3], colour, 1.3);
}

/** @param {Pen} pen @param {number[]} points x and y in turn @param {string} colour @param {number} width */
function line(pen, points, colour, width) {
  trace(pen, points);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke();
}

/** @param {Pen} pen @param {number[]} points @param {string} colour */
function shape(pen, points, colour) {
  trace(pen, points);
  pen.closePath();
  pen.fillStyle = colour;
  pen.fill();
}

/** @param {Pen} pen @param {number[]} points */
function trace(pen, points) {
  pen.beginPath();
  for (let i = 0; i < points.length; i += 2) pen.lineTo(points[i], points[i + 1]);
}

/** @param {Pen} pen @param {number} x @param {number} y @param {number} r @param {string} colour */
function disc(pen, x, y, r, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, r, 0, Math.PI * 2);
  pen.fill();
}

/** @type {Record<BitKind, (pen: Pen) => void>} */
const BITS = {
  heart(pen) {
    pen.fillStyle = "#ff5d7a";
    pen.beginPath();
    pen.moveTo(0, 0);
    pen.bezierCurveTo(-4.5, -3, -2.2, -6, 0, -3.6);
    pen.bezierCurveTo(2.2, -6, 4.5, -3, 0, 0);
    pen.fill();
  },
  petal(pen) {
    pen.fillStyle = "#f0516f";
    pen.beginPath();
    pen.ellipse(0, -2.4, 1, 1.9, 0.6, 0, Math.PI * 2);
    pen.fill();
  },
  plus(pen) {
    line(pen, [0, -0.6, 0, -4.4], "#3ad081", 1.3);
    line(pen, [-1.9, -2.5, 1.9, -2.5], "#3ad081", 1.3);
  },
  spark(pen) {
    shape(pen, [0, -5, 0.6, -3.1, 2.5, -2.5, 0.6, -1.9, 0, 0, -0.6, -1.9, -2.5, -2.5, -0.6, -3.1], "#fff3c4");
  },
  puff(pen) {
    for (const [x, y, r] of [[-1.2, -1.6, 1.3], [1.2, -1.7, 1.2], [0, -2.8, 1.4]]) disc(pen, x, y, r, "rgb(255 255 255 / 75%)");
  },
  gift(pen) {
    shape(pen, [-2, 0, -2, -3.4, 2, -3.4, 2, 0], "#8a63f0");
    line(pen, [0, 0, 0, -3.4], GOLD, 0.8);
    line(pen, [-1.3, -4.6, 0, -3.5, 1.3, -4.6], GOLD, 0.6);
  },
};
