// Makes things go wrong, and starts and ends the game. What is switched is the simulator's, so all
// tabs share it; each looks at it again in a while.

import { byId } from "../dom.js";
import { fail, heal, rules, setState, settle, start, state } from "./sim.js";

/** @import { Session } from "../session.js" */
/** @import { Fault, Rule } from "./sim.js" */

const CUT_MS = 5000;
const LOOK_MS = 2000;

/** @typedef {{ id: string, says: string, fault: Fault, is: (rule: Rule) => boolean }} Trouble */

/** @type {Trouble[]} */
const TROUBLES = [
  { id: "zego-fails", says: "ZEGO fails", fault: { lost: true, reply: "html", status: 502 }, is: ({ fault }) => fault.lost === true },
  { id: "zego-slow", says: "ZEGO is slow", fault: { after_ms: 2000 }, is: ({ fault }) => (fault.after_ms ?? 0) > 0 },
];

export class Switches {
  #session;
  #leader;

  /**
   * @param {Session} session
   * @param {() => number} leader the number of the team that is ahead, from 1
   */
  constructor(session, leader) {
    this.#session = session;
    this.#leader = leader;
    for (const trouble of TROUBLES) this.#wire(trouble);
    const notStarted = byId("zego-not-started", HTMLInputElement);
    notStarted.addEventListener("change", () => this.#do(() => setState(notStarted.checked ? "not_started" : "running")));
    byId("game-start", HTMLButtonElement).addEventListener("click", () => this.#do(() => start(session.room.welcome?.game.mini_game_id ?? "")));
    byId("game-settle", HTMLButtonElement).addEventListener("click", () => this.#do(() => settle(this.#leader(), 0)));
    this.#scissors();
    this.#look();
    setInterval(() => {
      if (document.visibilityState === "visible") this.#look();
    }, LOOK_MS);
  }

  /** @param {Trouble} trouble */
  #wire({ id, fault, is }) {
    const box = byId(id, HTMLInputElement);
    box.addEventListener("change", () =>
      this.#do(async () => {
        if (box.checked) return fail(fault);
        for (const rule of (await rules()).filter(is)) await heal(rule.id);
      }),
    );
  }

  #scissors() {
    const button = byId("cut", HTMLButtonElement);
    button.addEventListener("click", () => {
      this.#session.scissors.cut(CUT_MS);
      button.disabled = true;
      setTimeout(() => (button.disabled = false), CUT_MS);
    });
  }

  /** @param {() => Promise<unknown>} work */
  async #do(work) {
    try {
      await work();
    } catch {
      // The server is away. What is true is looked at again below.
    }
    await this.#look();
  }

  async #look() {
    try {
      const [held, phase] = await Promise.all([rules(), state()]);
      const on = TROUBLES.filter(({ is }) => held.some(is));
      for (const { id } of TROUBLES) byId(id, HTMLInputElement).checked = on.some((trouble) => trouble.id === id);
      byId("zego-not-started", HTMLInputElement).checked = phase === "not_started";
      const says = [...on.map((trouble) => trouble.says), ...(phase === "not_started" ? ["game not started"] : [])];
      const shown = byId("zego-trouble", HTMLElement);
      shown.textContent = says.join(" · ");
      shown.hidden = says.length === 0;
    } catch {
      // As above; the connection's state is told at the head of the page.
    }
  }
}
