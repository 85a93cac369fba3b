// The declarations against the code: each part of the one must do as the other.

import type * as declared from "../../static/giftwire.js";
import * as errors from "../../static/giftwire/errors.js";
import { Entry } from "../../static/giftwire/gift.js";
import { connect, LiveRoom } from "../../static/giftwire/room.js";

const theConnect: typeof declared.connect = connect;
const theError: typeof declared.GiftwireError = errors.GiftwireError;
const theGiftError: typeof declared.GiftError = errors.GiftError;

// What is exported: the test of the options compares these names with the module's.
const names: Record<keyof typeof declared, true> = { connect: true, GiftError: true, GiftwireError: true };

declare const live: LiveRoom;
const room: declared.Room = live;
declare const entry: Entry;
const gift: declared.Gift = entry.gift;

// A room has no public member that is not declared.
type Undeclared = Exclude<keyof LiveRoom, keyof declared.Room>;
const undeclared: [Undeclared] extends [never] ? true : Undeclared = true;

console.log(theConnect, theError, theGiftError, names, room, gift, undeclared);
