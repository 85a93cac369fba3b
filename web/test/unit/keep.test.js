import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { newId } from "../../static/giftwire/gift.js";
import { Keep } from "../../static/giftwire/keep.js";
import { Clockwork, settled } from "./clockwork.js";
import { Locks, Store } from "./page.js";

const OWNER = "https://live.example.com|demo|ann";
let locks, store, faults;

beforeEach(() => {
  [locks, store, faults] = [new Locks(), new Store(), []];
});

// page is a room object on a page of its own, with what it would need to crash.
function page(storage = store, { trusted = false, view = locks.page() } = {}) {
  const place = new Clockwork();
  place.world.locks = view ?? undefined;
  const keep = new Keep({ storage, trusted }, place.place, (error) => faults.push(error));
  return Object.assign(keep, { place, view });
}

const record = (more) => ({ id: newId(), at: 5, n: 0, asked: { gift_id: "g1", count: 10 }, sent: true, ...more });

test("what is kept is there after a reload, as it was last", async () => {
  const before = page();
  const [early, late, gone] = [record(), record({ n: 1, asked: { gift_id: "g1", count: 1, value: 1, receiver_id: "a" } }), record({ n: 2 })];
  before.put(early); // before it is known who the user is
  assert.deepEqual(await before.open(OWNER), []);
  before.put(late);
  before.put(gone);
  before.put({ ...early, msgId: "m" });
  before.remove(gone.id);
  before.view.crash();
  const after = page();
  const left = await after.open(OWNER);
  assert.deepEqual(left.sort((a, b) => a.n - b.n), [{ ...early, msgId: "m" }, late]);
  assert.deepEqual(await page().open(OWNER + "2"), [], "another user's");
  after.remove(early.id);
  after.remove(late.id);
  assert.deepEqual([store.items.size, faults], [0, []]);
});

test("what was given before the first welcome is kept from then on", async () => {
  const before = page();
  const early = record();
  before.put(early);
  assert.equal(store.items.size, 0, "whose it is, is not known");
  await before.open(OWNER);
  before.view.crash();
  assert.deepEqual(await page().open(OWNER), [early]);
});

test("a room that was closed leaves its gifts to the next one on the page", async () => {
  const view = locks.page();
  const first = page(store, { view });
  await first.open(OWNER);
  const kept = record();
  first.put(kept);
  first.end();
  await settled();
  assert.deepEqual(locks.names, []);
  assert.deepEqual(await page(store, { view }).open(OWNER), [kept]);
});

test("two rooms on one page leave each other's gifts alone", async () => {
  const view = locks.page();
  const first = page(store, { view });
  await first.open(OWNER);
  first.put(record());
  const second = page(store, { view });
  const opened = second.open(OWNER);
  await settled();
  second.place.pass(1000); // the handover
  assert.deepEqual(await opened, []);
  assert.equal(store.items.size, 1);
});

test("a copied tab does not send the gifts of the tab that it is a copy of", async () => {
  const original = page();
  await original.open(OWNER);
  original.put(record());
  const copied = store.copy();
  const copy = page(copied);
  const opened = copy.open(OWNER);
  await settled();
  copy.place.pass(1000);
  assert.deepEqual(await opened, []);
  assert.deepEqual([copied.items.size, store.items.size], [0, 1], "nor later, when the other has gone");
  original.view.crash();
  assert.equal((await page().open(OWNER)).length, 1, "which its own reload does");
});

test("a page that is going away while the new one comes hands over", async () => {
  const before = page();
  await before.open(OWNER);
  before.put(record());
  const after = page();
  const opened = after.open(OWNER);
  await settled();
  after.place.pass(999);
  before.view.crash();
  assert.equal((await opened).length, 1);
});

test("without locks nothing is kept, unless the app says that nobody shares the storage", async () => {
  const untrusted = page(store, { view: null });
  await untrusted.open(OWNER);
  untrusted.put(record());
  assert.equal(store.items.size, 0);
  const trusted = page(store, { view: null, trusted: true });
  await trusted.open(OWNER);
  trusted.put(record());
  assert.equal((await page(store, { view: null, trusted: true }).open(OWNER)).length, 1);
  assert.deepEqual(await page(null).open(OWNER), [], "no storage at all");
  assert.deepEqual(faults, []);
});

test("a storage that throws is told once, and the gifts go on in memory", async () => {
  store.isForbidden = true;
  const keep = page();
  assert.deepEqual(await keep.open(OWNER), []);
  keep.put(record());
  keep.remove(record().id);
  assert.deepEqual(faults.map(({ code }) => code), ["storage_failed"]);
  assert.equal(faults[0].cause.name, "SecurityError");
});

test("a storage that becomes forbidden while the page lives is told once", async () => {
  const keep = page();
  await keep.open(OWNER);
  store.isForbidden = true;
  for (let i = 0; i < 3; i++) keep.put(record());
  assert.deepEqual(faults.map(({ code }) => code), ["storage_failed"]);
});

test("a full storage keeps what fits, and no outdated state of what does not", async () => {
  const keep = page();
  await keep.open(OWNER);
  const [one, two] = [record(), record()];
  keep.put(one);
  store.room = 1;
  keep.put(two);
  assert.deepEqual([store.items.size, faults.map(({ code }) => code)], [1, ["storage_failed"]]);
  store.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  keep.put({ ...one, msgId: "m" });
  assert.equal(store.items.size, 0);
});

test("what somebody else has written is ignored, and goes", async () => {
  const before = page();
  await before.open(OWNER);
  const good = record();
  before.put(good);
  before.view.crash();
  const [key, text] = [...store.items][0];
  const wrong = ["", "{", "null", "5", "[]", "{}", text.replace('"g1"', "5"), text.replace('"at":5', '"at":"5"'), text.replace(/[0-9a-f]{32}/, "../../x"), text.replace('"count":10', '"count":1e9')];
  for (const [i, bad] of wrong.entries()) store.items.set(key + i, bad);
  store.items.set("other", "app's");
  store.items.set("giftwire.1:", "odd");
  assert.deepEqual(await page().open(OWNER), [good]);
  assert.deepEqual([...store.items.values()].sort(), [JSON.stringify(good), "app's", "odd"].sort());
  assert.deepEqual(faults, []);
});

test("a room that is closed while it opens takes nothing over", async () => {
  const before = page();
  await before.open(OWNER);
  before.put(record());
  before.view.crash();
  const closing = page();
  const opened = closing.open(OWNER);
  closing.end();
  assert.deepEqual(await opened, []);
  await settled();
  assert.deepEqual([store.items.size, locks.names], [1, []]);
});
