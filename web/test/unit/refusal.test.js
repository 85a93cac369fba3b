import assert from "node:assert/strict";
import { test } from "node:test";

import { askWhy } from "../../static/giftwire/refusal.js";

const PROBLEM = { "Content-Type": "application/problem+json; charset=utf-8" };

// ask asks a hub that answers so.
async function ask(status, body, headers = PROBLEM) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return askWhy({ fetch: async () => new Response(text, { status, headers }), url: "http://hub/x", token: "a.b.c", signal: AbortSignal.timeout(60_000) });
}

test("what heals is told from what does not", async () => {
  const kinds = {};
  for (const status of [400, 401, 403, 404, 408, 410, 425, 426, 429, 500, 502, 503, 504]) {
    kinds[status] = (await ask(status, { code: "x" })).kind;
  }
  assert.deepEqual(kinds, {
    400: "final", 401: "token", 403: "final", 404: "final", 408: "network", 410: "final", 425: "network", 426: "upgrade",
    429: "later", 500: "network", 502: "network", 503: "later", 504: "network",
  });
});

test("the pause that the hub asks for is read from the problem, then from the header, and bounded", async () => {
  const after = (seconds) => ({ ...PROBLEM, "Retry-After": seconds });
  const pauses = [
    await ask(429, { code: "x", retry_after_ms: 1500 }, after("7")),
    await ask(503, { code: "x" }, after("7")),
    await ask(503, { code: "x" }, after("Wed, 21 Oct 2026 07:28:00 GMT")),
    await ask(503, { code: "x" }),
    await ask(503, { code: "x", retry_after_ms: -5 }, after("99999999")),
  ];
  assert.deepEqual(pauses.map(({ ms }) => ms), [1500, 7000, 1000, 1000, 1000]);
  assert.equal((await ask(503, { code: "x" }, after("99999999"))).ms, 600_000);
});

test("a problem is copied member by member", async () => {
  const { problem } = await ask(404, { code: "room_not_found", title: "Not Found", detail: { a: 1 }, status: 200, extra: 1 });
  assert.deepEqual(problem, { status: 404, code: "room_not_found", title: "Not Found", detail: "[object Object]" });
});

test("what is no problem document is somebody else's, and passes", async () => {
  for (const [body, headers] of [
    ["<h1>sign in</h1>", { "Content-Type": "text/html" }], ["{", PROBLEM], ["null", PROBLEM], ["[]", PROBLEM],
    [{ code: 5 }, PROBLEM], [{}, PROBLEM], [{ code: "x", detail: "y".repeat(100_000) }, PROBLEM], [{ code: "x" }, {}],
  ]) assert.deepEqual(await ask(404, body, headers), { kind: "network" });
});

test("no answer is the network's", async () => {
  const asked = [];
  const fetch = async (...call) => {
    asked.push(call);
    throw new TypeError("failed to fetch");
  };
  assert.deepEqual(await askWhy({ fetch, url: "http://hub/x", token: "a.b.c", signal: AbortSignal.timeout(60_000) }), { kind: "network" });
  const [url, { headers, redirect, credentials }] = asked[0];
  assert.deepEqual([url, headers, redirect, credentials], ["http://hub/x", { Authorization: "Bearer a.b.c" }, "error", "omit"]);
});
