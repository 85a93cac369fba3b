// The binary serves the client as it is here.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { Hub } from "./hub.js";

let hub;
before(async () => (hub = await Hub.start()));
after(() => hub.remove());

const here = new URL("../static/", import.meta.url);

test("every module is served as JavaScript, and the types beside them", async () => {
  const modules = ["giftwire.js", ...(await readdir(new URL("giftwire/", here))).map((name) => `giftwire/${name}`)];
  assert.ok(modules.length > 10);
  for (const name of [...modules, "giftwire.d.ts"]) {
    const response = await fetch(`${hub.base}/${name}`);
    assert.equal(response.status, 200, name);
    assert.equal(await response.text(), await readFile(new URL(name, here), "utf8"), `${name}: is the binary an old one?`);
    if (name.endsWith(".js")) assert.match(response.headers.get("Content-Type"), /^text\/javascript\b/, name);
  }
});

test("what is for the tests is not served", async () => {
  for (const name of ["package.json", "node_modules/ws/package.json", "test/hub.js", "web.go"]) {
    assert.equal((await fetch(`${hub.base}/${name}`)).status, 404, name);
  }
});
