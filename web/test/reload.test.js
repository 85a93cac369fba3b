// Gifts in flight over the life of a page: reloads, copied tabs, rooms that are closed and opened.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { Hub } from "./hub.js";
import { open, playing, rejects, until } from "./rooms.js";
import { Tab } from "./tab.js";
import { Locks, Store } from "./unit/page.js";

let hub, locks, token, user;
before(async () => (hub = await Hub.start()));
after(() => hub.remove());
beforeEach(async () => {
  locks = new Locks();
  user = `user${Math.floor(Math.random() * 1e9)}`;
  token = await hub.token({ user_id: user });
});

// page opens the room on a page of its own, in a tab with this storage.
async function page(t, storage) {
  const view = locks.page();
  const { world } = new Tab(view);
  world.locks = view;
  const { sessionStorage } = globalThis;
  globalThis.sessionStorage = storage; // as the browser has it, not handed in by the app
  const room = open(t, { url: hub.base, room: "demo", token, world, storage: undefined });
  globalThis.sessionStorage = sessionStorage;
  return Object.assign(room, { crash: () => crash(room, view) });
}

// crash is what a reload does: no code of the page runs any more, and its locks go.
function crash(room, view) {
  room.dispatchEvent = () => true;
  view.crash();
}

// held lets ZEGO answer nothing until it is released.
async function held(t) {
  const release = async () => {
    await hub.sim("DELETE", "/faults");
    await hub.sim("POST", "/release", {});
  };
  await hub.sim("POST", "/faults", { action: "SendDanmakuGifts", fault: { hold: true } });
  t.after(release);
  return release;
}

// join makes the user one who plays, so that gifts are delivered.
async function join(t) {
  const room = await playing(t, hub, { token });
  room.close();
}

test("a gift in flight is there after a reload, and gets its result", async (t) => {
  await join(t);
  const storage = new Store();
  const release = await held(t);
  const before = await page(t, storage);
  const lost = before.give({ gift_id: "g1", count: 20 });
  await lost.accepted;
  assert.equal(storage.length, 1);
  before.crash();
  before.close();

  const after = await page(t, storage);
  const { detail } = await new Promise((resolve) => after.addEventListener("gift", resolve, { once: true }));
  assert.deepEqual([detail.id, detail.state, detail.restored, detail.count, detail.givenAt], [lost.id, "accepted", true, 20, lost.givenAt]);
  assert.deepEqual(after.pending, [detail]);
  await release();
  assert.equal((await detail.result).status, "delivered");
  assert.deepEqual([await hub.effects(detail), storage.length], [1, 0]);
});

test("a gift whose sending is in doubt is asked for after a reload, and given once", async (t) => {
  await join(t);
  const storage = new Store();
  const before = await page(t, storage);
  const sending = until(before, "gift", ({ state }) => state === "sent");
  const doubtful = before.give({ gift_id: "g1", count: 10 });
  await sending;
  const [[key, text]] = storage.items;
  assert.equal(JSON.parse(text).sent, true, "kept as sent before it is");
  const { msg_id } = await doubtful.result;
  before.crash();
  before.close();
  storage.items.set(key, text); // as if the page had died before it heard an answer

  const after = await page(t, storage);
  const { id } = await until(after, "gift", ({ state }) => state === "delivered");
  assert.equal(id, doubtful.id);
  assert.deepEqual([await hub.effects({ msg_id }), storage.length], [1, 0]);
});

test("a copied tab does not have the gifts of its original", async (t) => {
  const storage = new Store();
  const release = await held(t);
  const original = await page(t, storage);
  const gift = original.give({ gift_id: "g1", count: 10 });
  await gift.accepted;
  const copied = storage.copy();
  const copy = await page(t, copied);
  const own = copy.give({ gift_id: "g1", count: 10 }); // waits until the copies are judged
  await own.accepted;
  assert.deepEqual([copy.pending, copied.length], [[own], 1]);
  assert.deepEqual(copy.all("gift").filter(({ id }) => id === gift.id), []);
  await release();
  await Promise.all([gift.result, own.result]);
});

test("a room that is opened again asks for what the closed one has left", async (t) => {
  const storage = new Store();
  const release = await held(t);
  const first = await page(t, storage);
  const gift = first.give({ gift_id: "g1", count: 10 });
  await gift.accepted;
  first.close();
  await rejects(gift.result, "closed");
  const second = await page(t, storage);
  await release();
  const { id, restored } = await until(second, "gift", ({ decidedAt }) => decidedAt !== undefined);
  assert.deepEqual([id, restored, storage.length], [gift.id, true, 0]);
});

test("another user of the tab does not see it", async (t) => {
  const storage = new Store();
  const release = await held(t);
  const first = await page(t, storage);
  await first.give({ gift_id: "g1", count: 10 }).accepted;
  first.close();
  token = await hub.token();
  const second = await page(t, storage);
  assert.equal((await second.opened).user_id === user, false);
  await second.give({ gift_id: "g1", count: 10 }).accepted;
  assert.deepEqual([second.pending.length, storage.length], [1, 2]);
  await release();
});

test("a storage that is full or forbidden costs the reload, not the gift", async (t) => {
  for (const fault of [{ room: 0 }, { isForbidden: true }]) {
    const room = await page(t, Object.assign(new Store(), fault));
    await room.give({ gift_id: "g1", count: 10 }).result;
    await room.give({ gift_id: "g1", count: 10 }).result;
    assert.deepEqual(room.all("error").map(({ code }) => code), ["storage_failed"]);
  }
});

test("a closed room leaves no lock and no timer", async (t) => {
  const room = await page(t, new Store());
  await room.opened;
  await room.give({ gift_id: "g1", count: 10 }).result;
  assert.equal(locks.names.length, 1);
  room.close();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(locks.names, []);
});
