// Where tokens come from, and what becomes of the connection when they end.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Hub } from "./hub.js";
import { Proxy } from "./proxy.js";
import { lost, open, rejects, state, until } from "./rooms.js";

let hub;
before(async () => (hub = await Hub.start()));
after(() => hub.remove());

const seconds = () => Math.floor(Date.now() / 1000);

// asked is a token function that answers the next of these each time, and records why it was called.
function asked(...answers) {
  const reasons = [];
  const token = async ({ reason }) => {
    reasons.push(reason);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return typeof answer === "function" ? answer() : answer;
  };
  return { token, reasons };
}

test("a token is asked for once, and serves for every return", async (t) => {
  const proxy = await Proxy.start(hub.base);
  t.after(() => proxy.stop());
  const { token, reasons } = asked(await hub.sign({}));
  const room = open(t, { url: proxy.base, room: "demo", token });
  await room.opened;
  for (let i = 0; i < 2; i++) {
    proxy.cut();
    await lost(room);
    await state(room, "open");
  }
  assert.deepEqual(reasons, ["first"]);
});

test("when the token expires, the hub says so, and a new one continues", async (t) => {
  // Long enough that the connection stands, short enough to wait for.
  const { token, reasons } = asked(() => hub.sign({ sub: "eve", exp: seconds() + 5 }), () => hub.sign({ sub: "eve" }));
  const room = open(t, { url: hub.base, room: "demo", token });
  await room.opened;
  const bye = await until(room, "bye");
  assert.deepEqual([bye.code, bye.reconnect_in_ms], ["expired_token", undefined]);
  await state(room, "open");
  assert.deepEqual([reasons, room.welcome.resumed], [["first", "expired"], true]);
});

test("when the token expires and there is no function, the room closes", async (t) => {
  const room = open(t, { url: hub.base, room: "demo", token: await hub.sign({ exp: seconds() + 2 }) });
  await room.opened;
  await state(room, "closed");
  assert.equal(room.reason.code, "expired_token");
});

test("a token that has expired meanwhile is not even tried", async (t) => {
  const { token, reasons } = asked(() => hub.sign({ exp: seconds() + 4 }), () => hub.sign({}));
  const proxy = await Proxy.start(hub.base);
  t.after(() => proxy.stop());
  const room = open(t, { url: proxy.base, room: "demo", token });
  await room.opened; // its 4 s are fewer than the margin: the next connection wants another
  proxy.cut();
  await lost(room);
  await state(room, "open");
  assert.deepEqual([reasons, proxy.opened], [["first", "expired"], 2]);
});

test("a refused token is replaced once", async (t) => {
  const { token, reasons } = asked(() => hub.sign({}, "wrong"), () => hub.sign({}));
  const room = open(t, { url: hub.base, room: "demo", token });
  await room.opened;
  assert.deepEqual([reasons, room.states()], [["first", "refused"], ["open"]]);
});

test("a function of bad tokens is not called for ever", async (t) => {
  for (const bad of [() => hub.sign({}, "wrong"), () => "not a token", () => 5]) {
    const { token, reasons } = asked(bad);
    const room = open(t, { url: hub.base, room: "demo", token });
    await rejects(room.opened, "closed");
    assert.deepEqual([reasons, room.reason.code, room.reason.problem.status], [["first", "refused"], "unauthorized", 401]);
  }
});

test("a function that has no token closes the room", async (t) => {
  for (const none of [null, undefined]) {
    const room = open(t, { url: hub.base, room: "demo", token: () => none });
    await rejects(room.opened, "closed");
    assert.equal(room.reason.code, "no_token");
  }
});

test("a function that fails is called again later", async (t) => {
  let calls = 0;
  const failures = [
    () => {
      throw new Error("no network");
    },
    () => Promise.reject(new Error("login expired")),
    () => new Promise(() => {}), // never
  ];
  const token = () => (failures[calls++] ?? (() => hub.sign({})))();
  const room = open(t, { url: hub.base, room: "demo", token, times: { tokenMs: 50 } });
  await room.opened;
  const errors = room.all("error");
  assert.deepEqual(errors.map(({ code }) => code), ["token_failed", "token_failed", "token_failed"]);
  assert.deepEqual(errors.map(({ cause }) => cause.message), ["no network", "login expired", "the token function took longer than 50 ms"]);
});

test("a token of another user does not take over the room", async (t) => {
  const proxy = await Proxy.start(hub.base);
  t.after(() => proxy.stop());
  const { token } = asked(() => hub.sign({ sub: "ann", exp: seconds() + 4 }), () => hub.sign({ sub: "bob" }));
  const room = open(t, { url: proxy.base, room: "demo", token });
  await room.opened;
  proxy.cut();
  await state(room, "closed");
  assert.equal(room.reason.code, "user_changed");
  assert.equal(room.all("welcome").length, 1);
});

test("a token function is not called for a room that is closed", async (t) => {
  const { token, reasons } = asked(() => hub.sign({}));
  const room = open(t, { url: hub.base, room: "demo", token });
  room.close();
  await rejects(room.opened, "closed");
  assert.deepEqual([room.reason.code, room.heard.length], ["app", 1]);
  assert.ok(reasons.length <= 1);
});
