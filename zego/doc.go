// Package zego speaks to ZEGO's mini-game server API, by which a live room's
// gifts, comments and likes reach a comment-based ("danmaku") game: a client for
// its five calls, the check of its callback, its return codes, and the file that
// says which gifts a game has.
//
// # The client
//
// [Client] has one method an action, named as ZEGO names it, and is a
// [room.Sender] as well. It is strict in what it sends: a value that ZEGO would
// refuse never leaves. It is tolerant in what it reads: unknown fields, rows in
// any order, numbers as strings and another spelling of names are understood.
//
// A failed call is an [*Error], and its Outcome is what matters about it:
//
//   - [room.NotTaken]: ZEGO has surely not recorded the call. It was never sent,
//     or the answer was a Code other than 0.
//   - [room.Unknown]: no understandable answer. ZEGO may have acted. Only the same
//     MsgIds may be sent again, or asked for.
//
// The client never repeats a call. What is sent again is decided by the caller,
// who knows which gifts are at stake.
//
// # Signatures
//
// [Stamp] makes and checks the three signatures of the API. Neither the body of a
// call nor its Action is signed, so a signature in a log lets a reader forge calls
// for ten minutes: the client keeps URLs out of all errors, and [Secret] prints as
// [redacted].
//
// # Sources
//
// Statements about ZEGO come from its documentation, public repository
// ZEGOCLOUD/docs_all, folder extended_services/mini_game, snapshot 7fdebd41 of
// 2026-08-21. What the documentation leaves open is a choice of ours, and the
// comment says so.
package zego
