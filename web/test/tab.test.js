// What a tab and its network do to a connection: hidden, offline, asleep, closed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Hub } from "./hub.js";
import { Proxy } from "./proxy.js";
import { lost, open, playing, state, until } from "./rooms.js";
import { Tab } from "./tab.js";

const HOUR = 3_600_000;

let hub;
before(async () => (hub = await Hub.start()));
after(() => hub.remove());

// tabbed is a viewer in a tab, behind a proxy of its own.
async function tabbed(t, times) {
  const proxy = await Proxy.start(hub.base);
  t.after(() => proxy.stop());
  const tab = new Tab();
  const room = await playing(t, hub, { url: proxy.base, world: tab.world, times });
  return { proxy, tab, room };
}

// The last change of the connection's state.
const last = (room) => room.all("state").at(-1);

test("a hidden tab keeps its connection", async (t) => {
  const { proxy, tab, room } = await tabbed(t, { silenceMs: 50 });
  const before = room.all("latency").length;
  tab.hide();
  await until(room, "latency", () => room.all("latency").length >= before + 3); // it is asked, and answers
  assert.deepEqual([room.state, proxy.opened], ["open", 1]);
});

test("a hidden tab that was cut off comes back lazily, and at once when it is shown", async (t) => {
  const { proxy, tab, room } = await tabbed(t, { hiddenMs: HOUR });
  tab.hide();
  proxy.cut();
  await state(room, "waiting");
  assert.ok(last(room).inMs >= HOUR / 2 && last(room).inMs < 1.5 * HOUR, `${last(room).inMs} ms`);
  tab.show();
  assert.equal(room.state, "connecting");
  await state(room, "open");
  assert.equal(room.welcome.resumed, true);
});

test("a hidden tab with a gift in flight comes back as if it were shown", async (t) => {
  const { proxy, tab, room } = await tabbed(t, { hiddenMs: HOUR });
  await hub.sim("POST", "/faults", { action: "SendDanmakuGifts", fault: { hold: true } });
  const gift = room.give({ gift_id: "g1", count: 10 });
  await gift.accepted;
  tab.hide();
  proxy.cut();
  await state(room, "waiting");
  assert.ok(last(room).inMs <= 50, `${last(room).inMs} ms`);
  await hub.sim("DELETE", "/faults");
  await hub.sim("POST", "/release", {});
  await gift.result;
});

test("without a network nobody hammers, and with it the room is back at once", async (t) => {
  const { proxy, tab, room } = await tabbed(t, { offlineMs: HOUR, backoffBaseMs: HOUR, backoffMaxMs: HOUR });
  tab.isOnline = false;
  await proxy.refuse();
  await state(room, "offline");
  assert.ok(last(room).inMs >= HOUR / 2 && last(room).inMs < 1.5 * HOUR, `${last(room).inMs} ms`);
  const gift = room.give({ gift_id: "g1", count: 10 });
  const asked = proxy.opened;
  tab.show(); // which changes nothing, while there is no network
  assert.deepEqual([room.state, proxy.opened], ["offline", asked]);
  await proxy.listen();
  tab.reconnect();
  await gift.result;
  assert.equal(gift.state, "delivered");
});

test("a room that waits to come back waits for the network when that goes, too", async (t) => {
  const { proxy, tab, room } = await tabbed(t, { backoffBaseMs: HOUR, backoffMaxMs: HOUR });
  proxy.cut();
  await state(room, "waiting");
  tab.disconnect();
  assert.equal(room.state, "offline");
  tab.reconnect();
  await state(room, "open");
});

test("an offline event alone ends no connection that lives", async (t) => {
  const { proxy, tab, room } = await tabbed(t);
  const measured = until(room, "latency");
  tab.disconnect();
  await measured;
  assert.deepEqual([room.state, proxy.opened], ["open", 1]);
});

test("a connection that died in a sleep is noticed when the tab is shown", async (t) => {
  const { proxy, tab, room } = await tabbed(t, { silenceMs: HOUR, pongMs: 100 });
  proxy.freeze();
  tab.show();
  await lost(room);
  await state(room, "open");
  assert.equal(room.welcome.resumed, true);
});

test("after close nobody listens to the tab", async (t) => {
  const { tab, room } = await tabbed(t);
  assert.equal(tab.listening, 1);
  room.close();
  assert.equal(tab.listening, 0);
  tab.wake("online");
  assert.equal(room.state, "closed");
});
