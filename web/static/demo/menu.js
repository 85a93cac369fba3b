// The gift bar: choose a gift and a count, send it, or tap a combo.

import { picture } from "./art.js";
import { Combo, FUSE_MS } from "./combo.js";
import { byId, el, write } from "./dom.js";
import { amount, choices, effectOf, outcome, tapsMax } from "./effects.js";
import { number, short } from "./words.js";
import { GiftwireError } from "../giftwire.js";

/** @import * as api from "../giftwire.js" */
/** @import { Choice } from "./effects.js" */
/** @import { Session } from "./session.js" */
/** @import { Teams } from "./teams.js" */

/**
 * @param {Session} session
 * @param {Teams} teams
 */
export function menu(session, teams) {
  return new Menu(session, teams);
}

class Menu {
  #session;
  #teams;
  /** @type {readonly api.MenuGift[]} */
  #gifts = [];
  /** @type {api.MenuGift | undefined} */
  #gift;
  /** @type {Choice | undefined} */
  #choice;
  #over = false; // the round
  #shown = ""; // the catalogue that is drawn
  #send = byId("send", HTMLButtonElement);
  #tapper = byId("combo", HTMLButtonElement);
  #combo = new Combo((gift) => {
    this.#give(gift);
    this.#showCombo();
  });

  /**
   * @param {Session} session
   * @param {Teams} teams
   */
  constructor(session, teams) {
    this.#session = session;
    this.#teams = teams;
    session.on("welcome", ({ gifts }) => this.#offer(gifts));
    session.on("state", ({ state }) => {
      if (state === "closed") this.#send.disabled = this.#tapper.disabled = true;
    });
    const phase = (/** @type {api.GameState} */ { state }) => {
      this.#over = state === "ended";
      this.#advise();
    };
    session.on("welcome", ({ game }) => phase(game));
    session.on("game", phase);
    teams.addEventListener("team", () => this.#advise());
    teams.addEventListener("cleared", () => this.#advise());
    this.#send.addEventListener("click", () => {
      if (this.#gift && this.#choice) this.#give({ gift_id: this.#gift.gift_id, ...this.#choice });
    });
    this.#tapper.addEventListener("click", () => this.#tap());
    addEventListener("pagehide", () => this.#combo.end());
  }

  /** @param {string} gift_id */
  find(gift_id) {
    return this.#gifts.find((gift) => gift.gift_id === gift_id);
  }

  /** @param {readonly api.MenuGift[]} gifts */
  #offer(gifts) {
    const drawn = JSON.stringify(gifts);
    if (drawn === this.#shown) return;
    this.#shown = drawn;
    this.#gifts = gifts;
    byId("menu", HTMLElement).replaceChildren(...gifts.map((gift, i) => this.#card(gift, i === 0)));
    this.#send.disabled = this.#tapper.disabled = gifts.length === 0;
    if (gifts.length > 0) this.#choose(gifts[0]);
  }

  /**
   * @param {api.MenuGift} gift
   * @param {boolean} checked
   */
  #card(gift, checked) {
    const input = radio("gift", checked, () => this.#choose(gift));
    const does = el("small");
    for (const [i, { value, effect }] of gift.tiers.entries()) {
      does.append(i === 0 ? "" : " · ", el("span", { class: "tier", text: `${number(value)} = ${effect}` }));
    }
    return el("label", {}, input, picture(gift, 40), el("span", {}, el("b", { text: gift.name }), does));
  }

  /** @param {api.MenuGift} gift */
  #choose(gift) {
    this.#gift = gift;
    const offered = choices(gift);
    byId("counts", HTMLElement).replaceChildren(
      ...offered.map((choice, i) => {
        const input = radio("count", i === 0, () => this.#pick(choice));
        const num = choice.count / choice.value;
        const effect = effectOf(gift, choice.value);
        return el("label", {}, input, el("b", { text: short(choice.count) }), el("small", { text: num === 1 ? effect : `${num} × ${effect}` }));
      }),
    );
    this.#pick(offered[0]);
  }

  /** @param {Choice} choice */
  #pick(choice) {
    this.#choice = choice;
    write(this.#send, `Send ${amount(this.#gift, choice.count)}`);
    this.#showCombo();
    this.#advise();
  }

  #tap() {
    if (this.#gift === undefined || this.#choice === undefined) return;
    this.#combo.tap(this.#gift.gift_id, this.#choice, tapsMax(this.#choice));
    this.#showCombo();
  }

  #showCombo() {
    const { taps, count } = this.#combo;
    write(byId("combo-text", HTMLElement), taps === 0 ? `Combo +${short(this.#choice?.count ?? 0)}` : `×${taps} = ${number(count)}`);
    delete this.#tapper.dataset.armed;
    if (taps === 0) return;
    this.#tapper.style.setProperty("--fuse", `${FUSE_MS}ms`);
    void this.#tapper.offsetWidth; // begins the burning anew
    this.#tapper.dataset.armed = "";
  }

  /** @param {api.GiftRequest} request */
  #give(request) {
    try {
      this.#session.give(request);
      this.#advise();
    } catch (error) {
      if (!(error instanceof GiftwireError)) throw error;
      this.#hint(error.code === "too_many" ? "Too many of your gifts are still on their way. Wait a moment." : error.message, "warn");
    }
  }

  #advise() {
    const choice = this.#choice;
    if (choice === undefined) return;
    const gives = outcome(this.#gift, { value: choice.value, num: choice.count / choice.value });
    const team = this.#teams.of(this.#session.viewer.user_id);
    if (this.#over) this.#hint("The round is over. What you give waits up to a minute for the next one.", "warn");
    else if (team === undefined && this.#teams.words.length > 0) this.#hint("Choose a side first: ZEGO gives nothing for viewers who have not joined.", "warn");
    else this.#hint(`${amount(this.#gift, choice.count)}: ${gives}${team === undefined ? "" : ` for ${team}`}`, "plain");
  }

  /**
   * @param {string} text
   * @param {"warn" | "plain"} kind
   */
  #hint(text, kind) {
    const place = byId("gift-hint", HTMLElement);
    place.dataset.kind = kind;
    write(place, text);
  }
}

/**
 * @param {string} name
 * @param {boolean} checked
 * @param {() => void} chosen
 */
function radio(name, checked, chosen) {
  const input = el("input");
  input.type = "radio";
  input.name = name;
  input.checked = checked;
  input.addEventListener("change", chosen);
  return input;
}
