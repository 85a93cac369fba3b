// Upgrades that are refused, by the hub and by what stands in its place.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { WebSocket as NodeWebSocket } from "ws";

import { Hub } from "./hub.js";
import { open, QUICK, rejects, until } from "./rooms.js";
import { Tab } from "./tab.js";

let hub;
before(async () => (hub = await Hub.start()));
after(() => hub.remove());

// Node sends no Origin by itself.
const foreign = {
  WebSocket: class extends NodeWebSocket {
    constructor(url, protocols) {
      super(url, protocols, { origin: "https://evil.example" });
    }
  },
  fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, Origin: "https://evil.example" } }),
};

// What a refused upgrade is, the plain GET says.
for (const [what, wish, code, status] of [
  ["a room that nobody has configured", async () => ({ room: "nowhere", token: await hub.sign({}) }), "room_not_found", 404],
  ["a token for another room", async () => ({ room: "demo", token: await hub.sign({ room: "other" }) }), "wrong_room", 403],
  ["a token with a wrong signature", async () => ({ room: "demo", token: await hub.sign({}, "wrong") }), "unauthorized", 401],
  ["a token that has expired", async () => ({ room: "demo", token: await hub.sign({ exp: 1 }) }), "unauthorized", 401],
  ["something that is no token", async () => ({ room: "demo", token: "not a token" }), "unauthorized", 401],
  ["a foreign page", async () => ({ room: "demo", token: await hub.sign({}), ...foreign }), "foreign_origin", 403],
]) {
  test(`${what} closes the client for good, and it knows why`, async (t) => {
    const room = open(t, { url: hub.base, ...(await wish()) });
    await rejects(room.opened, "closed");
    assert.deepEqual([room.state, room.reason.code, room.reason.problem.status], ["closed", code, status]);
    assert.deepEqual(room.states(), ["closed"]);
    assert.ok(room.reason.message.length > 0);
  });
}

// instead is somebody who answers all requests in the hub's place; the answer is its base.
async function instead(t, answer) {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

test("an answer of somebody else's in the hub's place is no reason to stay away", async (t) => {
  const url = await instead(t, (_, response) => response.writeHead(404, { "Content-Type": "text/html" }).end("<h1>not found</h1>"));
  const room = open(t, { url, room: "demo", token: await hub.token() });
  await until(room, "state", () => room.waits().length === 3);
});

test("a hub that asks for patience is obeyed", async (t) => {
  const url = await instead(t, (_, response) => {
    response.writeHead(503, { "Content-Type": "application/problem+json", "Retry-After": "60" });
    response.end(JSON.stringify({ status: 503, code: "draining", title: "Service Unavailable", detail: "" }));
  });
  const tab = new Tab();
  const room = open(t, { url, room: "demo", token: await hub.token(), world: tab.world });
  const { inMs } = await until(room, "state", ({ state }) => state === "waiting");
  assert.ok(inMs >= 60_000 && inMs <= 60_000 + QUICK.backoffBaseMs, `${inMs} ms`);
  const events = room.heard.length;
  for (const why of ["shown", "online", "offline", "online"]) tab.wake(why);
  assert.deepEqual([room.state, room.heard.length], ["waiting", events], "nothing makes it earlier");
});

test("the limit of upgrades per address is a pause, not the end", async (t) => {
  const own = await Hub.start(); // the limit would be the other tests', too
  t.after(() => own.remove());
  const token = await own.token();
  let over = false;
  t.after(() => (over = true));
  const crowd = async () => {
    const headers = { Authorization: `Bearer ${token}` };
    while (!over) await (await fetch(`${own.base}/v1/rooms/demo/ws`, { headers })).arrayBuffer();
  };
  const crowds = Array.from({ length: 10 }, crowd);
  let room;
  do {
    room?.close();
    room = open(t, { url: own.base, room: "demo", token });
    await until(room, "state", ({ state }) => state !== "connecting");
  } while (room.state !== "waiting");
  over = true;
  await Promise.all(crowds);
  await room.opened;
});

test("an upgrade that does not get through is reported, and tried again", async (t) => {
  class Blocked extends WebSocket {
    constructor(url, protocols) {
      super(url.replace("/v1/", "/v0/"), protocols); // as by a proxy that does not know WebSocket
    }
  }
  const room = open(t, { url: hub.base, room: "demo", token: await hub.token(), WebSocket: Blocked });
  await until(room, "state", () => room.waits().length === 3);
  assert.deepEqual(room.all("error").map(({ code }) => code), ["upgrade_failed", "upgrade_failed"], "the first may be chance");
});

test("a WebSocket that does not even try closes the room", async (t) => {
  class Strict {
    constructor() {
      throw new DOMException("an insecure connection from a secure page", "SecurityError");
    }
  }
  const room = open(t, { url: hub.base, room: "demo", token: await hub.token(), WebSocket: Strict });
  await rejects(room.opened, "closed");
  assert.equal(room.reason.code, "upgrade_failed");
});

test("npm's ws will do as well", async (t) => {
  const room = open(t, { url: hub.base, room: "demo", token: await hub.token(), WebSocket: NodeWebSocket });
  await room.opened;
  assert.equal((await room.give({ gift_id: "g1", count: 10 }).result).status, "failed", "it has not joined");
  room.close();
});
