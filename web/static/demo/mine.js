// My gifts: each with what has become of it, in plain words; on click its whole history.

import { picture } from "./art.js";
import { byId, el, seldom, write } from "./dom.js";
import { amount, outcome, tierOf } from "./effects.js";
import { timeline } from "./timeline.js";
import { fate, number } from "./words.js";

/** @import * as api from "../giftwire.js" */
/** @import { Calls } from "./zego/calls.js" */

const ROWS_MAX = 60; // decided gifts beyond it leave the list, oldest first
const DRAW_MS = 80;

/** @typedef {{ gift: api.Gift, row: HTMLLIElement, chip: HTMLElement, note: HTMLElement, button: HTMLButtonElement }} Row */

/** The list, the newest gift first. */
export class Mine {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #list = byId("mine", HTMLElement);
  /** @type {Set<string>} */
  #changed = new Set();
  #find;
  /** @type {Calls | undefined} what ZEGO got, in dev */
  calls;
  #over = false; // the round: gifts are held

  /** @param {(gift_id: string) => api.MenuGift | undefined} find */
  constructor(find) {
    this.#find = find;
  }

  /** @param {api.Gift} gift */
  show(gift) {
    const known = this.#rows.get(gift.id);
    if (known === undefined) this.#add(gift);
    else known.gift = gift;
    this.#changed.add(gift.id);
    this.#draw();
  }

  /**
   * The phase of the game has changed.
   * @param {api.GameState} game
   */
  phase({ state }) {
    this.#over = state === "ended";
    for (const [id, { gift }] of this.#rows) if (gift.state === "accepted") this.#changed.add(id);
    this.#draw();
  }

  /**
   * ZEGO was called for this gift.
   * @param {string} msg_id
   */
  called(msg_id) {
    for (const [id, { gift }] of this.#rows) if (gift.msg_id === msg_id) this.#changed.add(id);
    this.#draw();
  }

  /** @param {api.Gift} gift */
  #add(gift) {
    if (this.#rows.size === 0) this.#list.replaceChildren();
    const menuGift = this.#find(gift.gift_id);
    const value = gift.value ?? (menuGift === undefined ? gift.count : tierOf(menuGift, gift.count));
    const what = `${amount(menuGift, gift.count)} → ${outcome(menuGift, { value, num: gift.count / value })}`;
    const chip = el("span", { class: "chip" });
    const note = el("small");
    const button = el("button", { class: "gift-row" }, picture(menuGift, 28), el("b", { text: what }), chip, note);
    button.type = "button";
    const row = el("li", {}, button);
    row.dataset.gift = gift.id;
    button.addEventListener("click", () => this.#toggle(gift.id));
    this.#list.prepend(row);
    this.#rows.set(gift.id, { gift, row, chip, note, button });
    if (this.calls !== undefined) button.setAttribute("aria-expanded", "false");
    this.#trim();
  }

  #trim() {
    if (this.#rows.size <= ROWS_MAX) return;
    for (const [id, { gift, row }] of this.#rows) {
      if (gift.state === "queued" || gift.state === "sent" || gift.state === "accepted") continue;
      row.remove();
      this.#rows.delete(id);
      return;
    }
  }

  #draw = seldom(DRAW_MS, () => {
    for (const id of this.#changed) {
      const row = this.#rows.get(id);
      if (row !== undefined) this.#drawRow(row);
    }
    this.#changed.clear();
    const all = [...this.#rows.values()];
    const done = all.filter(({ gift }) => gift.state === "delivered").length;
    write(byId("mine-sum", HTMLElement), all.length === 0 ? "" : `${number(done)} of ${number(all.length)} delivered`);
  });

  /** @param {Row} row */
  #drawRow({ gift, row, chip, note }) {
    const { chip: word, more, tone } = fate(gift);
    row.dataset.state = gift.state;
    chip.dataset.tone = tone;
    write(chip, word);
    write(note, this.#note(gift, more));
  }

  /**
   * @param {api.Gift} gift
   * @param {string} more
   */
  #note(gift, more) {
    const call = gift.state === "accepted" && gift.msg_id !== undefined ? this.calls?.of(gift.msg_id) : undefined;
    if (call !== undefined && (call.tries > 1 || call.trouble)) return `On disk. ZEGO does not take it yet: tried ${call.tries} ×, and goes on.`;
    if (gift.state === "accepted" && this.#over) return "On disk. Waits for the next round.";
    return gift.restored && gift.state !== "delivered" ? `${more} (Kept over the reload.)` : more;
  }

  /** @param {string} id */
  async #toggle(id) {
    const found = this.#rows.get(id);
    if (found === undefined || this.calls === undefined) return;
    const { row, gift, button } = found;
    const open = row.querySelector(".timeline");
    button.setAttribute("aria-expanded", String(open === null));
    if (open !== null) return open.remove();
    const place = el("dl", { class: "timeline" }, el("dd", { class: "whole", text: "Asking …" }));
    row.append(place);
    place.replaceChildren(...(await timeline(gift)));
  }
}
