import assert from "node:assert/strict";
import { test } from "node:test";

import * as exported from "../../static/giftwire.js";
import { settle } from "../../static/giftwire/options.js";

const good = { url: "https://live.example.com", room: "demo", token: "a.b.c", WebSocket: class {} };

test("the module exports what its types say", () => {
  assert.deepEqual(Object.keys(exported).sort(), ["GiftError", "GiftwireError", "connect"]);
});

test("a wrong option is refused at the call, and named", () => {
  const wrong = {
    room: ["", "a/b", "x".repeat(65), undefined, 5],
    token: ["", undefined, 5, {}],
    url: ["not a url", "ftp://a", "https://a/?token=x", "https://a/#x", "https://u:p@a"],
    WebSocket: ["ws", {}],
    retry: ["unavailable", ["declined"], 5],
    maxInFlight: [0, 1001, "5", NaN],
    giftsPerSecond: [0, -1, 1001],
    times: [{ pongMs: 0 }, { pongMs: "5" }, { pongMs: Infinity }, { repeatForMs: 12 * 3_600_000 + 1 }, { fast: 1 }],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const names = new RegExp(name === "times" ? "times\\." : name === "WebSocket" ? "WebSocket" : name);
      assert.throws(() => settle({ ...good, [name]: value }), { code: "bad_option", message: names }, `${name}: ${value}`);
    }
  }
  for (const options of [undefined, null, "x"]) assert.throws(() => settle(options), { code: "bad_option" });
});

test("a base may be ws or http, at any path", () => {
  const bases = ["wss://a.example/", "https://a.example", new URL("https://a.example"), "ws://b:8080/live/", "http://[::1]:5/x"];
  assert.deepEqual(bases.map((url) => settle({ ...good, url }).base), [
    "https://a.example", "https://a.example", "https://a.example", "http://b:8080/live", "http://[::1]:5/x",
  ]);
});

test("a tab's storage that may not be looked at is none", (t) => {
  const before = Object.getOwnPropertyDescriptor(globalThis, "sessionStorage");
  t.after(() => (before ? Object.defineProperty(globalThis, "sessionStorage", before) : delete globalThis.sessionStorage));
  Object.defineProperty(globalThis, "sessionStorage", {
    configurable: true,
    get: () => {
      throw new DOMException("forbidden", "SecurityError");
    },
  });
  assert.equal(settle(good).storage, null);
  Object.defineProperty(globalThis, "sessionStorage", { configurable: true, value: "the tab's" });
  const { storage, trusted } = settle(good);
  assert.deepEqual([storage, trusted], ["the tab's", false]);
});
