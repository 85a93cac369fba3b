// Paints the scene as it is now.

import { STEPS } from "./figures.js";
import { rowY, SIDES } from "./scene.js";

/** @import { Figures, Sprite } from "./figures.js" */
/** @import { Bit, Flag, Scene } from "./scene.js" */
/** @typedef {CanvasRenderingContext2D} Pen */

const TEXT_MAX = 34; // characters of a flag
export const GROWN = 1.35; // figures, beside their drawing

/**
 * @param {Pen} pen scaled to units of the scene
 * @param {Scene} scene
 * @param {Figures} figures
 * @param {number} time seconds
 */
export function paint(pen, scene, figures, time) {
  pen.clearRect(0, 0, scene.width, 100);
  const marching = scene.figures.filter(({ delay }) => delay <= 0).sort((a, b) => a.row - b.row);
  for (const { side, kind, x, row, step } of marching) {
    const hop = scene.cheer[side] > 0 ? Math.abs(Math.sin(time * 9 + row + x)) * 2.2 : 0;
    put(pen, figures.figure(side, kind, Math.floor(step) % STEPS), x, rowY(row) - hop, GROWN);
  }
  for (const bit of scene.bits) flying(pen, figures, bit);
  pen.globalAlpha = 1;
  for (const flag of scene.flags) raised(pen, flag, scene.width);
  pen.globalAlpha = 1;
}

/** Makes the pictures of a march before the first one, which would else stutter. @param {Figures} figures */
export function prepare(figures) {
  for (const side of SIDES) for (let step = 0; step < STEPS; step++) figures.figure(side, "soldier", step);
}

/** @param {Pen} pen @param {Sprite} sprite @param {number} x @param {number} y @param {number} [size] */
function put(pen, { image, width, height }, x, y, size = 1) {
  pen.drawImage(image, x - (width * size) / 2, y - (height - 1) * size, width * size, height * size);
}

/** @param {Pen} pen @param {Figures} figures @param {Bit} bit */
function flying(pen, figures, { kind, x, y, age, life }) {
  pen.globalAlpha = Math.min(1, (life - age) * 3);
  put(pen, figures.bit(kind), x, y);
}

/** @param {Pen} pen @param {Flag} flag @param {number} width */
function raised(pen, { text, side, x, y, age }, width) {
  const said = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 1)}…` : text;
  pen.font = "700 4.4px system-ui, sans-serif";
  const half = pen.measureText(said).width / 2 + 2.6;
  const middle = Math.max(half + 2, Math.min(width - half - 2, x));
  pen.globalAlpha = Math.min(1, age * 6, (2.6 - age) * 3);
  const rise = Math.min(1, age * 3) * 4;
  pen.fillStyle = side === "blue" ? "#1d4fa6" : "#a32532";
  pen.beginPath();
  pen.roundRect(middle - half, y - rise - 4.2, half * 2, 7, 3.5);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(said, middle, y - rise - 0.5);
}
