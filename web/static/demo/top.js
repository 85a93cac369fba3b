// The head of the page: connection, viewers, the own name, and what ends everything.

import { byId, write } from "./dom.js";
import { number, span } from "./words.js";
import { NameFault } from "./viewer.js";

/** @import * as api from "../giftwire.js" */
/** @import { Session } from "./session.js" */

/** @type {Record<api.State, string>} */
const STATES = { connecting: "Connecting", open: "Live", waiting: "Reconnecting", offline: "No network", closed: "Disconnected" };

/** @param {Session} session */
export function top(session) {
  const link = byId("link", HTMLElement);
  const text = byId("link-text", HTMLElement);
  session.on("state", ({ state, reason }) => {
    link.dataset.state = state;
    write(text, STATES[state]);
    if (reason !== undefined) notice(farewell(reason));
  });
  session.on("latency", ({ latencyMs }) => {
    link.title = `giftwire is ${span(latencyMs)} away`;
  });
  const viewers = byId("viewers", HTMLElement);
  const count = (/** @type {{ viewers: number }} */ told) => write(viewers, number(told.viewers));
  session.on("welcome", count);
  session.on("presence", count);
  naming(session);
}

/** @param {string} text */
function notice(text) {
  const place = byId("notice", HTMLElement);
  write(place, text);
  place.hidden = false;
}

/** @param {api.CloseReason} reason */
function farewell({ code, message, problem }) {
  switch (code) {
    case "no_token":
      return "This is the demo page of giftwire, and it gets its viewers from `giftwire dev`, which does not serve it here. Run `make run` (or `giftwire dev`), and open the address that it prints. Apps use giftwire.js with tokens of their own.";
    case "room_closed":
      return "The room was closed. Reload the page when it is open again.";
    case "abuse":
      return "giftwire has ended this connection, because too much came over it. Reload the page to come back.";
    default:
      return `giftwire does not take this connection (${code}): ${problem?.detail ?? message}. Reload the page to try again.`;
  }
}

/** @param {Session} session */
function naming(session) {
  const shown = byId("nickname", HTMLElement);
  const dialog = byId("name", HTMLDialogElement);
  const field = byId("name-text", HTMLInputElement);
  const fault = byId("name-fault", HTMLElement);
  write(shown, session.viewer.nickname);
  byId("rename", HTMLButtonElement).addEventListener("click", () => {
    field.value = session.viewer.nickname;
    write(fault, "");
    dialog.showModal();
    field.select();
  });
  byId("name-keep", HTMLButtonElement).addEventListener("click", () => dialog.close());
  byId("name-form", HTMLFormElement).addEventListener("submit", async (event) => {
    event.preventDefault();
    const wish = field.value.trim();
    if (wish === "") return write(fault, "A name has at least one character.");
    try {
      if (wish !== session.viewer.nickname) await session.rename(wish);
      write(shown, session.viewer.nickname);
      dialog.close();
    } catch (error) {
      write(fault, error instanceof NameFault ? error.message : "There is no connection to giftwire now.");
    }
  });
}
