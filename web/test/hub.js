// A real giftwire process for tests: started, killed and started again on the same port.

import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const API_KEY = "giftwire-dev-api-key";

// The bound of every wait: machines are shared.
export const PATIENCE_MS = 60_000;

export class Hub {
  #args;
  #process;
  #log = "";
  data;
  base = "";

  constructor(data, args) {
    this.data = data;
    this.#args = args;
  }

  // start runs `giftwire dev` on a free port.
  static async start(args = []) {
    const hub = new Hub(await mkdtemp(join(tmpdir(), "giftwire-js-")), args);
    await hub.run("127.0.0.1:0");
    return hub;
  }

  // run starts the process; after a kill on the address that it had.
  async run(listen = new URL(this.base).host) {
    const binary = process.env.GIFTWIRE_BINARY;
    if (!binary) throw new Error("GIFTWIRE_BINARY must name the giftwire binary: run `go test ./web`");
    const args = ["dev", "--data", this.data, "--listen", listen, ...this.#args];
    this.#process = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#process.stderr.on("data", (text) => (this.#log += text));
    const ended = once(this.#process, "exit").then(([code]) => {
      throw new Error(`giftwire ended with ${code}: ${this.#log}`);
    });
    ended.catch(() => {}); // of interest only while it starts
    this.base = await Promise.race([this.#page(), ended]);
    process.once("exit", this.#reap);
  }

  // A test that fails must not leave a process behind.
  #reap = () => this.#process.kill("SIGKILL");

  async #page() {
    const lines = createInterface({ input: this.#process.stdout });
    for await (const line of lines) {
      const [, page] = /^ *page +(http:.*)\/$/.exec(line) ?? [];
      if (page) {
        this.#process.stdout.resume();
        return page;
      }
    }
    throw new Error(`giftwire did not say where its page is: ${this.#log}`);
  }

  // kill is kill -9.
  async kill() {
    await this.#signal("SIGKILL");
  }

  // terminate lets it drain.
  async terminate() {
    await this.#signal("SIGTERM");
  }

  async #signal(name) {
    process.off("exit", this.#reap);
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, "exit");
    this.#process.kill(name);
    await exit;
  }

  // remove ends everything.
  async remove() {
    await this.kill();
    await rm(this.data, { recursive: true, force: true });
  }

  // token asks the hub for a viewer token, as the page does.
  async token(wish = {}) {
    const { token } = await this.json("POST", "/v1/dev/tokens", wish);
    return token;
  }

  // sign makes a token of any claims, with the hub's own secret or a wrong one.
  async sign(claims, secret) {
    secret ??= (await readFile(join(this.data, "keys"), "utf8")).split("\n")[0];
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const seconds = Math.floor(Date.now() / 1000);
    const all = { sub: "ann", aud: ["giftwire"], iat: seconds, exp: seconds + 3600, ...claims };
    const head = `${part({ alg: "HS256", typ: "JWT" })}.${part(all)}`;
    return `${head}.${createHmac("sha256", secret).update(head).digest("base64url")}`;
  }

  // sim calls the simulated ZEGO's own API.
  sim(method, path, body) {
    return this.json(method, `/sim${path}`, body);
  }

  async json(method, path, body) {
    const response = await fetch(this.base + path, {
      method,
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${API_KEY}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  // effects tells how often ZEGO has given a gift.
  async effects(gift) {
    return (await this.sim("GET", `/gifts/${gift.msg_id}`)).effects;
  }
}
