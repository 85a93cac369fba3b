// The stage: keeps the canvases at their size, and draws once an animation frame while something
// moves.

import { byId } from "../dom.js";
import { Figures } from "./figures.js";
import { GROWN, paint, prepare } from "./paint.js";
import { HEIGHT, Scene } from "./scene.js";
import { scenery } from "./scenery.js";

const PIXELS_MAX = 2; // device pixels a CSS pixel: more costs time, and nobody sees it
const STEP_MAX = 0.1; // seconds: after a pause the play goes on where it was

export class Stage {
  #back = byId("scenery", HTMLCanvasElement);
  #play = byId("play", HTMLCanvasElement);
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  #night = matchMedia("(prefers-color-scheme: dark)");
  #scene = new Scene(this.#calm.matches);
  #figures = new Figures(1);
  #asked = false;
  #last = 0;

  constructor() {
    new ResizeObserver(() => this.#fit()).observe(this.#play);
    this.#night.addEventListener("change", () => this.#fit());
    this.#calm.addEventListener("change", () => {
      this.#scene.still = this.#calm.matches;
      this.wake();
    });
    this.#fit();
  }

  get scene() {
    return this.#scene;
  }

  /** Something has changed. */
  wake() {
    if (this.#asked) return;
    this.#asked = true;
    this.#last = performance.now();
    requestAnimationFrame((now) => this.#frame(now));
  }

  /** @param {number} now */
  #frame(now) {
    const dt = Math.min(STEP_MAX, Math.max(0, (now - this.#last) / 1000));
    this.#last = now;
    this.#scene.step(dt);
    this.#draw(now / 1000);
    this.#asked = this.#scene.busy;
    if (this.#asked) requestAnimationFrame((next) => this.#frame(next));
  }

  /** @param {number} time */
  #draw(time) {
    const pen = this.#play.getContext("2d");
    if (pen !== null) paint(pen, this.#scene, this.#figures, time);
  }

  #fit() {
    const { clientWidth, clientHeight } = this.#play;
    if (clientWidth === 0 || clientHeight === 0) return;
    const pixels = Math.min(PIXELS_MAX, devicePixelRatio);
    const scale = (clientHeight * pixels) / HEIGHT;
    this.#scene.width = (clientWidth * pixels) / scale;
    for (const canvas of [this.#back, this.#play]) {
      canvas.width = Math.round(clientWidth * pixels);
      canvas.height = Math.round(clientHeight * pixels);
      canvas.getContext("2d")?.setTransform(scale, 0, 0, scale, 0, 0);
    }
    const pen = this.#back.getContext("2d");
    if (pen !== null) scenery(pen, this.#scene.width, this.#night.matches);
    this.#figures = new Figures(scale * GROWN);
    prepare(this.#figures);
    this.#draw(0);
    this.wake();
  }
}
