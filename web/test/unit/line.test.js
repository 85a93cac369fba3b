// The line's own rules, in a time and on sockets of the test's. What real connections do to it is in
// ../line.test.js.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Line } from "../../static/giftwire/line.js";
import { Link } from "../../static/giftwire/link.js";
import { settle } from "../../static/giftwire/options.js";
import { Clockwork, settled } from "./clockwork.js";

const WELCOME = {
  type: "welcome", room: "demo", user_id: "ann", node: "n", epoch: "e", seq: 1, resumed: false, viewers: 1,
  game: { mini_game_id: "", state: "unknown", round_id: "" }, gifts: [], join: [],
};

class Socket extends EventTarget {
  static all = [];
  readyState = 0;
  bufferedAmount = 0;
  sent = [];

  constructor(url, protocols) {
    super();
    Object.assign(this, { url, protocols });
    Socket.all.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  // say is the hub that speaks.
  say(...events) {
    this.readyState = 1;
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(events) }));
  }

  end() {
    this.readyState = 3;
    this.dispatchEvent(new Event("close"));
  }
}

let place, line, told, questions, answer;

beforeEach(() => {
  Socket.all = [];
  [place, told, questions] = [new Clockwork(), [], []];
  answer = () => Promise.reject(new TypeError("failed to fetch"));
});

// begin opens a line; hear is the app, told of everything.
function begin(options = {}, hear = () => {}) {
  place.chance = 1; // every pause is its bound
  const fetch = (url, init) => {
    questions.push(init.signal);
    return answer(init.signal);
  };
  const settings = settle({ url: "http://hub", room: "demo", token: "a.b.c", WebSocket: Socket, fetch, ...options });
  const tell = (type) => (detail) => {
    told.push({ type, detail });
    hear(type, detail);
  };
  line = new Line(settings, place.place, {
    state: tell("state"), event: tell("event"), measured: tell("measured"), fault: tell("fault"),
    place: () => "", urgent: () => false,
  });
  line.open();
  return settled();
}

const socket = () => Socket.all.at(-1);
const pauses = () => told.filter(({ detail }) => detail.inMs !== undefined).map(({ detail }) => detail.inMs);

// comeBack waits for the next attempt.
async function comeBack() {
  place.pass(pauses().at(-1));
  await settled();
}

const problem = (status, code) => async () =>
  new Response(JSON.stringify({ code }), { status, headers: { "Content-Type": "application/problem+json" } });

test("it connects as the protocol wants it", async () => {
  await begin({ url: "https://live.example.com/at/" });
  assert.deepEqual([socket().url, socket().protocols], ["wss://live.example.com/at/v1/rooms/demo/ws", ["giftwire.v1", "bearer.a.b.c"]]);
});

test("connections that are taken and dropped are failures, one that lives 10 s is not", async () => {
  await begin();
  for (let i = 0; i < 7; i++) {
    socket().say(WELCOME);
    socket().end();
    await comeBack();
  }
  assert.deepEqual(pauses(), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  socket().say(WELCOME);
  place.pass(10_000);
  socket().end();
  assert.equal(pauses().at(-1), 1000);
});

test("what failed without a network does not count when it is back", async () => {
  await begin();
  for (let i = 0; i < 5; i++) {
    socket().end();
    await settled(); // it asks why, in vain
    await comeBack();
  }
  place.isOnline = false;
  socket().end();
  await settled();
  assert.equal(line.state, "offline");
  place.isOnline = true;
  line.wake("online");
  await settled();
  socket().end();
  await settled();
  assert.equal(pauses().at(-1), 1000);
});

test("a hub that never welcomes is left after 10 s", async () => {
  await begin();
  place.pass(9999);
  assert.equal(line.state, "connecting");
  place.pass(1);
  assert.deepEqual([line.state, socket().readyState], ["waiting", 3]);
});

test("a question why without an answer ends after 10 s, and with the room", async () => {
  answer = (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  await begin();
  socket().end();
  place.pass(9999);
  assert.deepEqual([line.state, questions[0].aborted], ["connecting", false]);
  place.pass(1);
  await settled();
  assert.deepEqual([line.state, questions[0].aborted], ["waiting", true]);
  await comeBack();
  socket().end();
  line.close({ code: "app", message: "" });
  assert.equal(questions[1].aborted, true);
  await settled();
  assert.deepEqual([line.state, place.timersLeft], ["closed", 0]);
});

test("an app that closes in a listener hears nothing of the rest of the frame", async () => {
  await begin({}, (type, detail) => detail.type === "presence" && line.close({ code: "app", message: "" }));
  socket().say(WELCOME, { type: "presence", viewers: 1 }, { type: "presence", viewers: 2 });
  assert.deepEqual(told.filter(({ type }) => type === "event").map(({ detail }) => detail.type), ["welcome", "presence"]);
});

test("an app that closes when told of the attempt is not asked for a token", async () => {
  let calls = 0;
  const expired = `a.${btoa('{"exp":1}')}.c`; // so that each attempt wants another
  const token = () => (calls++, expired);
  await begin({ token }, (_, { state }) => state === "connecting" && line.close({ code: "app", message: "" }));
  socket().say(WELCOME);
  socket().end();
  await comeBack();
  assert.deepEqual([line.state, calls, Socket.all.length], ["closed", 1, 1]);
});

test("a token may be replaced again after each welcome", async () => {
  const reasons = [];
  await begin({ token: ({ reason }) => `a.${reasons.push(reason)}.c` });
  answer = problem(401, "unauthorized");
  for (let i = 0; i < 3; i++) {
    socket().end();
    await settled();
    await settled();
    socket().say(WELCOME);
    socket().end();
    await comeBack();
  }
  assert.deepEqual([line.state, reasons], ["connecting", ["first", "refused", "refused", "refused"]]);
  socket().end();
  await settled();
  await settled();
  socket().end();
  await settled();
  await settled();
  assert.deepEqual([line.state, reasons.length], ["closed", 5]);
});

test("nothing is sent before the welcome, nor after the end", async () => {
  await begin();
  assert.equal(line.send({ type: "like" }), false);
  socket().say(WELCOME);
  assert.equal(line.send({ type: "like" }), true);
  socket().readyState = 2; // closing
  assert.equal(line.send({ type: "like" }), false);
  line.close({ code: "app", message: "" });
  assert.equal(line.send({ type: "like" }), false);
  assert.deepEqual(socket().sent.map(({ type }) => type), ["ping", "like"]);
});

test("what waits in a socket that takes nothing is bounded", () => {
  const link = new Link({ WebSocket: Socket, url: "ws://hub", protocols: [] }, { text: () => {}, end: () => {} });
  socket().readyState = 1;
  socket().bufferedAmount = 512 * 1024;
  assert.equal(link.send("{}"), true);
  socket().bufferedAmount++;
  assert.equal(link.send("{}"), false);
});
