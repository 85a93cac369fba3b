// A TCP proxy in front of the hub: networks that stall, break and refuse.

import { once } from "node:events";
import { connect, createServer } from "node:net";

export class Proxy {
  #server;
  #target;
  #links = new Set(); // { viewer, hub, lost: the sides whose bytes are swallowed }
  opened = 0; // connections since the start

  // start listens on a free port in front of a hub's base.
  static async start(base) {
    const proxy = new Proxy();
    proxy.#target = new URL(base);
    proxy.#server = createServer((socket) => proxy.#relay(socket));
    await proxy.listen(0);
    return proxy;
  }

  async listen(port = this.port) {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = this.#server.address().port;
  }

  get base() {
    return `http://127.0.0.1:${this.port}`;
  }

  #relay(viewer) {
    this.opened++;
    const hub = connect(Number(this.#target.port), this.#target.hostname);
    const link = { viewer, hub, lost: new Set() };
    this.#links.add(link);
    const pass = (from, to) => {
      from.on("data", (bytes) => link.lost.has(from) || to.write(bytes));
      from.on("error", () => {}); // close follows
      from.on("close", () => {
        if (!link.lost.has(from)) to.destroy();
        if (to.destroyed) this.#links.delete(link);
      });
    };
    pass(viewer, hub);
    pass(hub, viewer);
  }

  // freeze swallows whatever the connections that there are still say, as a dead cable does: they
  // look alive.
  freeze() {
    for (const { viewer, hub, lost } of this.#links) lost.add(viewer).add(hub);
  }

  // mute lets the hub hear them, and the viewers not.
  mute() {
    for (const { hub, lost } of this.#links) lost.add(hub);
  }

  // cut ends all connections.
  cut() {
    for (const { viewer, hub } of this.#links) {
      viewer.destroy();
      hub.destroy();
    }
  }

  // refuse takes no connections any more, until listen.
  async refuse() {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }

  async stop() {
    if (this.#server.listening) await this.refuse();
    this.cut();
  }
}
