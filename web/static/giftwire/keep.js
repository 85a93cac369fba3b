// What is kept of the gifts in flight over a reload of the page: one storage item a gift.
//
// Each room object has a seat of its own, whose name stands in the items' keys and which it holds
// by a lock (Web Locks) for as long as it lives. A new one takes over the items of seats whose
// owner is gone. A seat that is still held belongs to another room object here, or this tab is a
// copy of the tab that holds it ("duplicate tab" copies sessionStorage): then the items are the
// other tab's business, and the copies go.

import { GiftwireError } from "./errors.js";
import { checked, newId } from "./gift.js";

/** @import * as api from "../giftwire.js" */
/** @import { GiftRecord } from "./gift.js" */
/** @import { Timers, World } from "./world.js" */

// A page that is being reloaded may hold its lock for a moment after the new one has begun.
const HANDOVER_MS = 1000;

export class Keep {
  #storage;
  #trusted;
  #locks;
  #timers;
  #fault;
  /** @type {Map<string, GiftRecord>} */
  #records = new Map();
  #seat = newId();
  #owner = "";
  #isOpen = false;
  #ended = false;
  #hasFailed = false;
  #release = () => {};

  /**
   * @param {{ storage: api.TabStorage | null, trusted: boolean }} where trusted: without locks, the
   *   app's word that nobody shares the storage is taken
   * @param {{ world: World, timers: Timers }} place
   * @param {(error: GiftwireError) => void} fault
   */
  constructor({ storage, trusted }, { world, timers }, fault) {
    this.#locks = world.locks;
    // Without locks a copied tab cannot be told from a reloaded one. Better to forget.
    this.#storage = this.#locks !== undefined || trusted ? storage : null;
    this.#trusted = trusted;
    this.#timers = timers;
    this.#fault = fault;
  }

  /**
   * Begins to keep, and answers what was left behind, in no order. Never rejects.
   * @param {string} owner hub, room and user: nobody else's gifts are looked at
   * @returns {Promise<GiftRecord[]>}
   */
  async open(owner) {
    if (this.#storage === null) return [];
    this.#owner = `giftwire.1:${encodeURIComponent(owner)}:`;
    let left;
    try {
      if (this.#locks !== undefined) await this.#hold(this.#locks);
      left = await Promise.all(this.#seats().map((seat) => this.#inherit(seat)));
    } catch (cause) {
      this.#failed(cause);
      return [];
    }
    if (this.#ended) return [];
    this.#isOpen = true;
    for (const record of this.#records.values()) this.#write(record);
    return left.flat();
  }

  /** @param {GiftRecord} record */
  put(record) {
    this.#records.set(record.id, record);
    if (this.#isOpen) this.#write(record);
  }

  /** @param {string} id */
  remove(id) {
    this.#records.delete(id);
    if (this.#isOpen) this.#attempt((storage) => storage.removeItem(this.#key(id)));
  }

  /** Ends. What is kept stays, for whoever comes next. */
  end() {
    this.#ended = true;
    this.#isOpen = false;
    this.#release();
  }

  /** @param {string} id */
  #key(id, seat = this.#seat) {
    return `${this.#owner}${seat}:${id}`;
  }

  /** @param {GiftRecord} record */
  #write(record) {
    const key = this.#key(record.id);
    const isWritten = this.#attempt((storage) => storage.setItem(key, JSON.stringify(record)));
    // An older state of it would be a lie.
    if (!isWritten) this.#attempt((storage) => storage.removeItem(key));
  }

  /**
   * Storage may be full, or forbidden at any time. The gifts go on without it.
   * @param {(storage: api.TabStorage) => void} action
   */
  #attempt(action) {
    try {
      if (this.#storage !== null) action(this.#storage);
      return true;
    } catch (cause) {
      this.#failed(cause);
      return false;
    }
  }

  /** @param {unknown} cause */
  #failed(cause) {
    if (this.#hasFailed || this.#ended) return;
    this.#hasFailed = true;
    this.#fault(new GiftwireError("storage_failed", "gifts in flight cannot be kept over a reload", { cause }));
  }

  /** @param {LockManager} locks */
  #hold(locks) {
    return new Promise((resolve, reject) => {
      const held = () =>
        new Promise((release) => {
          this.#release = () => release(undefined);
          if (this.#ended) release(undefined);
          resolve(undefined);
        });
      locks.request(this.#key(""), held).catch(reject);
    });
  }

  /** The seats of this owner that have left something. */
  #seats() {
    const storage = /** @type {api.TabStorage} */ (this.#storage);
    const seats = new Set();
    for (let i = 0; i < storage.length; i++) {
      const key = storage.key(i);
      if (key?.startsWith(this.#owner)) seats.add(key.slice(this.#owner.length).split(":")[0]);
    }
    seats.delete(this.#seat);
    return Array.from(seats);
  }

  /**
   * What a seat has left, if its owner is gone.
   * @param {string} seat
   * @returns {Promise<GiftRecord[]>}
   */
  async #inherit(seat) {
    if (this.#locks === undefined) return this.#move(seat);
    const aborter = new AbortController();
    const timer = this.#timers.set(() => aborter.abort(), HANDOVER_MS);
    try {
      return await this.#locks.request(this.#key("", seat), { signal: aborter.signal }, () => this.#move(seat));
    } catch (error) {
      if (!aborter.signal.aborted) throw error;
      if (await this.#isElsewhere(seat, this.#locks)) this.#drop(seat);
      return [];
    } finally {
      this.#timers.clear(timer);
    }
  }

  /**
   * Whether the seat is held by another page. The tab's storage then has a copy.
   * @param {string} seat
   * @param {LockManager} locks
   */
  async #isElsewhere(seat, locks) {
    if (this.#trusted) return false; // the app's storage may be one that pages share
    const { held = [] } = await locks.query();
    const holder = (/** @type {string} */ name) => held.find((lock) => lock.name === name)?.clientId;
    const theirs = holder(this.#key("", seat));
    return theirs !== undefined && theirs !== holder(this.#key(""));
  }

  /**
   * Makes a seat's items this one's.
   * @param {string} seat
   */
  #move(seat) {
    /** @type {GiftRecord[]} */
    const records = [];
    if (this.#ended) return records;
    for (const [key, record] of this.#items(seat)) {
      if (record !== undefined) {
        this.#records.set(record.id, record);
        this.#write(record);
        records.push(record);
      }
      this.#attempt((storage) => storage.removeItem(key));
    }
    return records;
  }

  /** @param {string} seat */
  #drop(seat) {
    for (const [key] of this.#items(seat)) this.#attempt((storage) => storage.removeItem(key));
  }

  /**
   * @param {string} seat
   * @returns {[key: string, record: GiftRecord | undefined][]}
   */
  #items(seat) {
    const storage = /** @type {api.TabStorage} */ (this.#storage);
    const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? "");
    return keys.filter((key) => key.startsWith(this.#key("", seat))).map((key) => [key, parse(storage.getItem(key))]);
  }
}

/**
 * A record as it was written; undefined: somebody else wrote it.
 * @param {string | null} text
 * @returns {GiftRecord | undefined}
 */
function parse(text) {
  try {
    const { id, at, n, asked, sent, msgId } = JSON.parse(text ?? "");
    if (!/^[0-9a-f]{32}$/.test(id) || !Number.isFinite(at) || !Number.isFinite(n)) return undefined;
    return { id, at, n, asked: checked(asked), sent: sent === true, ...(typeof msgId === "string" && { msgId }) };
  } catch {
    return undefined; // of no use to anybody: it goes
  }
}
