import assert from "node:assert/strict";
import { test } from "node:test";

import { backoff, lazily, ordered, Pace } from "../../static/giftwire/backoff.js";

test("the bound of a return doubles up to the maximum, and chance takes anything below", () => {
  const bounds = [0, 1, 2, 3, 4, 5, 6].map((failures) => backoff(failures, 1000, 30_000, 1));
  assert.deepEqual(bounds, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  assert.equal(backoff(3, 1000, 30_000, 0), 0, "full jitter begins at once");
  assert.equal(backoff(3, 1000, 30_000, 0.25), 2000);
});

test("any number of failures leaves the maximum what it is", () => {
  for (const failures of [31, 1000, 1e9]) assert.equal(backoff(failures, 1000, 30_000, 1), 30_000);
});

test("a lazy return is within half and one and a half", () => {
  assert.deepEqual([lazily(1000, 0), lazily(1000, 0.5), lazily(1000, 1)], [500, 1000, 1500]);
});

test("what a server asks for is bounded, and nonsense is nothing", () => {
  assert.deepEqual([0, 700, 1e12].map(ordered), [0, 700, 600_000]);
  for (const nonsense of [undefined, null, -1, NaN, "5", {}]) assert.equal(ordered(nonsense), undefined);
});

test("a pace allows so many at once, then so many a second, and saves up no more", () => {
  const pace = new Pace(4);
  const takes = (n, clock) => Array.from({ length: n }, () => pace.take(clock));
  assert.deepEqual(takes(5, 1000), [0, 0, 0, 0, 250]);
  assert.deepEqual(takes(2, 1250), [0, 250]);
  assert.deepEqual(takes(6, 100_000), [0, 0, 0, 0, 250, 250]);
  assert.equal(pace.take(50_000), 250, "a clock that went back gives nothing away");
});
