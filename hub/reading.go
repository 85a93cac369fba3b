package hub

import (
	"github.com/giftwire/giftwire/hub/ask"
	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/relay"
)

// reading is the hub's state in numbers, as it is at one moment.
type reading struct {
	ready      bool
	intake     intake.Stats
	partitions []owner.Stats
	owned      int // partitions that are served here
	audience   audience.Stats
	breaker    bool // open
	journal    journal.Stats
	nodes      int
	relay      relay.Stats
	asked      ask.Stats
}

// series is one number of a reading.
type series struct {
	name, help   string
	label, value string // one label, or none
	now          float64
	counter      bool // else a gauge
}

// series lists the numbers.
func (r reading) series() []series {
	all := []series{
		gauge("ready", "1 while this node serves viewers and gifts.", truth(r.ready)),
		gauge("gifts_in_flight", "Gifts received and not answered.", float64(r.intake.InFlight)),
		total("lookups_failed_total", "Ids that could not be looked up in time; their gifts went on as if new.", float64(r.intake.LookupsFailed)),
		total("wallet_releases_failed_total", "Reservations that the wallet did not take back.", float64(r.intake.ReleasesFailed)),
		total("chat_dropped_total", "Comments and likes that no room took.", float64(r.intake.ChatDropped)),
		gauge("partitions_owned", "Partitions served by this node.", float64(r.owned)),
		gauge("zego_breaker_open", "1 while nothing is heard from ZEGO and calls are held back.", truth(r.breaker)),
	}
	all = append(all, ownerSeries(r.partitions)...)
	all = append(all, audienceSeries(r.audience)...)
	all = append(all, clusterSeries(r)...)
	return append(all, journalSeries(r.journal)...)
}

// clusterSeries is what nodes have to do with each other.
func clusterSeries(r reading) []series {
	return []series{
		gauge("cluster_nodes", "Nodes that live, this one included.", float64(r.nodes)),
		gauge("cluster_rooms_followed", "Rooms whose news this node asks for, for its viewers.", float64(r.relay.Followed)),
		gauge("cluster_rooms_waiting", "Of these, rooms whose news are being put right.", float64(r.relay.Waiting)),
		total("cluster_messages_published_total", "News, chat and beats told to other nodes.", float64(r.relay.Published)),
		total("cluster_messages_failed_total", "Of these, those that NATS did not take; the others repair.", float64(r.relay.PublishFailed+r.relay.NewsDropped)),
		total("cluster_messages_heard_total", "Messages of other nodes.", float64(r.relay.Heard)),
		total("cluster_messages_foreign_total", "Of these, and of answers, those of another version or that cannot be read.", float64(r.relay.Foreign+r.relay.Unreadable+r.asked.Foreign)),
		total("cluster_repairs_total", "Reads of OUTCOMES because news were missed.", float64(r.relay.Repairs)),
		total("cluster_repaired_records_total", "Records that they brought.", float64(r.relay.Repaired)),
		total("cluster_repairs_skipped_total", "Repairs that did not reach back: viewers were told lagged.", float64(r.relay.Skipped)),
		total("cluster_questions_total", "Questions to owners on other nodes.", float64(r.asked.Asked)),
		total("cluster_questions_repeated_total", "Attempts that were repeated because no owner was ready.", float64(r.asked.Again)),
		total("cluster_questions_silent_total", "Questions that nobody answered.", float64(r.asked.Silence)),
	}
}

// ownerSeries adds the partitions up.
func ownerSeries(partitions []owner.Stats) []series {
	var sum owner.Stats
	for _, p := range partitions {
		sum.Rooms += p.Rooms
		sum.Active += p.Active
		sum.Open += p.Open
		sum.OldestOpen = max(sum.OldestOpen, p.OldestOpen)
		sum.Remembered += p.Remembered
		sum.Repeats += p.Repeats
		sum.Conflicts += p.Conflicts
		sum.Lost += p.Lost
		sum.Snapshots += p.Snapshots
		sum.Purges += p.Purges
		sum.Failed += p.Failed
	}
	return []series{
		gauge("gifts_open", "Gifts accepted and not decided.", float64(sum.Open)),
		gauge("gifts_oldest_open_seconds", "Age of the oldest gift that is not decided.", sum.OldestOpen.Seconds()),
		gauge("rooms", "Rooms that ever had a gift.", float64(sum.Rooms)),
		gauge("rooms_active", "Rooms with a running actor.", float64(sum.Active)),
		gauge("ids_remembered", "Ids of decided gifts in memory.", float64(sum.Remembered)),
		total("owner_repeats_total", "Gifts journaled again under a known id.", float64(sum.Repeats)),
		total("owner_conflicts_total", "Of these, those with other content.", float64(sum.Conflicts)),
		total("owner_lost_total", "Entries that aged out of the journal before they were decided. Must stay 0.", float64(sum.Lost)),
		total("owner_snapshots_total", "Snapshots stored.", float64(sum.Snapshots)),
		total("owner_snapshots_failed_total", "Snapshots that could not be stored. Without one for days the node cannot be restarted.", float64(sum.Failed)),
		total("owner_purges_total", "Purges of decided history because a stream was above 80 % full.", float64(sum.Purges)),
	}
}

func audienceSeries(a audience.Stats) []series {
	drops := func(reason string, n uint64) series {
		return series{
			name: "outbox_drops_total", help: "Events that a viewer did not get because it read too slowly, by kind.",
			label: "reason", value: reason, now: float64(n), counter: true,
		}
	}
	return []series{
		gauge("viewers", "Viewers' connections.", float64(a.Viewers)),
		gauge("rooms_watched", "Rooms with viewers or something to resume from.", float64(a.Rooms)),
		total("viewer_events_total", "Events written to viewers.", float64(a.Events)),
		total("viewer_frames_total", "Frames written to viewers.", float64(a.Frames)),
		total("viewer_bytes_total", "Bytes of frames written to viewers.", float64(a.Bytes)),
		total("viewers_slow_total", "Connections ended because the viewer did not read.", float64(a.Slow)),
		total("comments_unshown_total", "Comments that were more than a room shows.", float64(a.UnshownComments)),
		drops("presence", a.DroppedPresence),
		drops("likes", a.DroppedLikes),
		drops("comments", a.DroppedComments),
		drops("lagged", a.LaggedGifts),
	}
}

func journalSeries(j journal.Stats) []series {
	space := func(stream string, s journal.StreamSpace) series {
		return series{
			name: "journal_stream_full", help: "The part of a stream's space that is used, 0 to 1.",
			label: "stream", value: stream, now: s.Full(),
		}
	}
	return []series{
		total("journal_records_total", "Records of GIFTS stored by this node.", float64(j.Records)),
		total("journal_entries_total", "Entries in them; divided by the records it is the group commit.", float64(j.Entries)),
		total("journal_bytes_total", "Bytes of them.", float64(j.Bytes)),
		total("journal_resends_total", "Publishes repeated because no answer came.", float64(j.Resends)),
		total("journal_appends_total", "Records of OUTCOMES stored by this node.", float64(j.Appends)),
		total("journal_append_bytes_total", "Bytes of them.", float64(j.AppendBytes)),
		gauge("journal_queued_entries", "Entries that wait for a publish.", float64(j.QueuedEntries)),
		gauge("journal_queued_bytes", "Bytes of them.", float64(j.QueuedBytes)),
		gauge("journal_stalled", "Publishes and appends without an answer for too long.", float64(j.Stalled)),
		space("gifts", j.Gifts),
		space("outcomes", j.Outcomes),
	}
}

func gauge(name, help string, now float64) series { return series{name: name, help: help, now: now} }

func total(name, help string, now float64) series {
	return series{name: name, help: help, now: now, counter: true}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
