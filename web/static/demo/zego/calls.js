// The calls that ZEGO got, the newest first: each one many viewers' gifts.

import { byId, el, seldom, write } from "../dom.js";
import { several, span } from "../words.js";
import { ROOM } from "../viewer.js";

/** @import * as api from "../../giftwire.js" */
/** @typedef {import("./sim.js").Call} Call */
/** @typedef {{ tries: number, last: Call, trouble: boolean }} Tries what ZEGO got of one gift */

const ROWS_MAX = 50;
const GIFTS_MAX = 2000; // gifts whose calls are remembered
const DRAW_MS = 150;

/** @type {Record<string, string>} */
const ACTIONS = { SendDanmakuGifts: "gifts", SendDanmakuComments: "comments", SendDanmakuLikes: "likes" };

export class Calls {
  /** @type {Map<string, { calls: Set<number>, last: Call }>} by msg_id */
  #gifts = new Map();
  /** @type {Map<number, Call>} to be drawn */
  #fresh = new Map();
  /** @type {Map<number, HTMLLIElement>} */
  #rows = new Map();
  #list = byId("calls", HTMLElement);
  #last = byId("zego-last", HTMLElement);
  #find;

  /** @param {(gift_id: string) => api.MenuGift | undefined} find */
  constructor(find) {
    this.#find = find;
  }

  /** @param {Call} call */
  take(call) {
    if (call.room !== ROOM) return;
    for (const { msg_id } of call.entries) if (msg_id) this.#count(msg_id, call);
    this.#fresh.set(call.seq, call);
    if (this.#fresh.size > ROWS_MAX) this.#fresh.delete(this.#fresh.keys().next().value ?? 0);
    this.#draw();
  }

  /** What was told comes again from the first call. */
  forget() {
    this.#gifts.clear();
    this.#fresh.clear();
    for (const row of this.#rows.values()) row.remove();
    this.#rows.clear();
  }

  /**
   * @param {string} msg_id
   * @returns {Tries | undefined}
   */
  of(msg_id) {
    const known = this.#gifts.get(msg_id);
    if (known === undefined) return undefined;
    const { calls, last } = known;
    return { tries: calls.size, last, trouble: last.done && !taken(last) };
  }

  /**
   * @param {string} msg_id
   * @param {Call} call
   */
  #count(msg_id, call) {
    const known = this.#gifts.get(msg_id);
    if (known === undefined) this.#gifts.set(msg_id, { calls: new Set([call.seq]), last: call });
    else {
      known.calls.add(call.seq);
      if (call.seq >= known.last.seq) known.last = call;
    }
    if (this.#gifts.size > GIFTS_MAX) this.#gifts.delete(this.#gifts.keys().next().value ?? "");
  }

  #draw = seldom(DRAW_MS, () => {
    const calls = [...this.#fresh.values()].sort((a, b) => a.seq - b.seq);
    this.#fresh.clear();
    if (calls.length > 0) this.#list.querySelector(".empty")?.remove();
    for (const call of calls) {
      const row = this.#row(call);
      const known = this.#rows.get(call.seq);
      if (known !== undefined) known.replaceWith(row);
      else this.#list.prepend(row);
      this.#rows.set(call.seq, row);
    }
    for (const [seq, row] of this.#rows) {
      if (this.#rows.size <= ROWS_MAX) break;
      row.remove();
      this.#rows.delete(seq);
    }
    const last = calls.at(-1);
    if (last !== undefined) write(this.#last, `#${last.seq} ${sum(last)}: ${end(last)[0]}`);
  });

  /** @param {Call} call */
  #row(call) {
    const [text, tone] = end(call);
    const chip = el("span", { class: "chip", text });
    chip.dataset.tone = tone;
    const merged = el("span", { class: "merged" }, el("b", { text: sum(call) }), this.#detail(call));
    return el("li", { class: "call" }, el("span", { class: "seq", text: `#${call.seq}` }), el("span", { text: ACTIONS[call.action] ?? call.action }), merged, chip);
  }

  /** @param {Call} call */
  #detail({ entries }) {
    const shown = entries.slice(0, 3).map((entry) => {
      const who = entry.nickname ?? entry.user_id ?? "?";
      if (entry.text !== undefined) return `${who} “${entry.text}”`;
      if (entry.amount !== undefined) return `${who} ×${entry.amount}`;
      if (entry.gift_id === undefined) return who;
      return `${who} ${entry.num ?? 1} × ${this.#find(entry.gift_id)?.name ?? entry.gift_id} ${entry.value ?? 1}`;
    });
    if (entries.length > shown.length) shown.push("…");
    return shown.length === 0 ? "" : ` · ${shown.join(", ")}`;
  }
}

/** @param {Call} call */
function sum({ action, entries }) {
  const viewers = new Set(entries.map(({ user_id }) => user_id)).size;
  const what = action === "SendDanmakuGifts" ? "gift" : action === "SendDanmakuComments" ? "comment" : action === "SendDanmakuLikes" ? "like entry" : "question";
  const amount = what === "like entry" ? "likes" : several(entries.length, what);
  return entries.length > 1 ? `${amount} of ${several(viewers, "viewer")} in one call` : amount;
}

/** Whether the game took it. @param {Call} call */
const taken = ({ processed, code, status, reply }) => processed && code === 0 && status < 400 && reply === "";

/**
 * How it ended.
 * @param {Call} call
 * @returns {[string, string]} text and tone
 */
function end(call) {
  if (!call.done) return ["under way", "wait"];
  if (call.over) return ["over the budget", "bad"];
  if (taken(call)) {
    const refused = call.entries.filter(({ msg_id, result }) => msg_id && result !== 0).length;
    return refused > 0 ? [`${refused} refused`, "bad"] : [`taken in ${span(call.took_ms)}`, "good"];
  }
  if (call.status >= 400) return [`failed: ${call.status}`, "bad"];
  return [call.code === 0 ? "no answer" : `code ${call.code}`, "bad"];
}
