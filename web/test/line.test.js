// Connections that end, in every way that they can, and how the line comes back or stays away.

import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before, test } from "node:test";

import { Hub } from "./hub.js";
import { Proxy } from "./proxy.js";
import { eventually, lost, open, playing, rejects, state, throws, until } from "./rooms.js";

let hub;
before(async () => (hub = await Hub.start()));
after(() => hub.remove());

const proxied = async (t) => {
  const proxy = await Proxy.start(hub.base);
  t.after(() => proxy.stop());
  return proxy;
};

test("a lost connection is resumed: every gift is seen once, in order", async (t) => {
  const proxy = await proxied(t);
  const watcher = open(t, { url: proxy.base, room: "demo", token: await hub.token() });
  const room = await playing(t, hub);
  await watcher.opened;
  const last = room.give({ gift_id: "g1", count: 10 });
  await until(watcher, "gifts", ({ gifts }) => gifts.some(({ msg_id }) => msg_id === last.msg_id));

  await proxy.refuse();
  await state(watcher, "waiting");
  const missed = [room.give({ gift_id: "g1", count: 20 }), room.give({ gift_id: "g1", count: 10 })];
  await Promise.all(missed.map((gift) => gift.result));
  const all = until(watcher, "gifts", ({ gifts }) => gifts.some(({ msg_id }) => msg_id === missed[1].msg_id));
  await proxy.listen();
  await all;

  assert.deepEqual(watcher.all("welcome").map(({ resumed }) => resumed), [false, true]);
  assert.deepEqual([watcher.all("reset"), watcher.all("lagged"), watcher.all("error")], [[], [], []]);
  const seqs = watcher.all("gifts").map(({ seq }) => seq);
  assert.deepEqual(seqs, seqs.map((_, i) => seqs[0] + i));
  const counts = watcher.all("gifts").flatMap(({ gifts }) => gifts.map(({ msg_id }) => msg_id));
  assert.equal(new Set(counts).size, 3);
  assert.equal(counts.length, 3);
});

test("kill -9 while gifts fly: each ends delivered, once", async (t) => {
  const own = await Hub.start();
  t.after(() => own.remove());
  const room = await playing(t, own);
  const watcher = open(t, { url: own.base, room: "demo", token: await own.token() });
  await watcher.opened;
  const gifts = [];
  const give = (n) => gifts.push(...Array.from({ length: n }, () => room.give({ gift_id: "g2", count: 1 })));
  const seen = [];
  watcher.addEventListener("gifts", ({ detail }) => seen.push(...detail.gifts.map(({ msg_id }) => msg_id)));
  give(15);
  await gifts[3].accepted; // some are accepted, some are not
  await own.kill();
  await eventually("loss", () => room.state !== "open");
  give(5); // queued without a connection
  assert.equal(gifts.at(-1).state, "queued");
  await own.run();
  await Promise.all(gifts.map((gift) => gift.result));

  assert.deepEqual(gifts.map(({ state }) => state), gifts.map(() => "delivered"));
  for (const gift of gifts) assert.equal(await own.effects(gift), 1, `effects of ${gift.id}`);
  await eventually("gift for all", () => seen.length >= gifts.length);
  assert.deepEqual(seen.sort(), gifts.map(({ msg_id }) => msg_id).sort(), "everybody sees each once");
  assert.deepEqual([room.all("reset"), watcher.all("reset")], [[], []]);
  const { outcomes } = await own.json("GET", "/v1/rooms/demo/outcomes?limit=1000");
  const ledger = new Map(outcomes.map(({ id, status }) => [id, status]));
  assert.equal(outcomes.length, gifts.length, "one row a gift");
  assert.deepEqual(gifts.map(({ id }) => ledger.get(id)), gifts.map(({ state }) => state));
  assert.deepEqual(room.pending, []);
});

test("a gift that the network has swallowed is sent again, under the same id", async (t) => {
  const proxy = await proxied(t);
  const room = await playing(t, hub, { url: proxy.base, times: { pongMs: 200, silenceMs: 300 } });
  proxy.freeze(); // the connection looks alive
  const gift = room.give({ gift_id: "g1", count: 10 });
  assert.equal(gift.state, "sent");
  await lost(room);
  assert.equal((await gift.result).id, gift.id);
  assert.deepEqual([gift.state, await hub.effects(gift)], ["delivered", 1]);
});

test("an answer that the network has swallowed is asked for again, and the gift is given once", async (t) => {
  const proxy = await proxied(t);
  const room = await playing(t, hub, { url: proxy.base, times: { pongMs: 300, silenceMs: 300 } });
  const watcher = open(t, { url: hub.base, room: "demo", token: await hub.token() });
  const { user_id } = await room.opened;
  await watcher.opened;
  const delivered = until(watcher, "gifts", ({ gifts }) => gifts.some((gift) => gift.user_id === user_id));
  proxy.mute();
  const gift = room.give({ gift_id: "g1", count: 10 });
  await delivered;
  assert.deepEqual([gift.state, room.all("accepted")], ["sent", []], "it is given, and its viewer does not know");
  await lost(room);
  await gift.result;
  assert.deepEqual([gift.state, await hub.effects(gift)], ["delivered", 1]);
  assert.equal((await hub.json("GET", `/v1/rooms/demo/outcomes?limit=1000`)).outcomes.filter(({ id }) => id === gift.id).length, 1);
});

test("a connection that is dead and does not say so is noticed by a ping", async (t) => {
  const proxy = await proxied(t);
  const room = open(t, { url: proxy.base, room: "demo", token: await hub.token(), times: { silenceMs: 200, pongMs: 200 } });
  await until(room, "latency");
  proxy.freeze();
  const begun = performance.now();
  await lost(room);
  assert.ok(performance.now() - begun >= 200, "not before the deadline");
  await state(room, "open");
});

test("a drained hub says when to come back, and is obeyed", async (t) => {
  const own = await Hub.start();
  t.after(() => own.remove());
  const room = open(t, { url: own.base, room: "demo", token: await own.token() });
  await room.opened;
  const told = until(room, "bye");
  const waiting = until(room, "state", ({ state }) => state === "waiting");
  const ended = own.terminate();
  let toldAt, backAt;
  room.addEventListener("bye", () => (toldAt = performance.now()));
  room.addEventListener("state", ({ detail }) => detail.state === "connecting" && (backAt ??= performance.now()));
  const bye = await told;
  assert.equal(bye.code, "draining");
  assert.equal((await waiting).inMs, bye.reconnect_in_ms);
  await ended;
  await own.run();
  await state(room, "open");
  assert.ok(backAt - toldAt >= bye.reconnect_in_ms - 5, "not before its time");
  assert.equal(room.all("welcome")[1].resumed, true);
});

test("a room that is deleted closes the client for good", async (t) => {
  await hub.json("PUT", "/v1/rooms/short", { mini_game_id: "TinyLoveWar", anchor_id: "a" });
  const room = open(t, { url: hub.base, room: "short", token: await hub.token({ room: "short" }) });
  await room.opened;
  await hub.sim("POST", "/faults", { action: "SendDanmakuGifts", room: "short", fault: { hold: true } });
  const sent = room.give({ gift_id: "g1", count: 10 });
  await sent.accepted;
  await hub.json("DELETE", "/v1/rooms/short");
  await state(room, "closed");
  assert.equal(room.reason.code, "room_closed");
  await rejects(sent.result, "closed");
  assert.equal(sent.state, "accepted", "its state is what is known of it");
  throws(() => room.give({ gift_id: "g1", count: 10 }), "closed");
  await hub.sim("DELETE", "/faults");
  await hub.sim("POST", "/release", {});
});

test("a hub that is away is tried again, with pauses that grow", async (t) => {
  const proxy = await proxied(t);
  await proxy.refuse();
  const room = open(t, { url: proxy.base, room: "demo", token: await hub.token(), times: { backoffBaseMs: 20, backoffMaxMs: 80 } });
  await until(room, "state", () => room.all("state").filter(({ state }) => state === "waiting").length === 6);
  const pauses = room.all("state").filter(({ state }) => state === "waiting").map(({ inMs }) => inMs);
  for (const [i, pause] of pauses.entries()) {
    assert.ok(pause >= 0 && pause <= Math.min(80, 20 * 2 ** i), `pause ${i} is ${pause} ms`);
  }
  await proxy.listen();
  await room.opened;
});

test("a place that the hub does not know is a reset", async (t) => {
  const own = await Hub.start();
  t.after(() => own.remove());
  const proxy = await Proxy.start(own.base);
  t.after(() => proxy.stop());
  const room = open(t, { url: proxy.base, room: "demo", token: await own.token() });
  const { epoch, seq } = await room.opened;
  await proxy.refuse(); // a hub that is new knows no rooms at first, which would be the end
  await own.kill();
  await rm(`${own.data}/nats`, { recursive: true });
  await own.run();
  const reset = until(room, "reset");
  await proxy.listen();
  const { previous, ...now } = await reset;
  assert.deepEqual(previous, { epoch, seq });
  assert.notEqual(now.epoch, epoch);
});

test("an app may close the room in any of its listeners", async (t) => {
  for (const type of ["state", "welcome", "latency", "gift", "accepted", "result", "comments", "presence", "bye"]) {
    const own = `room-${type}`;
    await hub.json("PUT", `/v1/rooms/${own}`, { mini_game_id: "TinyLoveWar", anchor_id: "a" });
    const room = open(t, { url: hub.base, room: own, token: await hub.token({ room: own }) });
    room.addEventListener(type, () => room.close());
    // Everything that can be heard is provoked, as far as it gets.
    const other = open(t, { url: hub.base, room: own, token: await hub.token({ room: own, user_id: "other" }) });
    await other.opened;
    if (room.state !== "closed") room.give({ gift_id: "g1", count: 10 });
    if (type === "comments") other.comment("hello");
    if (type === "bye") await hub.json("DELETE", `/v1/rooms/${own}`);
    await state(room, "closed");
    assert.equal(room.reason.code, "app", type);
    assert.deepEqual(room.heard.at(-1).type, "state");
    const after = room.heard.length;
    if (type !== "bye") {
      await eventually("its leaving", async () => (await hub.json("GET", `/v1/rooms/${own}`)).viewers <= 1);
      assert.equal(room.heard.length, after, `nothing is told after close in ${type}`);
    }
    other.close();
  }
});
