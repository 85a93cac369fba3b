// What the server says: arrays of events. All of it is data from outside, and checked before
// anybody uses it. Unknown types and members are left alone: the server may add some.

/** @import * as api from "../giftwire.js" */

/**
 * The shape of a value: the name of a kind, a list of a shape, or members with their shapes; a
 * member whose name ends in ? may be absent.
 * @typedef {"text" | "number" | "count" | "flag" | [Shape] | { [name: string]: Shape }} Shape
 */

/** @type {Shape} */
const game = { mini_game_id: "text", state: "text", round_id: "text", "winner_team?": "number", "result_type?": "number" };

/** @type {{ [type: string]: { [name: string]: Shape } }} */
const events = {
  welcome: {
    room: "text",
    user_id: "text",
    node: "text",
    epoch: "text",
    seq: "count",
    resumed: "flag",
    viewers: "count",
    game,
    gifts: [{ gift_id: "text", name: "text", icon: "text", tiers: [{ value: "count", effect: "text" }] }],
    join: [{ text: "text", team: "text" }],
  },
  accepted: { id: "text", msg_id: "text" },
  rejected: { id: "text", code: "text", message: "text", "retry_after_ms?": "number" },
  result: { id: "text", msg_id: "text", status: "text", code: "number", reason: "text", message: "text" },
  gifts: {
    seq: "count",
    gifts: [
      {
        msg_id: "text",
        user_id: "text",
        nickname: "text",
        avatar: "text",
        gift_id: "text",
        value: "count",
        num: "count",
        count: "count",
        receiver_id: "text",
        at: "number",
      },
    ],
  },
  comments: { comments: [{ user_id: "text", nickname: "text", avatar: "text", text: "text", at: "number" }] },
  likes: { count: "number", total: "number" },
  presence: { viewers: "count" },
  game: /** @type {{ [name: string]: Shape }} */ (game),
  lagged: { from: "count", to: "count" },
  error: { code: "text", message: "text", "id?": "text" },
  pong: { "t?": "number", now: "number" },
  bye: { code: "text", "reconnect_in_ms?": "number" },
};

/**
 * The events of a frame, in order, without those of unknown types. What is wrong is left out and
 * reported.
 * @param {unknown} frame
 * @param {(fault: string) => void} report
 * @returns {api.ServerEvent[]}
 */
export function read(frame, report) {
  const list = parse(frame);
  if (!Array.isArray(list)) {
    report("a frame of the server is not a JSON array of events");
    return [];
  }
  return list.filter((event) => {
    const type = event?.type;
    if (typeof type !== "string") {
      report("an event of the server has no type");
      return false;
    }
    if (!Object.hasOwn(events, type)) return false;
    const fault = differs(event, events[type]);
    if (fault !== "") report(`an event ${type} of the server is not as agreed: ${fault}`);
    return fault === "";
  });
}

/** @param {unknown} frame */
function parse(frame) {
  if (typeof frame !== "string") return undefined; // binary is not spoken here
  try {
    return JSON.parse(frame);
  } catch {
    return undefined; // told by the caller, with everything else that is no array
  }
}

/**
 * What differs from the shape, for people; empty: nothing.
 * @param {any} value
 * @param {Shape} shape
 * @param {string} [where]
 * @returns {string}
 */
function differs(value, shape, where = "it") {
  if (typeof shape === "string") return fits(value, shape) ? "" : `${where} is no ${shape}`;
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return `${where} is no list`;
    return first(value, (item) => differs(item, shape[0], `an item of ${where}`));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return `${where} is no object`;
  return first(Object.keys(shape), (key) => {
    const name = key.replace("?", "");
    if (key !== name && value[name] === undefined) return "";
    return differs(value[name], shape[key], name);
  });
}

/**
 * @param {any} value
 * @param {"text" | "number" | "count" | "flag"} kind
 */
function fits(value, kind) {
  switch (kind) {
    case "text":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "count": // sequences are 64 bits at the server; 2^53 are 285,000 years of one a ms
      return Number.isSafeInteger(value) && value >= 0;
    case "flag":
      return typeof value === "boolean";
  }
}

/**
 * The first fault that is found.
 * @template T
 * @param {T[]} list
 * @param {(item: T) => string} check
 */
function first(list, check) {
  for (const item of list) {
    const fault = check(item);
    if (fault !== "") return fault;
  }
  return "";
}
