// Types and documentation of giftwire.js, a viewer's connection to a live room.
//
// Names of what travels are the protocol's (gift_id, msg_id); names of what only the client has are
// written as JavaScript writes them (givenAt). Times named ...Ms are milliseconds, times named ...At
// are Unix milliseconds of the own clock.

/**
 * Connects to a room, and stays connected until {@link Room.close}, or until the hub says that
 * coming back is of no use. Returns at once; nothing is told before the caller's task has ended, so
 * listeners that are added then miss nothing.
 *
 * @throws {GiftwireError} `bad_option`, naming the option.
 */
export function connect(options: Options): Room;

/** What to connect to, as whom, and how. Only room and token are needed on a page of the hub. */
export interface Options {
  /**
   * The hub's base: http, https, ws or wss, with the path at which it is mounted. Default: the
   * origin of the page.
   */
  url?: string | URL;
  /** 1 to 64 of `A-Z a-z 0-9 _ -`. */
  room: string;
  token: TokenSource;
  /** Default: the global one. Node has one from version 22 on; before, that of npm's ws will do. */
  WebSocket?: unknown;
  /** Asks why an upgrade was refused. Default: the global one. */
  fetch?: typeof fetch;
  /**
   * Where gifts in flight are kept over a reload: default sessionStorage, in places that have Web
   * Locks (secure contexts), by which a copied tab is told from a reloaded one; else gifts are kept
   * in memory. A storage that is handed in must not be shared by rooms that are open at the same
   * time, unless there are Web Locks. null: memory.
   */
  storage?: TabStorage | null;
  /**
   * Rejections after which a gift is sent again by itself, under the same id, for
   * {@link Times.retryForMs} at most. Default `["unavailable"]`: it passes within seconds and is
   * nobody's doing (a node ends, the journal catches up). `rate_limited` and `busy` are left to the
   * app by default, because a person should learn that there is too much.
   */
  retry?: readonly ("unavailable" | "busy" | "rate_limited")[];
  /** How many gifts may wait for their results at once, 1 to 1000. Default 200. */
  maxInFlight?: number;
  /**
   * How many gifts are sent a second, and how many at once after a pause; more wait in the order
   * given. 1 to 1000. Default 20, which is what a hub takes of a user in a room by default.
   */
  giftsPerSecond?: number;
  times?: Times;
}

/**
 * A viewer token (JWT), or a function that gets one. The function is called for the first
 * connection, when a token has expired, and when one was refused (once between two welcomes: if the
 * next is refused, too, the room closes). null says that there is none: the room closes with
 * `no_token`. When it throws, rejects or takes longer than {@link Times.tokenMs}, it is called
 * again later, after the same pauses as for a lost connection.
 */
export type TokenSource = string | ((why: { reason: TokenReason }) => string | null | Promise<string | null>);

/** Why a token is asked for. */
export type TokenReason = "first" | "expired" | "refused";

/** All times in milliseconds, 1 to 12 h. */
export interface Times {
  /**
   * The first return after a lost connection comes after 0 to this, at random; the bound doubles
   * with each failure (full jitter) and is back here when a connection has lived for 10 s. Default
   * 1,000.
   */
  backoffBaseMs?: number;
  /** What that bound grows to. Default 30,000. */
  backoffMaxMs?: number;
  /**
   * A hidden tab that has lost its connection and has no gift in flight returns after half to one
   * and a half of this, at random; at once when it is shown. Default 30,000.
   */
  hiddenMs?: number;
  /** The same while the browser says that it is offline; at once when it is online. Default 60,000. */
  offlineMs?: number;
  /** For connecting until the welcome, and for asking why it was refused. Default 10,000. */
  welcomeMs?: number;
  /** For the token function. Default 15,000. */
  tokenMs?: number;
  /** A silence that is ended by a ping. Default 30,000. */
  silenceMs?: number;
  /** For a sign of life after a ping; then the connection is dead. Default 10,000. */
  pongMs?: number;
  /**
   * A gift without an answer is asked for again under the same id after this, on the same
   * connection; twice as long each time, up to 16 times. Default 20,000.
   */
  answerMs?: number;
  /**
   * A gift that could not be sent for so long is not sent any more, and is rejected with
   * `not_sent`: nobody wants to pay for a gift of an hour ago. Default 60,000.
   */
  sendWithinMs?: number;
  /** How long a rejected gift is sent again by itself, see {@link Options.retry}. Default 10,000. */
  retryForMs?: number;
  /**
   * A gift that was sent, and neither accepted nor rejected, is asked for under the same id for so
   * long after it was given; if the hub had not taken it, this gives it. Then its state is
   * `unknown`. Default 12 h, the protocol's bound.
   */
  repeatForMs?: number;
}

/** The part of the DOM's Storage that is used. */
export interface TabStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/**
 * A room, as one viewer has it. Events are {@link RoomEvents}; their `detail` is the value.
 *
 * Gifts are sent in the order given, those that were in flight before a reload first; a gift that is
 * sent again (after a rejection, or because no answer came) does not hold up the others. A gift is
 * sent again after every reconnect, under the same id, until it is decided; that has one effect.
 */
export interface Room extends EventTarget {
  readonly state: State;
  /** Why the room is closed; undefined while it is not. */
  readonly reason: CloseReason | undefined;
  /** The last welcome: catalogue, join words, the user's id. Its other members are of that moment. */
  readonly welcome: Welcome | undefined;
  /** Resolves with the first welcome; rejects with a {@link GiftwireError} `closed`. */
  readonly opened: Promise<Welcome>;
  /** The gifts that are not decided, in the order given. */
  readonly pending: Gift[];
  /** The last measured way to the hub and back, in ms; undefined: not measured yet. */
  readonly latencyMs: number | undefined;
  /** The hub's clock minus the own one, in ms, good to half of the latency; undefined as above. */
  readonly clockOffsetMs: number | undefined;
  /**
   * Gives a gift. It is sent now, or when a connection stands ({@link Times.sendWithinMs}).
   *
   * @throws {GiftwireError} `bad_gift`: a field is wrong; `too_many`: {@link Options.maxInFlight}
   *   gifts wait, try again when one of them is decided; `closed`.
   */
  give(request: GiftRequest): Gift;
  /**
   * Says something, which is also how a viewer joins a game ({@link Welcome.join}). Best effort:
   * it is not sent again. Returns the id that a `rejected` event would have.
   *
   * @param text 1 to 200 characters (code points), no control characters.
   * @throws {GiftwireError} `bad_comment`; `not_open`: there is no connection.
   */
  comment(text: string): string;
  /**
   * Likes, best effort: they are summed and sent in at most 10 frames a second; without a connection
   * they are lost.
   *
   * @param count 1 to 1000, default 1.
   * @throws {GiftwireError} `bad_like`.
   */
  like(count?: number): void;
  /**
   * Leaves. Afterwards there is no timer, listener or connection left. Gifts that were never sent
   * are rejected with `not_sent`; the promises of those that were sent reject with `closed`, and a
   * room of the same user in this tab asks for their results later.
   */
  close(): void;

  addEventListener<K extends keyof RoomEvents>(
    type: K,
    listener: ((event: CustomEvent<RoomEvents[K]>) => void) | { handleEvent(event: CustomEvent<RoomEvents[K]>): void } | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof RoomEvents>(
    type: K,
    listener: ((event: CustomEvent<RoomEvents[K]>) => void) | { handleEvent(event: CustomEvent<RoomEvents[K]>): void } | null,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

/**
 * `connecting`: an attempt is under way. `open`: welcomed. `waiting`: comes back after a while.
 * `offline`: the same, and the browser says that there is no network. `closed`: for good.
 */
export type State = "connecting" | "open" | "waiting" | "offline" | "closed";

/** The events of a {@link Room}, by type: what `event.detail` is. */
export interface RoomEvents {
  /** The state of the connection has changed. */
  state: StateChange;
  /** First on every connection. */
  welcome: Welcome;
  /**
   * After a welcome that could not resume: what was told between the two places is not known, and
   * will not be told. What the app has summed up from gifts events is out of date.
   */
  reset: Reset;
  /** Gifts that were delivered in the room, of anybody; each `seq` once, rising by one. */
  gifts: Gifts;
  /** Sequences of gifts events that this viewer will not get. */
  lagged: Lagged;
  comments: Comments;
  likes: Likes;
  presence: Presence;
  game: Game;
  /**
   * One of this viewer's gifts has changed its state, or was brought back after a reload. The
   * detail is always the same object for the same gift.
   */
  gift: Gift;
  /** As the hub sends it; {@link Gift} has it, too. */
  accepted: Accepted;
  /** As the hub sends it: of gifts ({@link Gift} has it, too) and of comments. */
  rejected: Rejected;
  /** As the hub sends it: of any gift of the user in the room, also from other tabs; maybe twice. */
  result: Result;
  /** The connection was measured. */
  latency: Latency;
  /** The hub ends the connection; a change of the state follows. */
  bye: Bye;
  /**
   * Something is wrong that ends nothing: `bad_frame` (the hub said something that is not
   * understood), `gap`, `token_failed`, `upgrade_failed` (again: a proxy may not know WebSocket),
   * `storage_failed` (told once), or an error event of the hub with its code.
   */
  error: GiftwireError;
}

/** A change of the connection's state. */
export interface StateChange {
  readonly state: State;
  readonly previous: State;
  /** With `waiting` and `offline`: when the next attempt is, if nothing brings it forward. */
  readonly inMs?: number;
  /** With `closed`. */
  readonly reason?: CloseReason;
}

/** Why a room is closed for good. */
export interface CloseReason {
  /**
   * `app` (close was called), `no_token`, `user_changed` (a new token is another user's),
   * `upgrade_failed` (the browser does not even try: a page with TLS and a hub without); of the
   * hub's bye: `room_closed`, `abuse`, `expired_token` (where there is no token function), ...; or
   * the code of the problem by which the hub refused the connection: `unauthorized`, `wrong_room`,
   * `foreign_origin`, `room_not_found`, ...
   */
  readonly code: string;
  /** For developers. */
  readonly message: string;
  /** Where the hub refused the connection. */
  readonly problem?: Problem;
}

/** A problem document of the hub (RFC 9457). */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly retry_after_ms?: number;
}

/** How far away the hub is. */
export interface Latency {
  readonly latencyMs: number;
  readonly clockOffsetMs: number;
}

/** Two places in the room's sequence between which something was missed. */
export interface Reset {
  readonly epoch: string;
  readonly seq: number;
  readonly previous: { readonly epoch: string; readonly seq: number };
}

/** What to give. */
export interface GiftRequest {
  /** 1 to 128 bytes, of the catalogue in {@link Welcome.gifts}. */
  readonly gift_id: string;
  /** How many at once, 1 to 100,000, a multiple of one of the gift's tiers. */
  readonly count: number;
  /** Which tier; default: the largest that divides count. */
  readonly value?: number;
  /** 1 to 48 of `0-9 A-Z a-z`. Default: the room's anchor. */
  readonly receiver_id?: string;
}

/**
 * `queued`: not sent. `sent`: may have arrived. `accepted`: durable, will get one result.
 * Then one of: `delivered`; `failed` (not given, `reason` says why); `unresolved` (the game may or
 * may not have given it: a person must look); `rejected` (not taken, nothing charged, `code` says
 * why); `unknown` (no answer, and too old to ask again: only the platform's ledger knows).
 */
export type GiftState = "queued" | "sent" | "accepted" | "delivered" | "failed" | "unresolved" | "rejected" | "unknown";

/** One gift of this viewer. The object lives; its `gift` events tell when it has changed. */
export interface Gift extends GiftRequest {
  /** The idempotency key, made by the client. */
  readonly id: string;
  readonly state: GiftState;
  /** Brought back after a reload. */
  readonly restored: boolean;
  /** Resolves when the gift is durable. Rejects with a {@link GiftError}; nobody has to look. */
  readonly accepted: Promise<Accepted>;
  /**
   * Resolves when the gift is decided: `delivered`, `failed` or `unresolved`. Rejects with a
   * {@link GiftError} when there will be no result: `not_sent`, `unknown`, `closed` or the code of
   * the rejection; nobody has to look.
   */
  readonly result: Promise<Result>;
  readonly givenAt: number;
  /** First sent; undefined: not in this life of the page. So the others. */
  readonly sentAt?: number;
  readonly acceptedAt?: number;
  readonly decidedAt?: number;
  /** The hub's id of it, from `accepted` on. */
  readonly msg_id?: string;
  /** With `rejected` and `unknown`. */
  readonly code?: ErrorCode;
  /** For people, in English. With every last state. */
  readonly message?: string;
  /** With `rejected`, where a new gift may be taken after a while. */
  readonly retry_after_ms?: number;
  /** With a result: why. */
  readonly reason?: Reason;
  /** With a result: the game's code, 0 for delivered. */
  readonly result_code?: number;
}

/** Anything that went wrong. */
export class GiftwireError extends Error {
  constructor(code: ErrorCode, message: string, more?: { id?: string; cause?: unknown });
  readonly name: string;
  readonly code: ErrorCode;
  /** The id of the gift or comment, where there is one. */
  readonly id: string | undefined;
}

/** A gift that gets no result. */
export class GiftError extends GiftwireError {
  constructor(code: ErrorCode, message: string, gift: Gift);
  readonly gift: Gift;
}

/** Codes of errors: the client's own, and those of the hub, which may get more. */
export type ErrorCode = ClientCode | RejectCode | (string & {});

/** Codes that the client makes. */
export type ClientCode =
  | "bad_option"
  | "bad_gift"
  | "bad_comment"
  | "bad_like"
  | "too_many"
  | "not_open"
  | "closed"
  | "not_sent"
  | "unknown"
  | "bad_frame"
  | "gap"
  | "token_failed"
  | "upgrade_failed"
  | "storage_failed";

/** Why the hub did not take a gift or a comment. */
export type RejectCode =
  | "bad_request"
  | "unknown_gift"
  | "bad_count"
  | "rate_limited"
  | "not_allowed"
  | "declined"
  | "conflict"
  | "room_closed"
  | "game_not_running"
  | "busy"
  | "unavailable";

/** Why a gift has the result that it has. */
export type Reason =
  | "ok"
  | "not_joined_or_refused"
  | "no_such_gift"
  | "game_not_started"
  | "game_not_found"
  | "refused"
  | "expired"
  | "unknown_outcome"
  | "game_error"
  | (string & {});

/** Everything that the hub sends. Members that are not listed here may be there, too. */
export type ServerEvent =
  | Welcome
  | Accepted
  | Rejected
  | Result
  | Gifts
  | Comments
  | Likes
  | Presence
  | Game
  | Lagged
  | ServerError
  | Pong
  | Bye;

/** First on every connection. If resumed, what was missed follows. */
export interface Welcome {
  readonly type: "welcome";
  readonly room: string;
  readonly user_id: string;
  readonly node: string;
  readonly epoch: string;
  readonly seq: number;
  readonly resumed: boolean;
  /** Connections in the room, in the whole cluster. */
  readonly viewers: number;
  readonly game: GameState;
  /** The catalogue; empty where the game has none. */
  readonly gifts: readonly MenuGift[];
  /** The comments that join the game. */
  readonly join: readonly JoinWord[];
}

/** One gift of the catalogue. */
export interface MenuGift {
  readonly gift_id: string;
  readonly name: string;
  readonly icon: string;
  readonly tiers: readonly MenuTier[];
}

/** One effect of a gift: a count that is a multiple of value has it count / value times. */
export interface MenuTier {
  readonly value: number;
  readonly effect: string;
}

/** A comment that joins the game. */
export interface JoinWord {
  readonly text: string;
  readonly team: string;
}

/** The state of the room's game. */
export interface GameState {
  readonly mini_game_id: string;
  readonly state: "unknown" | "running" | "ended" | (string & {});
  readonly round_id: string;
  /** When ended. */
  readonly winner_team?: number;
  /** When ended. */
  readonly result_type?: number;
}

/** The state of the room's game has changed. */
export interface Game extends GameState {
  readonly type: "game";
}

/** The gift is durable and gets one result. */
export interface Accepted {
  readonly type: "accepted";
  readonly id: string;
  readonly msg_id: string;
}

/** Not taken, nothing charged, nothing will be sent. */
export interface Rejected {
  readonly type: "rejected";
  readonly id: string;
  readonly code: RejectCode | (string & {});
  readonly message: string;
  readonly retry_after_ms?: number;
}

/** The fate of a gift. */
export interface Result {
  readonly type: "result";
  readonly id: string;
  readonly msg_id: string;
  readonly status: "delivered" | "failed" | "unresolved";
  /** The game's code, 0 for delivered. */
  readonly code: number;
  readonly reason: Reason;
  readonly message: string;
}

/** The delivered gifts of one flush. */
export interface Gifts {
  readonly type: "gifts";
  readonly seq: number;
  readonly gifts: readonly DeliveredGift[];
}

/** A gift that was delivered: num times the effect of value. */
export interface DeliveredGift {
  readonly msg_id: string;
  readonly user_id: string;
  readonly nickname: string;
  readonly avatar: string;
  readonly gift_id: string;
  readonly value: number;
  readonly num: number;
  readonly count: number;
  readonly receiver_id: string;
  /** When it was accepted, Unix ms of the hub's clock. */
  readonly at: number;
}

/** Merged comments, best effort. */
export interface Comments {
  readonly type: "comments";
  readonly comments: readonly Comment[];
}

/** What a viewer said. Text is data: show it as text. */
export interface Comment {
  readonly user_id: string;
  readonly nickname: string;
  readonly avatar: string;
  readonly text: string;
  /** Unix ms of the hub's clock. */
  readonly at: number;
}

/** Likes since the last event, and of the room; best effort. */
export interface Likes {
  readonly type: "likes";
  readonly count: number;
  readonly total: number;
}

/** Connections in the room, in the whole cluster. */
export interface Presence {
  readonly type: "presence";
  readonly viewers: number;
}

/** Sequences of gifts events that this viewer will not get, both ends included. */
export interface Lagged {
  readonly type: "lagged";
  readonly from: number;
  readonly to: number;
}

/** A frame was not taken. The client tells it as a {@link GiftwireError}. */
export interface ServerError {
  readonly type: "error";
  readonly code: string;
  readonly message: string;
  readonly id?: string;
}

/** The answer to a ping. The client measures by it, and does not tell it. */
export interface Pong {
  readonly type: "pong";
  readonly t?: number;
  /** Unix ms of the hub's clock. */
  readonly now: number;
}

/** The hub ends the connection. */
export interface Bye {
  readonly type: "bye";
  readonly code: "draining" | "room_closed" | "slow" | "expired_token" | "abuse" | (string & {});
  /** When to come back; absent: do not. */
  readonly reconnect_in_ms?: number;
}
