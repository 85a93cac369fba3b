// Rooms under test: opened, watched, and closed when the test ends.

import assert from "node:assert/strict";

import { connect } from "../static/giftwire.js";
import { LiveRoom } from "../static/giftwire/room.js";
import { PATIENCE_MS } from "./hub.js";

const TYPES = [
  "state", "welcome", "reset", "gifts", "lagged", "comments", "likes", "presence", "game",
  "gift", "accepted", "rejected", "result", "latency", "bye", "error",
];

// Returns of tests: quick, but with all their jitter.
export const QUICK = { backoffBaseMs: 50, backoffMaxMs: 500 };

// open connects, and records all events as {type, detail}, gifts by their state of that moment. A
// world is that of a tab (tab.js); default: Node's own.
export function open(t, { world, ...options }) {
  const all = { storage: null, ...options, times: { ...QUICK, ...options.times } };
  const room = world === undefined ? connect(all) : new LiveRoom(all, world);
  const heard = [];
  for (const type of TYPES) {
    room.addEventListener(type, ({ detail }) => {
      heard.push({ type, detail: type === "gift" ? { ...detail } : detail });
    });
  }
  t.after(() => room.close());
  return Object.assign(room, {
    heard,
    all: (type) => heard.filter((event) => event.type === type).map((event) => event.detail),
    waits: () => heard.filter((event) => event.type === "state" && event.detail.inMs !== undefined).map((event) => event.detail.inMs),
    states: () => heard.filter((event) => event.type === "state").map((event) => event.detail.state),
  });
}

// until waits for the next event of the type for which the condition holds.
export function until(room, type, condition = () => true) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(() => reject(new Error(`no ${type} within ${PATIENCE_MS} ms: ${JSON.stringify(room.heard?.slice(-20))}`))), PATIENCE_MS);
    const listener = ({ detail }) => {
      if (condition(detail)) end(() => resolve(detail));
    };
    const end = (settle) => {
      clearTimeout(timer);
      room.removeEventListener(type, listener);
      settle();
    };
    room.addEventListener(type, listener);
  });
}

// state waits until the room is in the state, or is so already.
export async function state(room, wanted) {
  if (room.state === wanted) return;
  await until(room, "state", (change) => change.state === wanted);
}

// lost waits until the connection that there is has ended. It may be followed by another at once.
export async function lost(room) {
  if (room.state === "open") await until(room, "state", ({ state }) => state !== "open");
}

// eventually polls what only another process can tell.
export async function eventually(what, condition) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`no ${what} within ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// playing is a room whose viewer has joined the game.
export async function playing(t, hub, options = {}) {
  const room = open(t, { url: hub.base, room: "demo", token: await hub.token(), ...options });
  const { user_id } = await room.opened;
  const said = until(room, "comments", ({ comments }) => comments.some((c) => c.user_id === user_id));
  room.comment("5");
  await said;
  return room;
}

// rejects asserts that a promise rejects with the code.
export function rejects(promise, code) {
  return assert.rejects(promise, (error) => error.code === code || assert.fail(`code ${error.code}, want ${code}: ${error.message}`));
}

// throws asserts that a call throws an error with the code.
export function throws(call, code) {
  assert.throws(call, (error) => error.code === code && error.name === "GiftwireError");
}
