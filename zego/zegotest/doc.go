// Package zegotest is a simulated ZEGO: the mini-game API as an [http.Handler] that
// checks strictly, keeps a ledger of what it gave, and fails as it is told. giftwire
// is tested against it, `giftwire dev` and `giftwire zegosim` run it.
//
//	sim, err := zegotest.New(zegotest.Config{AppID: 12345, ServerSecret: secret, Games: games})
//	api := httptest.NewServer(sim)
//	sim.Fail(zegotest.Rule{Action: zego.ActionGifts, Times: 3, Fault: zegotest.DropAfter()})
//	...
//	if sim.Effects(msgID) != 1 { ... }
//
// One [Server] is one AppId; two of them in a process know nothing of each other.
//
// # The contract and our choices
//
// What ZEGO documents is not a setting: signature, fields and their limits, 20, 50,
// 100, 20 and 20 calls a second and room, MsgIds remembered for 24 h, gifts only of
// viewers who have joined by a comment, the two levels of failure. What ZEGO leaves
// open is a setting in [Config], and its comment says "ours" and why that default: it
// is the strictest reading, so that a hub that passes here does not depend on luck.
//
// Beyond the contract and always so (ours): only POST on the path "/" is served, other
// methods are 405, other paths 404 and bodies of more than a MiB 413; every other answer
// has status 200; Data is left
// out when Code is not 0; a call counts against the budget of its room and action when
// all of it has arrived, also if it is refused, and calls without a readable RoomId
// count nowhere; a query finds a gift only in the room and game that it was sent to;
// a viewer's first join of a round holds; comments are heard in any state of the game.
//
// # Time
//
// [Config.Now] dates everything: signatures, the budget, the 24 h, delays of joins and
// queries. Waiting (faults, [MemoryChoices.Work], retries of callbacks) is real time,
// or a synctest bubble's.
//
// # Bounds
//
// Everything kept is bounded, see [MemoryChoices]. Totals, [Server.Budget] and the
// counters stay exact when details have been dropped; what was dropped is counted.
package zegotest
