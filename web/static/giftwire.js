// giftwire.js: a viewer's connection to a live room, for browsers and Node.
//
//   import { connect } from "https://live.example.com/giftwire.js";
//
//   const room = connect({ url: "https://live.example.com", room: "demo", token: fetchToken });
//   room.addEventListener("gifts", ({ detail }) => show(detail.gifts));
//   const gift = room.give({ gift_id: "g1", count: 20 });
//   const { status } = await gift.result; // delivered, failed or unresolved
//
// Plain ES modules without dependencies: this file and the folder giftwire beside it. The whole
// API is documented in giftwire.d.ts.

export { GiftError, GiftwireError } from "./giftwire/errors.js";
export { connect } from "./giftwire/room.js";
