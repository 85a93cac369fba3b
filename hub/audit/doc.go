// Package audit recomputes from the streams alone what giftwire promises of gifts (P2 to
// P5), and finds one gift's story in them.
//
// It shares no code with what it audits: not the accounting, and not the decoding of
// records either, which hub/journal does for the hub. A decoder that misread a record
// would else misread it twice in the same way. So the format stands in this package a
// second time (record.go), and a test holds both against the same golden records.
//
// # What is compared
//
// GIFTS has what was accepted, OUTCOMES what was decided, with the totals that the owner
// wrote beside each room's decisions. In number, and in value (Value x Num):
//
//	accepted   distinct ids in GIFTS, and decided gifts whose record has left GIFTS
//	decided    decisions in OUTCOMES: delivered, failed, unresolved
//	pending    distinct ids in GIFTS that no decision names
//	earlier    gifts in GIFTS that were decided in records that have left OUTCOMES
//
// accepted = delivered + failed + unresolved + pending + earlier, in every partition,
// and the totals after each of a room's entries = the totals before + its decisions.
//
// # The rules
//
// Each breach names the gift, or the room where it is about no gift:
//
//	decided_twice   two decisions of one id, whatever they say
//	never_accepted  a decision of what GIFTS does not have at that place
//	other_content   what was decided is not what was accepted: the entry at the place that
//	                the decision names differs in any field, or an earlier entry under the
//	                id has other content (gift_id, count, value and receiver asked for)
//	overdue         not decided, though it was stored more than 23 h 15 min before its
//	                owner's last record (23 h is when sending and asking end, whatever
//	                --gift-ttl says, which is shorter), an owner that had 15 min since
//	                its takeover; or stored longer ago than GIFTS keeps records at all
//	lost            open in the newest snapshot, gone from GIFTS, and not decided; or
//	                records missing at a stream's end, as it says or as a snapshot knew it,
//	                or in the middle of GIFTS, where only purges of several partitions may
//	                leave holes
//	sent_late       sent more than 23 h after it was stored (P3); clocks may be 1 min apart
//	wrong_value     count is not value x num, or one is not between 1 and 100,000
//	wrong_totals    the totals that the hub wrote are not what the decisions add up to
//	wrong_seq       the room's event counter does not rise by one per entry that delivers
//	broken_chain    a record of OUTCOMES, or a room's entry, does not follow the one before
//	misplaced       a room in a partition where its name does not hash to
//	unreadable      a record that says what cannot be
//	unbalanced      the sums of a partition; whoever it is about is named by another rule
//
// An id that a client uses again is a repeat, and its first content stands. Past 24 h,
// for which ids are remembered, it may be another gift: a second decision of a gift
// stored 24 h after the first decision or later is none of decided_twice. One stored
// between 24 h and 26 h may be taken for a repeat by the hub; not decided, it is one here.
//
// # What has left retention
//
// Records leave by age, and below what a snapshot covers by a purge; always a
// partition's oldest first, never out of the middle. What has left is no loss where the
// records that are left prove that it could:
//
//   - A decision whose gift is not in GIFTS is fine if its sequence there is empty, comes
//     before the oldest record that the partition still has, and it was stored before
//     that one. A sequence that holds another record, or one that the stream has never
//     had, is never_accepted.
//   - A gift without a decision may have been decided in what OUTCOMES has lost, if it
//     was stored before the oldest record that the partition's log still has. Then the
//     memory of ids (IDS, which is stored before such records may go) tells: named there,
//     it is earlier; not named, it is open. Stored longer ago than IDS keeps rows, it is
//     counted as earlier: nothing proves that it is open.
//   - A room whose first entries are gone begins with the totals of its oldest entry,
//     which can then be anything that is not less than its decisions. The entry before
//     must be older than the log's oldest record.
//   - A gift that left GIFTS undecided is known from the snapshot's list of open gifts,
//     by its place only. One that aged out without ever being read leaves no trace but
//     the owner's log line and giftwire_owner_lost_total; this takes more than a day
//     without a node.
//
// # Damage
//
// Records that the store says it has lost are [ErrDamaged], and so is a folder that it
// cannot open. It cuts a file off where it cannot read on, and does not say so: what is
// missing then is found where records that are left, or the newest snapshot, refer to
// it; what was newer than both leaves nothing but cut_bytes in the report.
//
// # Running nodes
//
// Snapshots are read first, then OUTCOMES up to the end that it had, then GIFTS: so what
// was open is decided later, and what was decided was accepted before. Gifts that come
// in meanwhile are pending. A purge that overtakes the reading is looked for before
// anything is called broken.
//
// # Memory
//
// The streams are read once, in batches of at most 5 MiB, and nothing of a record is
// kept but 64 bytes a gift: its id, a 64 bit fingerprint of its fields, its places in
// both streams, times, value, room and status. With the map by id that makes 70 to 100
// bytes (TestMemory): a million gifts are 100 MB, and the defaults' full streams, 4 GiB
// of GIFTS and 16 GiB of OUTCOMES (some 14 million decisions of 1.2 KiB), 1.4 GB. A room
// takes about 200 bytes. A trace needs only the memory of the gift.
package audit
