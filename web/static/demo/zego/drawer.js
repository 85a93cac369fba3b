// The drawer "What ZEGO got", which only `giftwire dev` can fill.

import { byId, seldom, write } from "../dom.js";
import { number } from "../words.js";
import { Calls } from "./calls.js";
import { counters, doubled, listen } from "./sim.js";
import { Switches } from "./switches.js";

/** @import * as api from "../../giftwire.js" */
/** @import { Session } from "../session.js" */
/** @import { Call } from "./sim.js" */

const OPEN_KEY = "giftwire.demo.drawer";
const BOOKS_MS = 700;
const AGAIN_MS = 1000; // a stream ends every ten minutes

/**
 * @typedef {object} Parts
 * @property {Session} session
 * @property {(gift_id: string) => api.MenuGift | undefined} find
 * @property {() => number} leader
 * @property {(call: Call) => void} called hears of each call, after the drawer
 */

/**
 * Shows the drawer.
 * @param {Parts} parts
 * @returns {Calls}
 */
export function drawer({ session, find, leader, called }) {
  byId("zego", HTMLElement).hidden = false;
  const calls = new Calls(find);
  follow(session, calls, (call) => {
    calls.take(call);
    called(call);
    books();
  });
  new Switches(session, leader);
  session.on("welcome", books);
  session.on("gifts", books);
  opening();
  return calls;
}

/**
 * Listens to the simulator's calls for as long as the page is there.
 * @param {Session} session
 * @param {Calls} calls
 * @param {(call: Call) => void} tell
 */
function follow(session, calls, tell) {
  /** @type {EventSource | undefined} */
  let stream;
  const open = () => {
    if (stream !== undefined) return;
    // All from the start: a simulator that was started again counts from 1 again.
    calls.forget();
    const opened = listen(tell);
    stream = opened;
    opened.addEventListener("error", () => {
      opened.close();
      stream = undefined;
      if (session.room.state === "open") setTimeout(open, AGAIN_MS);
    });
  };
  open();
  session.on("welcome", open);
}

function opening() {
  const button = byId("zego-open", HTMLButtonElement);
  const body = byId("zego-body", HTMLElement);
  const show = (/** @type {boolean} */ open) => {
    body.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  };
  show(sessionStorage.getItem(OPEN_KEY) === "open");
  button.addEventListener("click", () => {
    show(body.hidden === true);
    // What is given stays in sight above the drawer.
    if (!body.hidden) body.scrollIntoView({ block: "end" });
    sessionStorage.setItem(OPEN_KEY, body.hidden ? "closed" : "open");
  });
}

/** Accepted = delivered + not given + waiting: the books always add up. */
const books = seldom(BOOKS_MS, async () => {
  try {
    const [count, twice] = await Promise.all([counters(), doubled()]);
    write(byId("book-accepted", HTMLElement), number(count.accepted));
    write(byId("book-delivered", HTMLElement), number(count.delivered));
    write(byId("book-failed", HTMLElement), number(count.failed + count.unresolved));
    write(byId("book-pending", HTMLElement), number(count.pending));
    write(byId("book-doubled", HTMLElement), number(twice));
  } catch {
    // The server is away; the next call or welcome asks again.
  }
});
