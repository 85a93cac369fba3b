import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Pulse } from "../../static/giftwire/pulse.js";
import { Clockwork } from "./clockwork.js";

const times = { silenceMs: 30_000, pongMs: 10_000 };
let place, pulse, pings, deaths, measured;

beforeEach(() => {
  place = new Clockwork();
  [pings, deaths, measured] = [[], 0, []];
  pulse = new Pulse({ ...place.place, times }, {
    ping: (t) => pings.push(t),
    dead: () => deaths++,
    measured: (latency) => measured.push(latency),
  });
  pulse.start();
  place.pass(20);
  answer();
});

// answer is the hub's pong to the last ping, from a clock that is 5 s ahead.
function answer() {
  pulse.heard();
  pulse.pong({ type: "pong", t: pings.at(-1), now: place.world.now() + 5000 - 10 });
}

test("a connection is measured when it begins", () => {
  assert.deepEqual(pings, [0]);
  assert.deepEqual(measured, [{ latencyMs: 20, clockOffsetMs: 5000 }]);
});

test("a silence is ended by a ping, and one without an answer is death", () => {
  place.pass(29_999);
  assert.equal(pings.length, 1);
  place.pass(1);
  assert.equal(pings.length, 2);
  place.pass(9999);
  assert.equal(deaths, 0);
  place.pass(1);
  assert.equal(deaths, 1);
});

test("anything that is heard is a sign of life", () => {
  place.pass(30_000);
  pulse.heard();
  place.pass(10_000);
  assert.equal(deaths, 0);
});

test("a room that is never silent is asked seldom, to measure", () => {
  for (let i = 0; i < 600; i++) {
    place.pass(1000);
    pulse.heard();
    if (pings.length > measured.length) answer();
  }
  assert.equal(deaths, 0);
  assert.ok(pings.length >= 6 && pings.length <= 11, `${pings.length} pings in 10 minutes`);
});

test("a deadline that passed in a sleep is moved once", () => {
  place.pass(30_000);
  place.sleep(600_000);
  assert.deepEqual([deaths, pings.length], [0, 3], "what was said meanwhile may not be read yet");
  place.pass(10_000);
  assert.equal(deaths, 1);
});

test("a machine that sleeps again and again has no endless excuse", () => {
  place.pass(30_000);
  place.sleep(600_000);
  place.sleep(600_000);
  assert.equal(deaths, 1);
});

test("a check asks at once, and one question at a time", () => {
  place.pass(1000);
  pulse.check();
  pulse.check();
  assert.equal(pings.length, 2);
  place.pass(10_000);
  assert.equal(deaths, 1);
});

test("an answer to an earlier question measures nothing", () => {
  place.pass(1000);
  pulse.check();
  pulse.pong({ type: "pong", t: 0, now: 0 });
  pulse.pong({ type: "pong", now: 0 });
  assert.equal(measured.length, 1);
});

test("the clocks' distance is that of the fastest answer", () => {
  place.pass(1000);
  pulse.check();
  place.pass(2000);
  pulse.pong({ type: "pong", t: pings.at(-1), now: place.world.now() + 5000 });
  assert.deepEqual(measured.at(-1), { latencyMs: 2000, clockOffsetMs: 5000 });
});

test("nothing is left when the connection is over", () => {
  pulse.stop();
  assert.equal(place.timersLeft, 0);
});
