// What does not move: sky, hills, the two castles. Drawn when the size or the colour scheme changes.

import { HEIGHT } from "./scene.js";

/** @typedef {CanvasRenderingContext2D} Pen */

const GROUND = 73.5; // on which the castles stand

/** @typedef {{ sky: string[], sun: string, halo: string, hills: string[], field: string[], path: string, stone: string, edge: string, night: boolean }} Light */

/** @type {Light} */
const DAY = {
  sky: ["#62b3ea", "#a9dbf5", "#f4efcf"],
  sun: "#fff6cf",
  halo: "rgb(255 246 207 / 45%)",
  hills: ["#9dc9a8", "#7fb585", "#66a067"],
  field: ["#82b857", "#5f9440"],
  path: "#c9ad78",
  stone: "#e6dfcf",
  edge: "#a89d87",
  night: false,
};

/** @type {Light} */
const NIGHT = {
  sky: ["#0f1638", "#263a72", "#51508a"],
  sun: "#f2ecd8",
  halo: "rgb(242 236 216 / 18%)",
  hills: ["#2c3f6b", "#24375a", "#1f324b"],
  field: ["#2f5146", "#1e3831"],
  path: "#6d6552",
  stone: "#8f93a8",
  edge: "#565b75",
  night: true,
};

/**
 * @param {Pen} pen scaled to units of the scene
 * @param {number} width
 * @param {boolean} night
 */
export function scenery(pen, width, night) {
  const light = night ? NIGHT : DAY;
  sky(pen, width, light);
  hill(pen, width, { y: 56, rise: 11, waves: 2.1, shift: 0.6 }, light.hills[0]);
  hill(pen, width, { y: 61, rise: 8, waves: 3.2, shift: 2.4 }, light.hills[1]);
  hill(pen, width, { y: 65, rise: 5, waves: 4.6, shift: 4.1 }, light.hills[2]);
  field(pen, width, light);
  const size = Math.min(1, width / 200); // narrow stages have smaller castles
  for (const [x, cloth] of /** @type {[number, string][]} */ ([[20 * size, "#2f78ea"], [width - 20 * size, "#de4551"]])) {
    pen.save();
    pen.translate(x, GROUND * (1 - size));
    pen.scale(size, size);
    castle(pen, 0, light, cloth);
    pen.restore();
  }
}

/** @param {Pen} pen @param {number} width @param {Light} light */
function sky(pen, width, light) {
  const air = pen.createLinearGradient(0, 0, 0, 70);
  light.sky.forEach((colour, i) => air.addColorStop(i / 2, colour));
  pen.fillStyle = air;
  pen.fillRect(0, 0, width, HEIGHT);
  if (light.night) {
    for (let i = 0; i < 60; i++) {
      pen.fillStyle = `rgb(255 255 255 / ${20 + ((i * 37) % 60)}%)`;
      pen.fillRect(scatter(i) * width, scatter(i + 0.5) * 46, 0.45, 0.45);
    }
  }
  circle(pen, width * 0.68, 30, 13, light.halo);
  circle(pen, width * 0.68, 30, 7.5, light.sun);
  if (light.night) return;
  for (const [x, y, size] of [[0.2, 32, 1], [0.47, 26, 0.7], [0.86, 34, 0.85]]) cloud(pen, width * x, y, size);
}

/** @param {Pen} pen @param {number} x @param {number} y @param {number} size */
function cloud(pen, x, y, size) {
  pen.fillStyle = "rgb(255 255 255 / 80%)";
  pen.beginPath();
  for (const [dx, dy, r] of [[-6, 0, 3.2], [-1.5, -2, 4.2], [3.6, -1, 3.6], [7.6, 0.6, 2.4]]) {
    pen.moveTo(x + dx * size, y + dy * size);
    pen.arc(x + dx * size, y + dy * size, r * size, 0, Math.PI * 2);
  }
  pen.fill();
}

/**
 * @param {Pen} pen
 * @param {number} width
 * @param {{ y: number, rise: number, waves: number, shift: number }} form
 * @param {string} colour
 */
function hill(pen, width, { y, rise, waves, shift }, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(0, HEIGHT);
  for (let x = 0; x <= width + 2; x += 2) pen.lineTo(x, y - rise * (0.5 + 0.5 * Math.sin((x / 200) * waves * Math.PI + shift)));
  pen.lineTo(width, HEIGHT);
  pen.fill();
}

/** @param {Pen} pen @param {number} width @param {Light} light */
function field(pen, width, { field, path }) {
  const grass = pen.createLinearGradient(0, 66, 0, HEIGHT);
  grass.addColorStop(0, field[0]);
  grass.addColorStop(1, field[1]);
  pen.fillStyle = grass;
  pen.fillRect(0, 66, width, HEIGHT - 66);
  pen.fillStyle = path;
  pen.globalAlpha = 0.5;
  pen.beginPath();
  pen.ellipse(width / 2, 83.5, width * 0.42, 11, 0, 0, Math.PI * 2);
  pen.fill();
  pen.globalAlpha = 1;
  pen.strokeStyle = field[1];
  pen.lineWidth = 0.4;
  pen.beginPath();
  for (let i = 0; i < width / 4; i++) {
    const x = scatter(i) * width;
    const y = 69 + scatter(i + 0.5) * 30;
    pen.moveTo(x - 0.8, y);
    pen.lineTo(x - 0.3, y - 1.6);
    pen.moveTo(x, y);
    pen.lineTo(x + 0.6, y - 1.4);
  }
  pen.stroke();
}

/** From 0 to below 1, without a pattern and always the same. @param {number} i */
const scatter = (i) => Math.abs(Math.sin(i * 127.1 + 311.7) * 43758.5453) % 1;

/** @param {Pen} pen @param {number} x @param {Light} light @param {string} cloth */
function castle(pen, x, light, cloth) {
  wall(pen, light, x - 11, 46, 22, 27);
  tower(pen, light, x - 15, 35, 9, 39, cloth);
  tower(pen, light, x + 6, 35, 9, 39, cloth);
  tower(pen, light, x - 5, 28, 10, 24, cloth);
  pen.fillStyle = "#3a2f26"; // gate
  pen.beginPath();
  pen.moveTo(x - 4, 73.5);
  pen.lineTo(x - 4, 63);
  pen.arc(x, 63, 4, Math.PI, 0);
  pen.lineTo(x + 4, 73.5);
  pen.fill();
  pen.strokeStyle = light.edge;
  pen.lineWidth = 0.8;
  pen.stroke();
  window_(pen, x, 40, light);
  window_(pen, x - 10.5, 49, light);
  window_(pen, x + 10.5, 49, light);
}

/** @param {Pen} pen @param {Light} light @param {number} x @param {number} y @param {number} w @param {number} h */
function wall(pen, light, x, y, w, h) {
  pen.fillStyle = light.stone;
  pen.strokeStyle = light.edge;
  pen.lineWidth = 0.5;
  pen.beginPath();
  pen.rect(x, y, w, h);
  pen.fill();
  pen.stroke();
  const teeth = Math.max(3, Math.round(w / 3.2));
  const tooth = w / (teeth * 2 - 1);
  for (let i = 0; i < teeth; i++) {
    pen.fillRect(x + i * 2 * tooth, y - 2, tooth, 2.2);
    pen.strokeRect(x + i * 2 * tooth, y - 2, tooth, 2);
  }
}

/**
 * @param {Pen} pen @param {Light} light
 * @param {number} x @param {number} y @param {number} w @param {number} h
 * @param {string} cloth
 */
function tower(pen, light, x, y, w, h, cloth) {
  wall(pen, light, x, y, w, h);
  const middle = x + w / 2;
  pen.strokeStyle = light.edge;
  pen.lineWidth = 0.6;
  pen.beginPath();
  pen.moveTo(middle, y - 2);
  pen.lineTo(middle, y - 11);
  pen.stroke();
  pen.fillStyle = cloth;
  pen.beginPath();
  pen.moveTo(middle, y - 11);
  pen.lineTo(middle + 6, y - 9.2);
  pen.lineTo(middle, y - 6.8);
  pen.fill();
}

/** @param {Pen} pen @param {number} x @param {number} y @param {Light} light */
function window_(pen, x, y, light) {
  pen.fillStyle = light.night ? "#ffd27a" : "#4b4a55";
  pen.beginPath();
  pen.rect(x - 0.8, y - 1.4, 1.6, 3);
  pen.arc(x, y - 1.4, 0.8, Math.PI, 0);
  pen.fill();
}

/** @param {Pen} pen @param {number} x @param {number} y @param {number} r @param {string} colour */
function circle(pen, x, y, r, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, r, 0, Math.PI * 2);
  pen.fill();
}
