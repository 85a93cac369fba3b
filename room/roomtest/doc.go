// Package roomtest drives and judges rooms in tests.
//
//   - [Sender] is a game platform in memory: it delivers everything, unless its one
//     hook says otherwise, and records each call.
//   - [World] steps a [room.Core] on a clock of its own, through days in
//     microseconds.
//   - [Twin] watches a core from outside. It keeps every event and answer in plain
//     slices and works out anew, at every step, what the promises allow: which calls
//     may start, and how each gift has to end.
//   - [Script] runs scenarios that are written as text, with the expected trace under
//     each command.
package roomtest
