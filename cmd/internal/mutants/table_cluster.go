package main

// bubble is the test that has three nodes in simulated time.
const bubble = "TestClusterInABubble"

// shared: what keeps nodes apart: leases, and the log that refuses every writer but the
// last one who took it.
var shared = []rule{
	{
		"a lease holds for ever", "P7", "hub/cluster/census.go",
		`{ return now.Sub(c.good) < validFor }`, `{ return !now.IsZero() }`,
		"hub/cluster", bubble + "|TestNobodyDiesWhenTheStoreIsAway",
	},
	{
		"a lease counts from the answer", "P7", "hub/cluster/life.go",
		`		c.renewed(asked, now)`, `		c.renewed(asked.Add(now.Sub(asked)), now)`,
		"hub/cluster", bubble + "|TestLeasesAreRegisters",
	},
	{
		"others are dead before a lease is over", "P7", "hub/cluster/census.go",
		`deadAfter  = 2 * time.Second`, `deadAfter  = time.Second`,
		"hub/cluster", bubble,
	},
	{
		"who cannot renew takes others for dead", "P7", "hub/cluster/census.go",
		`	if !c.valid(now) {
		return nil
	}`, ``,
		"hub/cluster", "TestNobodyDiesWhenTheStoreIsAway",
	},
	{
		"others' silence counts while the own renewals failed", "P7", "hub/cluster/census.go",
		`	if asked.Sub(c.good) > gapMax {`, `	if false {`,
		"hub/cluster", "TestNobodyDiesWhenTheStoreIsAway",
	},
	{
		"a lease is ended whatever its revision", "P7", "hub/cluster/roll.go",
		`silent, err := m.lookAgain(ctx, node, dead[node])`,
		`_, now, err := m.leases.Newest(ctx, node)
		silent := err == nil
		dead[node] = seat{revision: now}`,
		"hub/cluster", bubble,
	},
	{
		"the evicted live on", "P7", "hub/cluster/life.go",
		`	if found.Incarnation == l.Incarnation {`, `	if found.Incarnation == l.Incarnation || revision > 0 {`,
		"hub/cluster", bubble + "|TestTheSilentAreEvicted",
	},
	{
		"a lease that the bucket forgot is over at once", "P7", "hub/cluster/census.go",
		`	return now.Sub(first) >= deadAfter`, `	return !first.IsZero()`,
		"hub/cluster", bubble + "|TestTheOnlyServerStartsAnew",
	},
	{
		"what has the revision of an old lease is that lease", "P7", "hub/cluster/roll.go",
		` || now.revision == was.revision && now.incarnation != was.incarnation`, ``,
		"hub/cluster", "TestBucketMadeAnew",
	},
	{
		"a bucket that was made anew is the old one", "P12", "hub/cluster/roll.go",
		`		is = now.revision < was.revision || `, `		is = now.revision+1 == 0 || `,
		"hub/cluster", "TestBucketMadeAnew|TestTheOnlyServerStartsAnew",
	},
	{
		"a takeover waits for nobody", "P7", "hub/holding/holding.go",
		`return last, err == nil && !held, err`, `return last, err == nil && (!held || held), err`,
		"hub/cluster", bubble,
	},
	{
		"the lease is not asked before a call, by the hub", "P7", "hub/hub.go",
		`	if !h.membership.valid() {
		return leasePause, false`, `	if false {
		return leasePause, false`,
		"hub", "TestOwnerIsCutOff",
	},
	{
		"two owners write one log", "P2", "hub/journal/outcomes.go",
		`jetstream.WithExpectLastSequencePerSubject(expected), `, ``,
		"hub/journal", "TestOwnersAreOneLog",
	},
	{
		"an id in process is repeated for ever", "P12", "hub/journal/publish.go",
		`if stuck.heard(err) >= p.j.tuning.inProcess {`, `if stuck.heard(err) >= time.Hour {`,
		"hub/journal", "TestAnIDInProcessForEver",
	},
	{
		"a record gets another id although it is stored", "P4", "hub/journal/stuck.go",
		`	return at, err`, `	return at * 0, err`,
		"hub/journal", "TestAnIDInProcessForEver",
	},
	{
		"each repeat of a mark is another record", "P12", "hub/journal/snapshots.go",
		`		case stuck.heard(err) >= p.j.tuning.inProcess:`, `		case stuck.heard(err) >= 0:`,
		"hub/journal", "TestRepeatsOfAMarkHaveOneID",
	},
	{
		"who is stopped in a takeover goes on behind the fence", "P7", "hub/owner/takeover.go",
		`	if snap.head.Last >= own {`, `	if snap.head.Last > 1<<62 {`,
		"hub/owner", "TestStoppedWhileTakingOver",
	},
	{
		"a stray call is forgotten", "P6", "hub/owner/takeover.go",
		`stray > wait`, `false`,
		"hub/owner", "TestQuickSuccessionWaits",
	},
	{
		"an ended takeover is not released", "P12", "hub/owner/partition.go",
		`	taking, end := outliving(ctx, settleGrace)`, `	taking, end := context.WithCancel(ctx)`,
		"hub/owner", "TestTakeoverIsEndedAndReleased",
	},
	{
		"a partition changes hands as soon as it was taken", "P14", "hub/holding/holding.go",
		`most, kept := giveMax, keepFor`, `most, kept := giveMax, 0*keepFor`,
		"hub/holding", "TestWhatWasJustTakenIsKept",
	},
	{
		"what was lost is not released", "P12", "hub/holding/holding.go",
		`(place == h.cfg.Node || s.unreleased)`, `(place == h.cfg.Node)`,
		"hub/holding", "TestWhatWasLostIsReleased",
	},
	{
		"rooms wait for the snapshot before a release", "P14", "hub/owner/partition.go",
		`		p.part(hard)
		stop(context.Cause(ctx))`, `		stop(context.Cause(ctx))
		p.part(hard)`,
		"hub/owner", "TestRoomsGoOnUntilTheyAreReleased",
	},
	{
		"a viewer who is ahead of its node starts over", "P9", "hub/upgrade.go",
		`v.since != nil && *v.since > state.Seq`, `v.since != nil && false`,
		"hub", "TestResumeAheadOfTheNode",
	},
	{
		"the log is not read for who comes back", "P9", "hub/upgrade.go",
		`		l.memoir.recall(ctx, v.room, *v.since, state)`, ``,
		"hub", "TestResumeFromTheLog",
	},
	{
		"a gap in what was read back is not noticed", "P9", "hub/audience/recall.go",
		`		if n.Seq != h.floor {`, `		if n.Seq > h.floor {`,
		"hub/audience", "TestRecallWithAGap",
	},
}
