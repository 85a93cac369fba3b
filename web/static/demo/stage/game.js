// The play of the room: what was delivered takes effect on the stage.

import { byId, write } from "../dom.js";
import { effectOf } from "../effects.js";
import { Power } from "./power.js";
import { SIDES } from "./scene.js";
import { Stage } from "./stage.js";

/** @import * as api from "../../giftwire.js" */
/** @import { Herald } from "../herald.js" */
/** @import { Session } from "../session.js" */
/** @import { Teams } from "../teams.js" */
/** @import { Side } from "./scene.js" */

const CEREMONY_MS = 2600;
const CALLED_MS = 4000;
const SEEN_MAX = 4000; // msg_ids, so that the ledger's gifts are not counted twice

/** @typedef {Pick<api.DeliveredGift, "msg_id" | "user_id" | "nickname" | "gift_id" | "value" | "num" | "count">} Given */

export class Game {
  #stage = new Stage();
  #power = new Power();
  #teams;
  #find;
  /** @type {Set<string>} */
  #seen = new Set();
  /** @type {Given[]} */
  #past = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #ceremony;

  /**
   * @param {Session} session
   * @param {Teams} teams
   * @param {(gift_id: string) => api.MenuGift | undefined} find
   * @param {Herald} herald
   */
  constructor(session, teams, find, herald) {
    this.#teams = teams;
    this.#find = find;
    session.on("welcome", () => this.#names());
    session.on("likes", ({ count }) => {
      this.#stage.scene.like(count);
      this.#stage.wake();
    });
    session.on("game", (game) => this.#turn(game, herald));
    teams.addEventListener("team", () => this.#past.length > 0 && this.#remember());
  }

  /** The number of the team that is ahead, from 1 in the order of the join words. */
  leader = () => (this.#power.share >= 0.5 ? 1 : 2);

  /**
   * A gift that was delivered now.
   * @param {Given} gift
   */
  play(gift) {
    if (!this.#isNew(gift)) return;
    const side = this.#side(gift.user_id);
    if (side === undefined) this.#stage.scene.drop();
    else if (this.#effect(side, gift, gift.nickname) === "general") this.#celebrate(side, gift);
    this.#stage.wake();
  }

  /**
   * What was given in this round before the page was there.
   * @param {readonly Omit<Given, "count">[]} gifts
   */
  recall(gifts) {
    for (const gift of gifts) this.#past.push({ ...gift, count: gift.value * gift.num });
    this.#remember();
  }

  /** For whom it was given may become known later. */
  #remember() {
    this.#past = this.#past.filter((gift) => {
      const side = this.#side(gift.user_id);
      if (side !== undefined && this.#isNew(gift)) this.#effect(side, gift, "");
      return side === undefined;
    });
    this.#stage.wake();
  }

  /** Whether it was not played yet. @param {Given} gift */
  #isNew({ msg_id }) {
    if (this.#seen.has(msg_id)) return false;
    this.#seen.add(msg_id);
    if (this.#seen.size > SEEN_MAX) this.#seen.delete(this.#seen.keys().next().value ?? "");
    return true;
  }

  /**
   * @param {Side} side
   * @param {Given} gift
   * @param {string} who
   */
  #effect(side, gift, who) {
    const effect = effectOf(this.#find(gift.gift_id), gift.value);
    this.#power.add(side, effect, gift);
    this.#stage.scene.lean(this.#power.share);
    this.#stage.scene.give(side, effect, gift.num, who);
    return effect;
  }

  /** @param {string} user_id @returns {Side | undefined} */
  #side(user_id) {
    const team = this.#teams.of(user_id);
    const index = this.#teams.words.findIndex((word) => word.team === team);
    return team === undefined ? undefined : SIDES[index % SIDES.length];
  }

  #names() {
    const [blue, red] = this.#teams.words.map(({ team }) => team.slice(0, 1).toUpperCase() + team.slice(1));
    this.#power.name({ blue: blue ?? "Blue", red: red ?? "Red" });
  }

  /**
   * @param {Side} side
   * @param {Given} gift
   */
  #celebrate(side, { nickname, num }) {
    const team = side === "blue" ? "blue" : "red";
    this.#announce(byId("ceremony", HTMLElement), num === 1 ? `${nickname} sends a general to ${team}!` : `${nickname} sends ${num} generals to ${team}!`, CEREMONY_MS);
  }

  /**
   * @param {HTMLElement} place
   * @param {string} text
   * @param {number} ms
   */
  #announce(place, text, ms) {
    clearTimeout(this.#ceremony);
    for (const id of ["ceremony", "round"]) byId(id, HTMLElement).hidden = true;
    write(place, text);
    place.hidden = false;
    this.#ceremony = setTimeout(() => (place.hidden = true), ms);
  }

  /**
   * @param {api.Game} game
   * @param {Herald} herald
   */
  #turn({ state, winner_team }, herald) {
    const winner = this.#teams.words[(winner_team ?? 0) - 1]?.team;
    const says = state === "ended" ? `The round is over${winner === undefined ? "" : `: ${winner} has won`}.` : state === "running" ? "A new round has begun." : "";
    if (says === "") return;
    this.#announce(byId("round", HTMLElement), says, CALLED_MS);
    herald.tell(says);
    this.#past = [];
    this.#power.clear();
    this.#stage.scene.clear();
    this.#stage.scene.lean(0.5);
    this.#stage.wake();
  }
}
