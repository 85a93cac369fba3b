// A place to run in whose time the test moves, and whose chance, network and tab it decides.

export class Clockwork {
  #time = 0;
  #waiting = new Set();
  #wakers = new Set();
  #ended = false;
  epoch = 1_750_000_000_000; // Unix ms at the start
  chance = 0.5;
  isOnline = true;
  isHidden = false;

  world = {
    now: () => this.epoch + this.#time,
    clock: () => this.#time,
    random: () => this.chance,
    online: () => this.isOnline,
    hidden: () => this.isHidden,
    watch: (wake) => {
      this.#wakers.add(wake);
      return () => this.#wakers.delete(wake);
    },
    locks: undefined,
  };

  timers = {
    set: (fn, ms) => {
      if (this.#ended) return undefined;
      const timer = { fn, at: this.#time + Math.max(ms, 0) };
      this.#waiting.add(timer);
      return timer;
    },
    clear: (timer) => this.#waiting.delete(timer),
    end: () => {
      this.#ended = true;
      this.#waiting.clear();
    },
  };

  // place is what the client's parts are made with.
  get place() {
    return { world: this.world, timers: this.timers };
  }

  // timersLeft counts what would still fire.
  get timersLeft() {
    return this.#waiting.size;
  }

  // listening counts who listens to network and tab.
  get listening() {
    return this.#wakers.size;
  }

  // pass lets time go by; timers fire at their time, in order.
  pass(ms) {
    const end = this.#time + ms;
    for (;;) {
      const next = [...this.#waiting].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#waiting.delete(next);
      this.#time = Math.max(this.#time, next.at);
      next.fn();
    }
    this.#time = Math.max(this.#time, end);
  }

  // sleep is a machine that sleeps: what should have fired fires late, at the end.
  sleep(ms) {
    this.#time += ms;
    this.pass(0);
  }

  wake(why) {
    for (const wake of this.#wakers) wake(why);
  }
}

// settled lets all promises that are ready go on.
export function settled() {
  return new Promise((resolve) => setImmediate(resolve));
}
