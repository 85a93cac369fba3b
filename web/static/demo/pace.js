// How fast the own gifts are: until they are safe, and until they are delivered.

import uPlot from "../vendor/uplot/uPlot.esm.js";

import { byId, seldom, write } from "./dom.js";
import { span } from "./words.js";

/** @import * as api from "../giftwire.js" */

const POINTS_MAX = 60;
const DRAW_MS = 200;

export class Pace {
  #chart;
  #host = byId("pace-chart", HTMLElement);
  #accept = byId("pace-accept", HTMLElement);
  #result = byId("pace-result", HTMLElement);
  /** @type {Map<string, { accept: number, result: number | null }>} */
  #points = new Map();

  constructor() {
    this.#chart = this.#make();
    new ResizeObserver(() => this.#chart.setSize(this.#size())).observe(this.#host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#chart.destroy();
      this.#chart = this.#make();
      this.#draw();
    });
  }

  /** @param {api.Gift} gift */
  show({ id, sentAt, acceptedAt, decidedAt, state, restored }) {
    if (sentAt === undefined || acceptedAt === undefined || restored) return;
    const result = decidedAt !== undefined && state === "delivered" ? decidedAt - sentAt : null;
    this.#points.set(id, { accept: acceptedAt - sentAt, result });
    if (this.#points.size > POINTS_MAX) this.#points.delete(this.#points.keys().next().value ?? "");
    this.#draw();
  }

  #draw = seldom(DRAW_MS, () => {
    const points = [...this.#points.values()];
    const last = points.at(-1);
    if (last === undefined) return;
    write(this.#accept, span(last.accept));
    const known = points.findLast(({ result }) => result !== null)?.result;
    if (known != null) write(this.#result, span(known));
    // A place for at least ten, so that the first do not jump about.
    const x = Array.from({ length: Math.max(10, points.length) }, (_, i) => i);
    this.#chart.setData([x, x.map((i) => points[i]?.accept), x.map((i) => points[i]?.result)]);
  });

  #size() {
    return { width: Math.max(50, this.#host.clientWidth), height: Math.max(50, this.#host.clientHeight) };
  }

  #make() {
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const font = `11px ${colour("--sans")}`;
    const line = (/** @type {string} */ name) => ({ stroke: colour(name), width: 2, points: { show: true, size: 5, fill: colour(name) } });
    return new uPlot(
      {
        ...this.#size(),
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 4, 8, 0],
        scales: { x: { time: false }, y: { range: (_, _min, max) => [0, Math.max(10, (max || 0) * 1.15)] } },
        axes: [
          { show: false },
          {
            size: 44,
            font,
            stroke: colour("--soft"),
            grid: { stroke: colour("--line"), width: 1 },
            ticks: { show: false },
            space: 26,
            values: (_, ticks) => ticks.map((ms) => (ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`)),
          },
        ],
        series: [{}, line("--blue"), line("--good")],
      },
      [[], [], []],
      this.#host,
    );
  }
}
