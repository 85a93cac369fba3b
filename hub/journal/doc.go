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
//   - The entries of one node come back from ReadGifts after their done functions
//     were called.
//   - A partition's OUTCOMES record is stored only if nobody else has written to
//     that partition since the writer's last record (Nats-Expected-Last-Subject-Sequence
//     on one literal subject).
//   - Entries are refused before the streams are so full that decisions would not
//     find room.
//   - Streams whose settings are not exactly what is needed are refused with all
//     differences named, never mended silently.
//
// Not promised: that the servers of your own sync before they answer. A client
// cannot see that; give them `sync_interval: always`.
//
// # Streams
//
//	GIFTS     gw.gifts.<partition>        JSON records of entries, from every node
//	OUTCOMES  gw.out.<partition>          JSON records of the partition's owner, a chain
//	SNAPS     gw.snap.<partition>.<name>  the owner's blobs, two of each name
//	IDS       gw.ids.<partition>          the owner's rows of decided ids
//	KV_ROOMS  $KV.ROOMS.<room>            see hub/cluster
//
// Beside them there is gw.stored.<partition>, a core subject without a stream, on
// which publishers tell other nodes' readers that there is news; and the requests
// of the JetStream API ($JS.API.>) with their inboxes. The streams' metadata fixes
// the number of partitions, the namespace of MsgIds, the hash of rooms, and the
// epoch.
//
// # Use
//
// [Open] makes or verifies the streams, [Journal.Run] publishes what
// [Journal.Submit] hands over and watches the store, [Journal.Log] is a partition
// for its owner, [Journal.Close] ends it all. Sizes and ages are settings
// ([Retention]); changing them takes one start with Retention.Resize.
//
// Only this package and hub/cluster import nats.go.
package journal
