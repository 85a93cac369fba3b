// Comments, likes, and joining a team, which is a comment too.

import { byId, el, seldom, write } from "./dom.js";
import { short } from "./words.js";
import { GiftwireError } from "../giftwire.js";

/** @import * as api from "../giftwire.js" */
/** @import { Session } from "./session.js" */
/** @import { Teams } from "./teams.js" */

/** @param {Session} session */
export function say(session) {
  const field = byId("say-text", HTMLInputElement);
  const fault = byId("say-fault", HTMLElement);
  byId("say", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (text === "") return;
    const wrong = attempt(() => session.room.comment(text));
    write(fault, wrong);
    if (wrong === "") field.value = "";
  });
  session.on("rejected", ({ code, message }) => {
    if (code === "rate_limited") write(fault, "Too fast: wait a moment.");
    else if (code === "not_allowed") write(fault, message);
  });
  like(session);
}

/** @param {Session} session */
function like(session) {
  const shown = byId("likes", HTMLElement);
  const button = byId("like", HTMLButtonElement);
  let total = 0;
  const draw = seldom(120, () => {
    write(shown, short(total));
  });
  button.addEventListener("click", () => attempt(() => session.room.like()));
  session.on("likes", (told) => {
    total = told.total;
    draw();
  });
}

/**
 * The choice of a side, until it is made.
 * @param {Session} session
 * @param {Teams} teams
 */
export function join(session, teams) {
  const place = byId("join", HTMLElement);
  const words = byId("join-words", HTMLElement);
  const show = () => {
    const { welcome, state } = session.room;
    const joined = teams.of(session.viewer.user_id) !== undefined;
    place.hidden = joined || state === "closed" || teams.words.length === 0 || welcome === undefined;
  };
  session.on("welcome", ({ join }) => {
    if (words.childElementCount !== join.length) words.replaceChildren(...join.map((word) => button(session, word)));
    show();
  });
  session.on("state", show);
  teams.addEventListener("team", show);
  teams.addEventListener("cleared", show);
}

/**
 * @param {Session} session
 * @param {api.JoinWord} word
 */
function button(session, { text, team }) {
  const name = team.slice(0, 1).toUpperCase() + team.slice(1);
  const made = el("button", {}, el("span", { text: `Join ${name}` }), el("small", { text: `says “${text}”` }));
  made.type = "button";
  made.dataset.team = team;
  made.addEventListener("click", () => {
    const wrong = attempt(() => session.room.comment(text));
    if (wrong === "") byId("send", HTMLButtonElement).focus({ preventScroll: true });
    else write(byId("say-fault", HTMLElement), wrong);
  });
  return made;
}

/**
 * What went wrong, for people; empty: nothing.
 * @param {() => void} work
 */
function attempt(work) {
  try {
    work();
    return "";
  } catch (error) {
    if (!(error instanceof GiftwireError)) throw error;
    return error.code === "not_open" ? "There is no connection now." : error.message;
  }
}
