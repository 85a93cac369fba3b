// What the hub says is data: broken, repeated and unknown things end nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Hub } from "./hub.js";
import { open, playing } from "./rooms.js";

let hub;
before(async () => (hub = await Hub.start()));
after(() => hub.remove());

test("frames that are not understood are reported, and end nothing", async (t) => {
  let socket;
  class Noisy extends WebSocket {
    constructor(...args) {
      super(...args);
      socket = this;
    }
    say(data) {
      this.dispatchEvent(new MessageEvent("message", { data }));
    }
  }
  const room = await playing(t, hub, { WebSocket: Noisy });
  const errors = room.all("error").length;
  const bad = ["", "{", "null", "5", '"x"', "{}", "[5]", "[null]", "[{}]", new ArrayBuffer(3), '[{"type":5}]',
    '[{"type":"result","id":5}]', '[{"type":"gifts","seq":-1,"gifts":[]}]', '[{"type":"gifts","seq":1e300,"gifts":[]}]',
    '[{"type":"gifts","seq":99,"gifts":[{"nickname":{}}]}]', '[{"type":"welcome"}]', '[{"type":"bye"}]',
    '[{"type":"pong","now":"x"}]', '[{"type":"lagged","from":1,"to":"9"}]'];
  for (const frame of bad) socket.say(frame);
  assert.equal(room.all("error").length - errors, bad.length);
  assert.ok(room.all("error").every(({ code, name }) => code === "bad_frame" && name === "GiftwireError"));
  const before = room.heard.length;
  socket.say('[{"type":"toString"},{"type":"__proto__"},{"type":"balloons","n":1},{"type":"presence","viewers":7,"new":[]}]');
  assert.deepEqual(room.heard.slice(before).map(({ type, detail }) => [type, detail.viewers]), [["presence", 7]], "unknown types and members are no fault");
  const gift = room.give({ gift_id: "g1", count: 10 });
  assert.equal((await gift.result).status, "delivered");
});

test("what the hub repeats is told once; a gap that it does not announce is reported", async (t) => {
  let socket;
  class Talking extends WebSocket {
    constructor(...args) {
      super(...args);
      socket = this;
    }
    say(...events) {
      this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(events) }));
    }
  }
  const room = open(t, { url: hub.base, room: "demo", token: await hub.token(), WebSocket: Talking });
  const { seq } = await room.opened;
  const gifts = (n) => ({ type: "gifts", seq: seq + n, gifts: [] });
  socket.say(gifts(1), gifts(1), gifts(0), gifts(2));
  socket.say({ type: "lagged", from: seq + 3, to: seq + 5 }, gifts(5), gifts(6));
  assert.deepEqual(room.all("gifts").map((event) => event.seq - seq), [1, 2, 6]);
  assert.deepEqual(room.all("lagged").map(({ from, to }) => [from - seq, to - seq]), [[3, 5]]);
  assert.deepEqual(room.all("error"), []);
  socket.say(gifts(9));
  assert.deepEqual(room.all("error").map(({ code }) => code), ["gap"]);
});
