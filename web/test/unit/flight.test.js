import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Flight } from "../../static/giftwire/flight.js";
import { settle } from "../../static/giftwire/options.js";
import { Clockwork } from "./clockwork.js";

const HOUR = 3_600_000;
let place, flight, sent, kept, takes;

beforeEach(() => begin());

function begin(options = {}) {
  place = new Clockwork();
  [sent, kept, takes] = [[], new Map(), true];
  const settings = settle({ url: "http://localhost", room: "demo", token: "a.b.c", WebSocket: class {}, ...options });
  flight = new Flight(settings, place.place, {
    send: (frame) => {
      if (takes) sent.push(frame.id);
      return takes;
    },
    changed: () => {},
    keep: (record) => kept.set(record.id, { ...record }),
    forget: (id) => kept.delete(id),
  });
}

const give = () => flight.give({ gift_id: "g1", count: 10 });
const accept = (gift) => flight.accepted({ type: "accepted", id: gift.id, msg_id: "m" });
const deliver = (gift) => flight.decided({ type: "result", id: gift.id, msg_id: "m", status: "delivered", code: 0, reason: "ok", message: "" });
const reject = (gift, code, retry_after_ms) =>
  flight.rejected({ type: "rejected", id: gift.id, code, message: "no", ...(retry_after_ms !== undefined && { retry_after_ms }) });
const code = (promise) => promise.then(() => assert.fail("resolved"), (error) => error.code);

test("a gift that is not answered is asked for again, ever more seldom, under its id", () => {
  const gift = give();
  flight.opened();
  const at = [];
  for (let s = 0; s < 1000; s++) {
    const before = sent.length;
    place.pass(1000);
    if (sent.length > before) at.push(s + 1);
  }
  assert.deepEqual(at, [20, 60, 140, 300, 620, 940]);
  assert.deepEqual(new Set(sent), new Set([gift.id]));
  accept(gift);
  place.pass(HOUR);
  assert.equal(sent.length, 7, "an accepted one is left in peace");
});

test("after a lost connection everything is asked for again, at the pace of new gifts, in order", () => {
  flight.opened();
  const gifts = Array.from({ length: 25 }, give);
  assert.equal(sent.length, 20);
  place.pass(1000);
  assert.deepEqual(sent, gifts.map(({ id }) => id));
  accept(gifts[1]);
  deliver(gifts[0]);
  flight.lost();
  place.pass(5000);
  sent = [];
  flight.opened();
  place.pass(1000);
  assert.deepEqual(sent, gifts.slice(1).map(({ id }) => id));
});

test("a place that comes free while gifts are looked at is not for a later one", () => {
  flight.opened();
  const gifts = Array.from({ length: 60 }, give);
  const { clock } = place.world;
  let readings = 0;
  place.world.clock = () => clock() + 5 * readings++; // from now on each look takes its time
  while (sent.length < gifts.length) place.pass(10);
  assert.deepEqual(sent, gifts.map(({ id }) => id));
});

test("a gift that could not be sent in time is not sent any more", async () => {
  const gift = give();
  place.pass(59_999);
  assert.equal(gift.state, "queued");
  place.pass(1);
  assert.deepEqual([gift.state, gift.code, await code(gift.result), await code(gift.accepted)], ["rejected", "not_sent", "not_sent", "not_sent"]);
  flight.opened();
  assert.deepEqual([sent, kept.size], [[], 0]);
});

test("no id is repeated after 12 h: then the gift is unknown", async () => {
  const gift = give();
  flight.opened();
  flight.lost();
  place.pass(12 * HOUR - 1);
  assert.equal(gift.state, "sent");
  place.pass(1);
  assert.deepEqual([gift.state, await code(gift.result), kept.size], ["unknown", "unknown", 0]);
  flight.opened();
  assert.equal(sent.length, 1);
});

test("what an earlier life of the page left goes first, if it is not too old", async () => {
  const now = place.world.now();
  const record = (id, age, more) => ({ id, at: now - age, n: 0, asked: { gift_id: "g1", count: 1 }, sent: true, ...more });
  const fresh = give();
  flight.adopt([
    record("sent", 11 * HOUR), record("stale", 12 * HOUR), record("accepted", 11.5 * HOUR, { msgId: "m" }),
    record("forgotten", 13 * HOUR, { msgId: "m" }), record("queued", 59_000, { sent: false }),
    record("late", 61_000, { sent: false }), record("future", -HOUR), record("futureNew", -HOUR, { sent: false }),
  ]);
  const all = Object.fromEntries(flight.list().map((gift) => [gift.id, gift]));
  assert.ok(Object.values(all).every(({ restored, id }) => restored === (id !== fresh.id)));
  flight.opened();
  assert.deepEqual(sent, ["accepted", "sent", "queued", fresh.id]);
  const fates = Object.fromEntries(Object.entries(all).map(([id, gift]) => [id, gift.code ?? gift.state]));
  assert.deepEqual(fates, {
    sent: "sent", accepted: "accepted", queued: "sent", [fresh.id]: "sent",
    stale: "unknown", forgotten: "unknown", late: "not_sent", future: "unknown", futureNew: "not_sent",
  });
});

test("unavailable is tried again by itself under the same id, for a while", async () => {
  const gift = give();
  flight.opened();
  reject(gift, "unavailable", 2000);
  assert.deepEqual([gift.state, kept.get(gift.id).sent], ["queued", false]);
  place.pass(2499);
  assert.equal(sent.length, 1, "not before its time, and with jitter");
  place.pass(1);
  assert.deepEqual([sent, gift.state], [[gift.id, gift.id], "sent"]);
  place.pass(8000);
  reject(gift, "unavailable", 2000);
  assert.deepEqual([gift.state, gift.code, gift.retry_after_ms, await code(gift.result)], ["rejected", "unavailable", 2000, "unavailable"]);
});

test("rate_limited and busy are tried again only where the app wants it", () => {
  for (const [retry, state] of [[["unavailable"], "rejected"], [["rate_limited", "busy"], "queued"], [[], "rejected"]]) {
    for (const passing of ["rate_limited", "busy"]) {
      begin({ retry });
      const gift = give();
      flight.opened();
      reject(gift, passing);
      assert.equal(gift.state, state, `${passing} with retry ${retry}`);
    }
  }
});

test("a passing rejection does not deny a sending whose answer was lost", () => {
  const gift = give();
  flight.opened();
  flight.lost();
  flight.opened();
  reject(gift, "rate_limited", 1000);
  assert.equal(gift.state, "sent", "the first sending may have been taken");
  place.pass(2000);
  assert.equal(sent.length, 3);
  accept(gift);
  reject(gift, "rate_limited");
  assert.equal(gift.state, "accepted", "accepted is the truth");
  deliver(gift);
  assert.equal(gift.state, "delivered");
});

test("nor one on the same connection", () => {
  const gift = give();
  flight.opened();
  place.pass(20_000);
  assert.equal(sent.length, 2);
  reject(gift, "busy", 1000);
  assert.equal(gift.state, "sent");
});

test("a gift that waits for another try does not hold up the others", () => {
  const first = give();
  flight.opened();
  reject(first, "unavailable", 5000);
  const second = give();
  assert.deepEqual(sent, [first.id, second.id]);
});

test("a gift that the socket does not take is sent on the next connection, first", () => {
  flight.opened();
  takes = false;
  const [one, two] = [give(), give()];
  assert.deepEqual([one.state, kept.get(one.id).sent], ["queued", false]);
  takes = true;
  flight.lost();
  flight.opened();
  assert.deepEqual(sent, [one.id, two.id]);
});

test("answers that are late, repeated or strange change nothing", async () => {
  const gift = give();
  flight.opened();
  deliver(gift);
  assert.equal((await gift.accepted).msg_id, "m", "a result says that it was accepted");
  accept(gift);
  reject(gift, "busy");
  flight.decided({ type: "result", id: gift.id, msg_id: "m", status: "failed", code: 1, reason: "refused", message: "" });
  accept({ id: "nobody's" });
  assert.deepEqual([gift.state, flight.list(), kept.size], ["delivered", [], 0]);
  const other = give();
  flight.decided({ type: "result", id: other.id, msg_id: "m", status: "fine?", code: 1, reason: "x", message: "" });
  assert.equal(other.state, "unresolved", "a status that is not known is no delivery");
});

test("a listener may give: the gift is sent after those before it", () => {
  let again;
  begin({ maxInFlight: 2 });
  flight = new Flight(settle({ url: "http://localhost", room: "demo", token: "a.b.c", WebSocket: class {} }), place.place, {
    send: (frame) => (sent.push(frame.id), true),
    changed: () => (again ??= give()),
    keep: () => {},
    forget: () => {},
  });
  flight.opened();
  const first = give();
  assert.deepEqual(sent, [first.id, again.id]);
});

test("the end: what was never sent is surely not given, the rest stays kept", async () => {
  flight.opened();
  const gone = give();
  flight.lost();
  const never = give();
  flight.end();
  assert.deepEqual([gone.state, await code(gone.result)], ["sent", "closed"]);
  assert.deepEqual([never.state, await code(never.result)], ["rejected", "not_sent"]);
  assert.deepEqual([[...kept.keys()], place.timersLeft], [[gone.id], 0]);
  assert.throws(give, { code: "closed" });
});
