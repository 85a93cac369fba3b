// Tells screen readers what happens in the room: one sentence in a while, not each gift.

import { byId, seldom, write } from "./dom.js";
import { several } from "./words.js";

const EVERY_MS = 5000;
const NAMED_MAX = 2; // sentences said in full at a time; the rest is a number

export class Herald {
  /** @type {string[]} */
  #said = [];
  #more = 0;
  #place = byId("herald", HTMLElement);

  /** @param {string} sentence */
  tell(sentence) {
    if (this.#said.length < NAMED_MAX) this.#said.push(sentence);
    else this.#more++;
    this.#speak();
  }

  #speak = seldom(EVERY_MS, () => {
    const more = this.#more > 0 ? ` And ${several(this.#more, "more event")}.` : "";
    write(this.#place, this.#said.join(" ") + more);
    this.#said = [];
    this.#more = 0;
  });
}
