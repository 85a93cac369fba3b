// What happens in the room, the newest first: gifts and comments of everybody. In a storm it shows
// some, and counts the rest.

import { picture } from "./art.js";
import { byId, el, seldom } from "./dom.js";
import { amount, outcome } from "./effects.js";
import { number } from "./words.js";

/** @import * as api from "../giftwire.js" */
/** @import { Teams } from "./teams.js" */

const ROWS_MAX = 60;
const DRAW_MS = 250;
const NEW_MAX = 6; // rows a drawing

/** @typedef {{ gift: api.DeliveredGift, times: number }} Given one gift, or several equal ones of a viewer */

export class Feed {
  #list = byId("feed", HTMLElement);
  /** @type {(Given | api.Comment | string)[]} */
  #news = [];
  #uncounted = 0;
  #find;
  #teams;

  /**
   * @param {(gift_id: string) => api.MenuGift | undefined} find
   * @param {Teams} teams
   */
  constructor(find, teams) {
    this.#find = find;
    this.#teams = teams;
  }

  /** @param {api.DeliveredGift} gift */
  gift(gift) {
    const last = this.#news.at(-1);
    if (typeof last === "object" && "gift" in last && same(last.gift, gift)) {
      last.times++;
      return;
    }
    this.#push({ gift, times: 1 });
  }

  /** @param {api.Comment} comment */
  comment(comment) {
    this.#push(comment);
  }

  /**
   * Something about the room itself.
   * @param {string} text
   */
  note(text) {
    this.#push(text);
  }

  /** @param {Given | api.Comment | string} item */
  #push(item) {
    this.#news.push(item);
    if (this.#news.length > NEW_MAX) {
      this.#news.shift();
      this.#uncounted++;
    }
    this.#draw();
  }

  #draw = seldom(DRAW_MS, () => {
    if (this.#list.querySelector(".empty")) this.#list.replaceChildren();
    const rows = this.#news.map((item) => this.#row(item)).reverse();
    if (this.#uncounted > 0) rows.push(el("li", { class: "more", text: `… and ${number(this.#uncounted)} more` }));
    this.#list.prepend(...rows);
    while (this.#list.childElementCount > ROWS_MAX) this.#list.lastElementChild?.remove();
    this.#news = [];
    this.#uncounted = 0;
  });

  /** @param {Given | api.Comment | string} item */
  #row(item) {
    if (typeof item === "string") return el("li", { class: "news", text: item });
    if (!("gift" in item)) {
      const word = this.#teams.words.find(({ text }) => text === item.text);
      const said = word === undefined ? `: ${item.text}` : ` joins ${word.team}`;
      return el("li", {}, el("span", { class: "what" }, this.#who(item), said));
    }
    const { gift, times } = item;
    const menuGift = this.#find(gift.gift_id);
    const mark = picture(menuGift, 20);
    mark.classList.add("mark");
    const given = { value: gift.value, num: gift.num * times };
    const text = ` gave ${amount(menuGift, gift.count * times)}: ${outcome(menuGift, given)}`;
    return el("li", {}, mark, el("span", { class: "what" }, this.#who(gift), text));
  }

  /** @param {{ user_id: string, nickname: string }} viewer */
  #who({ user_id, nickname }) {
    const name = el("bdi", { class: "who", text: nickname });
    name.dataset.team = this.#teams.of(user_id) ?? "";
    return name;
  }
}

/**
 * @param {api.DeliveredGift} a
 * @param {api.DeliveredGift} b
 */
function same(a, b) {
  return a.user_id === b.user_id && a.gift_id === b.gift_id && a.value === b.value;
}
