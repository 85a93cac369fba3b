// What of the demo page needs no browser: counts and tiers, combos, and the bounds of the stage.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Combo, FUSE_MS } from "../../static/demo/combo.js";
import { amount, choices, outcome, tierOf } from "../../static/demo/effects.js";
import { Scene } from "../../static/demo/stage/scene.js";

const rocket = { gift_id: "g1", name: "Rocket", icon: "", tiers: [{ value: 10, effect: "soldier" }, { value: 66, effect: "general" }] };
const rose = { gift_id: "g2", name: "Rose", icon: "", tiers: [{ value: 1, effect: "cheer" }, { value: 99, effect: "heal" }] };

test("every count that is offered is of the tier that is promised", () => {
  for (const gift of [rocket, rose, { ...rocket, tiers: [] }, { ...rocket, tiers: [{ value: 100_000, effect: "all" }] }]) {
    const offered = choices(gift);
    assert.ok(offered.length >= 1 && offered.length <= 5);
    for (const { count, value } of offered) {
      assert.ok(count <= 100_000);
      assert.equal(count % value, 0);
      assert.equal(tierOf(gift, count), value);
    }
    assert.equal(new Set(offered.map(({ count }) => count)).size, offered.length);
  }
  assert.deepEqual(choices(rocket).map(({ count }) => count), [10, 20, 50, 66, 132]);
});

test("amounts and outcomes are said as people say them", () => {
  assert.equal(amount(rocket, 1), "1 rocket");
  assert.equal(amount(rocket, 1320), "1,320 rockets");
  assert.equal(outcome(rocket, { value: 66, num: 2 }), "2 generals");
  assert.equal(outcome(rose, { value: 1, num: 3 }), "3 cheers");
});

test("fast taps are one gift, of the tier that was tapped", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const given = [];
  const combo = new Combo((gift) => given.push(gift), () => 0);
  for (let i = 0; i < 66; i++) combo.tap("g1", { count: 10, value: 10 }, 10_000);
  t.mock.timers.tick(FUSE_MS - 1);
  assert.deepEqual(given, []);
  combo.tap("g1", { count: 10, value: 10 }, 10_000);
  t.mock.timers.tick(FUSE_MS - 1);
  assert.deepEqual(given, []);
  t.mock.timers.tick(1);
  assert.deepEqual(given, [{ gift_id: "g1", count: 670, value: 10 }]);
  assert.equal(combo.taps, 0);
});

test("another count, too many taps, or tapping on and on end a combo", () => {
  let now = 0;
  const given = [];
  const combo = new Combo((gift) => given.push(gift.count), () => now);
  combo.tap("g1", { count: 10, value: 10 }, 3);
  combo.tap("g1", { count: 66, value: 66 }, 3); // another count
  combo.tap("g1", { count: 66, value: 66 }, 3);
  combo.tap("g1", { count: 66, value: 66 }, 3); // as many as one gift has
  combo.tap("g1", { count: 10, value: 10 }, 100);
  now = 20_000;
  combo.tap("g1", { count: 10, value: 10 }, 100); // for very long
  assert.deepEqual(given, [10, 198, 20]);
});

/** Plays so many seconds, in frames. */
function play(scene, seconds, each = () => {}) {
  for (let i = 0; i < seconds * 60; i++) {
    each(i);
    scene.step(1 / 60);
  }
}

test("the stage is bounded in a storm, says how many came, and comes to rest", () => {
  const scene = new Scene(false, () => 0.5);
  const said = new Set();
  play(scene, 10, (i) => {
    for (const side of ["blue", "red"]) {
      scene.give(side, "soldier", 3, "");
      scene.give(side, "general", 1, "Ann");
      scene.give(side, i % 2 ? "cheer" : "heal", 50, "");
    }
    scene.like(500);
    assert.ok(scene.figures.filter(({ charging }) => !charging).length <= 70, "figures");
    assert.ok(scene.figures.length <= 200 && scene.bits.length <= 90 && scene.flags.length <= 5, "all");
    for (const { text } of scene.flags) said.add(text);
  });
  assert.ok([...said].some((text) => /\+\d\d+ soldiers/.test(text)), [...said].join());
  play(scene, 20);
  assert.equal(scene.busy, false);
});

test("a soldier marches from its castle to the front, and without movement is there", () => {
  const scene = new Scene(false, () => 0.5);
  scene.give("blue", "soldier", 1, "Ann");
  scene.step(0.01);
  const [soldier] = scene.figures;
  const begun = soldier.x;
  play(scene, 1);
  assert.ok(soldier.x > begun + 10);
  play(scene, 10);
  const calm = new Scene(true);
  calm.give("blue", "soldier", 1, "Ann");
  calm.step(0.01);
  assert.equal(calm.figures[0].x, soldier.x);
});
