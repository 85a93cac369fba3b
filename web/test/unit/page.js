// What a browser keeps for pages, as far as the client uses it: Web Locks and tab storage.

// Locks is a lock manager that all pages of an origin share; page makes one page's view of it.
export class Locks {
  #held = new Map(); // name -> { page, release }
  #queues = new Map(); // name -> waiting requests, in order
  #pages = 0;

  page() {
    const page = ++this.#pages;
    return {
      request: (name, options, callback) => this.#request(page, name, callback ? options : {}, callback ?? options),
      query: async () => ({ held: [...this.#held].map(([name, lock]) => ({ name, clientId: `page${lock.page}` })) }),
      // crash ends the page: the browser takes its locks back.
      crash: () => {
        for (const [name, lock] of [...this.#held]) if (lock.page === page) this.#free(name);
      },
    };
  }

  // names lists what is held.
  get names() {
    return [...this.#held.keys()];
  }

  #request(page, name, { signal }, callback) {
    return new Promise((resolve, reject) => {
      const request = { page, callback, resolve, reject };
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, [...queue, request]);
      signal?.addEventListener("abort", () => {
        const waiting = this.#queues.get(name) ?? [];
        if (!waiting.includes(request)) return;
        this.#queues.set(name, waiting.filter((r) => r !== request));
        reject(new DOMException("aborted", "AbortError"));
      });
      queueMicrotask(() => this.#grant(name));
    });
  }

  #grant(name) {
    const [request, ...rest] = this.#queues.get(name) ?? [];
    if (request === undefined || this.#held.has(name)) return;
    this.#queues.set(name, rest);
    const lock = { page: request.page };
    this.#held.set(name, lock);
    Promise.resolve({ name })
      .then(request.callback)
      .then(request.resolve, request.reject)
      .finally(() => this.#held.get(name) === lock && this.#free(name));
  }

  #free(name) {
    this.#held.delete(name);
    this.#grant(name);
  }
}

// Store is a tab's storage, with the faults that a browser's may have.
export class Store {
  items = new Map();
  room = Infinity; // items that fit
  isForbidden = false; // every use throws

  // copy is what "duplicate tab" makes.
  copy() {
    const copy = new Store();
    copy.items = new Map(this.items);
    return copy;
  }

  get length() {
    this.#check();
    return this.items.size;
  }

  key(index) {
    this.#check();
    return [...this.items.keys()][index] ?? null;
  }

  getItem(key) {
    this.#check();
    return this.items.get(key) ?? null;
  }

  setItem(key, value) {
    this.#check();
    if (!this.items.has(key) && this.items.size >= this.room) throw new DOMException("full", "QuotaExceededError");
    this.items.set(key, value);
  }

  removeItem(key) {
    this.#check();
    this.items.delete(key);
  }

  #check() {
    if (this.isForbidden) throw new DOMException("forbidden", "SecurityError");
  }
}
