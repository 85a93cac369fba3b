// A browser tab for rooms under test: the test says whether it is shown and online.

import { world } from "../static/giftwire/world.js";

export class Tab {
  #wakers = new Set();
  isOnline = true;
  isHidden = false;

  // locks are those of a page, see unit/page.js.
  constructor(locks) {
    this.world = {
      ...world(),
      online: () => this.isOnline,
      hidden: () => this.isHidden,
      watch: (wake) => {
        this.#wakers.add(wake);
        return () => this.#wakers.delete(wake);
      },
      locks,
    };
  }

  // listening counts the rooms that listen.
  get listening() {
    return this.#wakers.size;
  }

  wake(why) {
    for (const wake of this.#wakers) wake(why);
  }

  disconnect() {
    this.isOnline = false;
    this.wake("offline");
  }

  reconnect() {
    this.isOnline = true;
    this.wake("online");
  }

  hide() {
    this.isHidden = true;
  }

  show() {
    this.isHidden = false;
    this.wake("shown");
  }
}
