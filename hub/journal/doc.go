// Package journal stores what must survive, over JetStream: GIFTS (what was
// accepted), OUTCOMES (what became of it), snapshots of both folded, and the
// memory of ids. It is the only truth; everything else is rebuilt from it.
//
// # Guarantees
//
//   - An entry's done function hears success only after JetStream has stored its
//     record: fsynced on the embedded server (SyncAlways), by a quorum in a
//     cluster.
//   - An entry that was handed to a publish is never reported as unavailable: it
//     may be stored. Its done function waits until that is known.
//   - A partition's OUTCOMES record is stored only if nobody else has written to
//     that partition since the writer's last record (Nats-Expected-Last-Subject-Sequence
//     on one literal subject).
//
// Only this package and hub/cluster import nats.go.
package journal
