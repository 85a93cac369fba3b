// The main job, through the real binary: gifts, comments, likes, and what everybody sees of them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { GiftError, GiftwireError } from "../static/giftwire.js";
import { Hub } from "./hub.js";
import { open, playing, rejects, throws, until } from "./rooms.js";

let hub;
before(async () => (hub = await Hub.start()));
after(() => hub.remove());

test("a viewer joins, sends 10 and 20 rockets, and everybody sees them", async (t) => {
  const watcher = open(t, { url: hub.base, room: "demo", token: await hub.token() });
  await watcher.opened;
  const room = await playing(t, hub, { token: await hub.token({ user_id: "ann", nickname: "Ann" }) });
  const seen = until(watcher, "gifts", () => watcher.all("gifts").flatMap(({ gifts }) => gifts).length === 2);

  const one = room.give({ gift_id: "g1", count: 10 });
  const two = room.give({ gift_id: "g1", count: 20, value: 10, receiver_id: "star" });
  assert.deepEqual(room.pending, [one, two]);
  const accepted = await two.accepted;
  const result = await two.result;
  await one.result;

  assert.deepEqual(accepted, { type: "accepted", id: two.id, msg_id: two.msg_id });
  assert.deepEqual([result.status, result.code, result.reason], ["delivered", 0, "ok"]);
  assert.deepEqual([two.state, two.reason, two.result_code, two.restored], ["delivered", "ok", 0, false]);
  assert.ok(two.givenAt <= two.sentAt && two.sentAt <= two.acceptedAt && two.acceptedAt <= two.decidedAt, "times in order");
  assert.match(one.id, /^[0-9a-f]{32}$/);
  assert.notEqual(one.id, two.id);
  assert.deepEqual(room.pending, []);
  assert.equal(await hub.effects(one), 1);
  const states = room.all("gift").filter(({ id }) => id === two.id).map(({ state }) => state);
  assert.deepEqual(states, ["sent", "accepted", "delivered"]);

  await seen;
  const gifts = watcher.all("gifts").flatMap((event) => event.gifts);
  const fields = ({ user_id, nickname, count, value, num, receiver_id }) => [user_id, nickname, count, value, num, receiver_id];
  assert.deepEqual(gifts.map(fields), [["ann", "Ann", 10, 10, 1, "anchor1"], ["ann", "Ann", 20, 10, 2, "star"]]);
});

test("a result is told to every connection of the sender", async (t) => {
  const token = await hub.token();
  const room = await playing(t, hub, { token });
  const other = open(t, { url: hub.base, room: "demo", token });
  await other.opened;
  const heard = until(other, "result");
  const gift = room.give({ gift_id: "g2", count: 1 });
  assert.equal((await heard).id, gift.id);
  assert.deepEqual(other.all("gift"), [], "a gift of another tab is none of this one");
});

test("what the hub does not take is rejected, with its code", async (t) => {
  const room = await playing(t, hub);
  const rejected = until(room, "rejected");
  const gift = room.give({ gift_id: "g1", count: 15 });
  await assert.rejects(gift.result, (error) => {
    assert.ok(error instanceof GiftError && error instanceof GiftwireError && error instanceof Error);
    assert.deepEqual([error.code, error.gift, error.id], ["bad_count", gift, gift.id]);
    assert.match(error.message, /tiers: 10, 66/);
    return true;
  });
  await rejects(gift.accepted, "bad_count");
  assert.deepEqual([gift.state, gift.code], ["rejected", "bad_count"]);
  assert.equal((await rejected).id, gift.id);
  await rejects(room.give({ gift_id: "nothing", count: 1 }).result, "unknown_gift");
  assert.deepEqual(room.pending, []);
});

test("a gift of a viewer who has not joined fails, with the reason", async (t) => {
  const room = open(t, { url: hub.base, room: "demo", token: await hub.token() });
  const gift = room.give({ gift_id: "g1", count: 10 }); // before there is a connection
  assert.equal(gift.state, "queued");
  const result = await gift.result;
  assert.deepEqual([result.status, result.reason, gift.state], ["failed", "not_joined_or_refused", "failed"]);
  assert.equal((await gift.accepted).id, gift.id);
});

test("a token's rights hold", async (t) => {
  const token = await hub.sign({ sub: "quiet", can: [] });
  const room = open(t, { url: hub.base, room: "demo", token });
  await rejects(room.give({ gift_id: "g1", count: 10 }).result, "not_allowed");
  const rejected = until(room, "rejected");
  const id = room.comment("hello");
  assert.deepEqual((({ id, code }) => ({ id, code }))(await rejected), { id, code: "not_allowed" });
  const error = until(room, "error");
  room.like();
  assert.equal((await error).code, "not_allowed");
});

test("wrong arguments are refused at the call", async (t) => {
  const room = open(t, { url: hub.base, room: "demo", token: await hub.token() });
  throws(() => room.comment("early"), "not_open");
  await room.opened;
  for (const request of [
    undefined, {}, { gift_id: "g1" }, { gift_id: "g1", count: 0 }, { gift_id: "g1", count: 1.5 },
    { gift_id: "g1", count: "1" }, { gift_id: "g1", count: 100_001 }, { gift_id: "", count: 1 },
    { gift_id: "a\nb", count: 1 }, { gift_id: "\ud800", count: 1 }, { gift_id: "ü".repeat(65), count: 1 },
    { gift_id: "g1", count: 1, value: 0 }, { gift_id: "g1", count: 1, receiver_id: "a b" },
  ]) throws(() => room.give(request), "bad_gift");
  for (const text of ["", "x".repeat(201), "a\u0000b", 5, undefined]) throws(() => room.comment(text), "bad_comment");
  for (const count of [0, -1, 1001, 1.5, "1"]) throws(() => room.like(count), "bad_like");
  const said = until(room, "comments");
  room.comment("🚀".repeat(200)); // characters are code points
  await said;
  assert.deepEqual([room.all("error"), room.all("rejected")], [[], []], "nothing of it reached the hub");
});

test("gifts in flight are bounded, and the bound is an error with a code", async (t) => {
  const room = open(t, { url: hub.base, room: "demo", token: await hub.token(), maxInFlight: 2 });
  const gifts = [room.give({ gift_id: "g1", count: 10 }), room.give({ gift_id: "g1", count: 10 })];
  throws(() => room.give({ gift_id: "g1", count: 10 }), "too_many");
  await Promise.all(gifts.map((gift) => gift.result));
  room.give({ gift_id: "g1", count: 10 });
});

test("a burst beyond the hub's rate is sent in the order given, and none is refused", async (t) => {
  const room = await playing(t, hub, { token: await hub.token({ user_id: "burst" }) });
  const gifts = Array.from({ length: 60 }, () => room.give({ gift_id: "g2", count: 1 }));
  await Promise.all(gifts.map((gift) => gift.result));
  const at = (gift, field) => gift[field];
  for (const field of ["sentAt", "acceptedAt"]) {
    const times = gifts.map((gift) => at(gift, field));
    assert.deepEqual(times, [...times].sort((a, b) => a - b), field);
  }
  assert.deepEqual(room.all("rejected"), []);
  const { effects } = await hub.sim("GET", "/ledger?limit=1000");
  const given = effects.filter(({ user_id }) => user_id === "burst").map(({ msg_id }) => msg_id);
  assert.deepEqual(given, gifts.map(({ msg_id }) => msg_id), "each once, in order");
});

test("likes are summed, and sent in no more than 10 frames a second", async (t) => {
  const sent = [];
  class Counting extends WebSocket {
    send(text) {
      if (JSON.parse(text).type === "like") sent.push({ at: performance.now(), count: JSON.parse(text).count });
      super.send(text);
    }
  }
  const room = open(t, { url: hub.base, room: "demo", token: await hub.token(), WebSocket: Counting });
  room.like(); // not open: lost, as likes may be
  await room.opened;
  const before = room.all("likes").length;
  const all = until(room, "likes", () => room.all("likes").slice(before).reduce((n, { count }) => n + count, 0) >= 3000);
  for (let i = 0; i < 100; i++) room.like(30);
  await all;
  assert.deepEqual(sent.map(({ count }) => count), [30, 1000, 1000, 970]);
  const gaps = sent.slice(1).map(({ at }, i) => at - sent[i].at);
  assert.ok(gaps.every((gap) => gap >= 99), `frames ${gaps} ms apart`);
});

test("latency and the clock's offset are measured", async (t) => {
  const room = open(t, { url: hub.base, room: "demo", token: await hub.token() });
  assert.equal(room.latencyMs, undefined);
  const { latencyMs, clockOffsetMs } = await until(room, "latency");
  assert.deepEqual([room.latencyMs, room.clockOffsetMs], [latencyMs, clockOffsetMs]);
  assert.ok(latencyMs > 0 && Math.abs(clockOffsetMs) <= latencyMs / 2 + 2, `same machine: ${latencyMs}, ${clockOffsetMs}`);
});

test("an app that does not look at its gifts sees no unhandled rejection", async (t) => {
  const unhandled = [];
  const listener = (error) => unhandled.push(error);
  process.on("unhandledRejection", listener);
  t.after(() => process.off("unhandledRejection", listener));
  const room = await playing(t, hub);
  const rejected = until(room, "rejected");
  room.give({ gift_id: "g1", count: 15 });
  await rejected;
  room.give({ gift_id: "g1", count: 10 });
  room.close();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(unhandled, []);
});
