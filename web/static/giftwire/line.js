// The line to the hub: one connection after the other, for as long as the room is open. It knows
// when to come back and when to stay away, and nothing of gifts.

import { backoff, lazily, ordered } from "./backoff.js";
import { GiftwireError } from "./errors.js";
import { read } from "./frames.js";
import { Link } from "./link.js";
import { Pulse } from "./pulse.js";
import { askWhy } from "./refusal.js";
import { Tokens, wellFormed } from "./token.js";

/** @import * as api from "../giftwire.js" */
/** @import { Settings } from "./options.js" */
/** @import { Timer, Timers, Wake, World } from "./world.js" */

/**
 * @typedef {object} LineEvents what the line tells; each is called with the line in its new state
 * @property {(change: api.StateChange) => void} state
 * @property {(event: api.ServerEvent) => void} event welcome first on every connection, bye last
 * @property {(latency: api.Latency) => void} measured
 * @property {(error: GiftwireError) => void} fault
 * @property {() => string} place the query by which the next connection resumes
 * @property {() => boolean} urgent somebody waits for an answer: no lazy return
 */

// A connection that lived so long was a good one: the next failure is the first again. Without
// this a hub that takes connections and drops them would be stormed.
const GOOD_AFTER_MS = 10_000;

const SUBPROTOCOL = "giftwire.v1";

export class Line {
  /** @type {api.State} */
  state = "connecting";
  #settings;
  #world;
  #timers;
  #events;
  #tokens;
  #pulse;
  /** @type {Link | undefined} */
  #link;
  /** @type {AbortController | undefined} */
  #aborter; // of the question why
  #run = 0; // counts attempts and waits: what an earlier one still awaits is of no interest
  /** @type {Timer} */
  #timer;
  #isOrdered = false; // the server said when to come back: nothing makes it earlier
  #failures = 0;
  #blocked = 0; // upgrades in a row that the hub would have taken
  /** @type {number | undefined} */
  #welcomedAt; // clock; undefined: this connection has not been welcomed

  /**
   * @param {Settings} settings
   * @param {{ world: World, timers: Timers }} place
   * @param {LineEvents} events
   */
  constructor(settings, { world, timers }, events) {
    this.#settings = settings;
    this.#world = world;
    this.#timers = timers;
    this.#events = events;
    this.#tokens = new Tokens(settings.token, { world, timers, withinMs: settings.times.tokenMs });
    this.#pulse = new Pulse({ world, timers, times: settings.times }, {
      ping: (t) => this.send({ type: "ping", t }),
      dead: () => this.#lost(),
      measured: events.measured,
    });
  }

  /** Connects, and stays connected until close. */
  async open() {
    const run = this.#begin();
    this.#enter({ state: "connecting" });
    if (run !== this.#run) return; // the app has closed the room in its listener
    let token;
    try {
      token = await this.#tokens.get();
    } catch (cause) {
      if (run !== this.#run) return;
      this.#events.fault(new GiftwireError("token_failed", "the token function failed; it is called again later", { cause }));
      if (run === this.#run) this.#fail();
      return;
    }
    if (run !== this.#run) return;
    if (token === null) this.close({ code: "no_token", message: "the token function had no token" });
    else if (!wellFormed(token)) this.#refusedToken(BAD_TOKEN);
    else this.#dial(run, token);
  }

  /**
   * @param {number} run
   * @param {string} token
   */
  #dial(run, token) {
    const { base, room, WebSocket, times } = this.#settings;
    const url = `${base}/v1/rooms/${room}/ws${this.#events.place()}`;
    this.#timer = this.#timers.set(() => this.#lost(), times.welcomeMs);
    const target = { WebSocket, url: url.replace(/^http/, "ws"), protocols: [SUBPROTOCOL, `bearer.${token}`] };
    try {
      this.#link = new Link(target, { text: (data) => this.#frame(run, data), end: () => this.#ended(url, token) });
    } catch (cause) {
      this.close({ code: "upgrade_failed", message: `WebSocket refuses to connect to the hub: ${cause}` });
    }
  }

  /**
   * @param {number} run
   * @param {unknown} data
   */
  #frame(run, data) {
    this.#pulse.heard();
    const events = read(data, (fault) => this.#events.fault(new GiftwireError("bad_frame", fault)));
    for (const event of events) {
      if (run !== this.#run) return; // the app has closed the room in one of its listeners
      this.#take(event);
    }
  }

  /** @param {api.ServerEvent} event */
  #take(event) {
    const run = this.#run;
    if (event.type === "welcome") this.#welcomed();
    if (event.type === "pong") this.#pulse.pong(event);
    // Each of these may call the app, and the app may close the room.
    if (run === this.#run) this.#events.event(event);
    if (run === this.#run && event.type === "bye") this.#bye(event);
  }

  #welcomed() {
    this.#timers.clear(this.#timer);
    this.#welcomedAt = this.#world.clock();
    this.#blocked = 0;
    this.#tokens.welcomed();
    this.#enter({ state: "open" });
    this.#pulse.start();
  }

  /** @param {api.Bye} bye */
  #bye(bye) {
    const ms = ordered(bye.reconnect_in_ms);
    this.#settleFailures();
    if (ms !== undefined) this.#wait({ state: "waiting", inMs: ms }, true);
    else if (bye.code === "expired_token" && this.#tokens.expired()) this.#fail();
    else this.close({ code: bye.code, message: "the hub has ended the connection for good" });
  }

  /**
   * The connection has ended by itself.
   * @param {string} url
   * @param {string} token
   */
  #ended(url, token) {
    if (this.#welcomedAt !== undefined) this.#lost();
    else this.#ask(url, token);
  }

  /** The connection is gone, or as good as gone. */
  #lost() {
    this.#settleFailures();
    this.#fail();
  }

  #settleFailures() {
    const lived = this.#welcomedAt === undefined ? 0 : this.#world.clock() - this.#welcomedAt;
    if (lived >= GOOD_AFTER_MS) this.#failures = 0;
  }

  /**
   * The upgrade failed, and browsers do not say why.
   * @param {string} url
   * @param {string} token
   */
  async #ask(url, token) {
    const run = this.#begin();
    const aborter = new AbortController();
    this.#aborter = aborter;
    const timer = this.#timers.set(() => aborter.abort(), this.#settings.times.welcomeMs);
    const why = await askWhy({ fetch: this.#settings.fetch, url, token, signal: aborter.signal });
    this.#timers.clear(timer);
    if (run !== this.#run) return;
    this.#blocked = why.kind === "upgrade" ? this.#blocked + 1 : 0;
    switch (why.kind) {
      case "final":
        this.close({ code: why.problem.code, message: why.problem.detail, problem: why.problem });
        break;
      case "token":
        this.#refusedToken(why.problem);
        break;
      case "later":
        // Jitter on top: all who were refused were told the same.
        this.#wait({ state: "waiting", inMs: why.ms + this.#jitter() }, true);
        this.#failures++;
        break;
      case "upgrade":
        // Once, the network was back between upgrade and question, which is nobody's fault.
        if (this.#blocked > 1) this.#events.fault(new GiftwireError("upgrade_failed", BLOCKED));
        if (run === this.#run) this.#fail();
        break;
      case "network":
        this.#fail();
    }
  }

  /** @param {api.Problem} problem */
  #refusedToken(problem) {
    if (this.#tokens.refused()) this.open();
    else this.close({ code: problem.code, message: problem.detail, problem });
  }

  /** Comes back when it seems right. */
  #fail() {
    const { times } = this.#settings;
    let inMs = this.#jitter();
    this.#failures++;
    if (!this.#world.online()) {
      // Some systems say offline when they are not: look now and then.
      this.#wait({ state: "offline", inMs: lazily(times.offlineMs, this.#world.random()) }, false);
      return;
    }
    if (this.#world.hidden() && !this.#events.urgent()) {
      inMs = Math.max(inMs, lazily(times.hiddenMs, this.#world.random()));
    }
    this.#wait({ state: "waiting", inMs }, false);
  }

  #jitter() {
    const { backoffBaseMs, backoffMaxMs } = this.#settings.times;
    return backoff(this.#failures, backoffBaseMs, backoffMaxMs, this.#world.random());
  }

  /**
   * @param {{ state: "waiting" | "offline", inMs: number }} change
   * @param {boolean} isOrdered
   */
  #wait(change, isOrdered) {
    this.#begin();
    this.#isOrdered = isOrdered;
    this.#timer = this.#timers.set(() => this.open(), change.inMs);
    this.#enter(change);
  }

  /**
   * The network or the tab has changed.
   * @param {Wake} why
   */
  wake(why) {
    if (this.state === "open") {
      this.#pulse.check(); // it may be gone, and nobody has noticed
      return;
    }
    if (this.#isOrdered || (this.state !== "waiting" && this.state !== "offline")) return;
    if (why === "offline") {
      this.#fail(); // which waits for the network now
      return;
    }
    if (why === "online") this.#failures = 0; // it was the network's fault, not the hub's
    if (this.state === "waiting" || why === "online" || this.#world.online()) this.open();
  }

  /**
   * Sends a frame; false: it was surely not sent.
   * @param {object} frame
   */
  send(frame) {
    return this.state === "open" && this.#link !== undefined && this.#link.send(JSON.stringify(frame));
  }

  /**
   * Ends the line for good.
   * @param {api.CloseReason} reason
   */
  close(reason) {
    if (this.state === "closed") return;
    this.#begin();
    this.#enter({ state: "closed", reason });
  }

  /** Ends whatever is under way: link, timer, question. */
  #begin() {
    this.#timers.clear(this.#timer);
    this.#isOrdered = false;
    this.#aborter?.abort();
    this.#aborter = undefined;
    this.#pulse.stop();
    this.#link?.drop();
    this.#link = undefined;
    this.#welcomedAt = undefined;
    return ++this.#run;
  }

  /** @param {{ state: api.State, inMs?: number, reason?: api.CloseReason }} change */
  #enter(change) {
    const previous = this.state;
    if (previous === "connecting" && change.state === "connecting") return; // again, with another token
    this.state = change.state;
    this.#events.state({ ...change, previous });
  }
}

const BLOCKED = "the hub would take the connection, but the WebSocket upgrade does not get through";
const BAD_TOKEN = Object.freeze({ status: 401, code: "unauthorized", title: "Unauthorized", detail: "the token is no JWT" });
