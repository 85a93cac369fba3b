import assert from "node:assert/strict";
import { test } from "node:test";

import { read } from "../../static/giftwire/frames.js";

function all(frame) {
  const faults = [];
  return { events: read(frame, (fault) => faults.push(fault)), faults };
}

test("types that are not known, also such as every object has, are left out in silence", () => {
  const frame = '[{"type":"toString"},{"type":"__proto__"},{"type":"constructor"},{"type":"balloons"},{"type":"presence","viewers":1}]';
  assert.deepEqual(all(frame), { events: [{ type: "presence", viewers: 1 }], faults: [] });
});

test("an event that is not as agreed is left out, named, and the others are not", () => {
  const { events, faults } = all('[{"type":"presence","viewers":"1"},{"type":"presence","viewers":2}]');
  assert.deepEqual(events, [{ type: "presence", viewers: 2 }]);
  assert.deepEqual(faults, ["an event presence of the server is not as agreed: viewers is no count"]);
});

test("members that may be absent may be absent, and nothing else", () => {
  const bye = (more) => all(JSON.stringify([{ type: "bye", code: "draining", ...more }])).events.length;
  assert.deepEqual([bye({}), bye({ reconnect_in_ms: 5 }), bye({ reconnect_in_ms: null }), bye({ code: undefined })], [1, 1, 0, 0]);
});

test("a member that is named like the prototype changes none", () => {
  const { events } = all('[{"type":"presence","viewers":1,"__proto__":{"polluted":true}}]');
  assert.equal(events.length, 1);
  assert.equal({}.polluted, undefined);
});
