package main

// Often named tests.
const (
	simulation = "TestSeeds"
	roomTwin   = "TestEveryGiftEndsOnce"
)

// table is the rules, by the way of a gift.
var table = concat(comingIn, kept, owned, shared, sent, ended, streams, audited)

func concat(parts ...[]rule) (all []rule) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// comingIn: who may connect and what is taken.
var comingIn = []rule{
	{
		"token algorithm is the token's choice", "P15", "hub/auth/hs256.go",
		`jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),`, ``,
		"hub/auth", "TestHS256Refuses|TestHS256Forged",
	},
	{
		"token signature off", "P15", "hub/auth/hs256.go",
		`parsed, err := h.parser.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return h.secret, nil })`,
		`parsed, _, err := h.parser.ParseUnverified(token, claims)`,
		"hub/auth", "TestHS256Refuses|TestHS256Forged",
	},
	{
		"token in the URL is taken", "P15", "hub/upgrade.go",
		`case "token", "access_token", "jwt":`, `case "":`,
		"hub", "TestKnock",
	},
	{
		"origin check off", "P15", "hub/upgrade.go",
		`if !l.sameOrigin(r) {`, `if false {`,
		"hub", "TestKnock",
	},
	{
		"rate limit of gifts off", "P10", "hub/session_frames.go",
		`rates.Allow(userInRoom{s.room, s.who.User.ID}, now); !ok {`,
		`rates.Allow(userInRoom{s.room, s.who.User.ID}, now); !ok && s == nil {`,
		"hub", "TestRates",
	},
	{
		"rate limit forgets who went away", "P10", "hub/quota/quota.go",
		`if b.TokensAt(now) >= float64(t.limit.Burst) {`, `if b != nil {`,
		"hub/quota", "TestSweep|TestTableKeepsItsLimit",
	},
	{
		"UTF-8 check off", "P15", "hub/session.go",
		`if !utf8.Valid(*buf) {`, `if !utf8.Valid(nil) {`,
		"hub", "TestBrokenFrames",
	},
	{
		"conflict check off, among those in flight", "P4", "hub/intake/table.go",
		`case f.content != gift.Content():`, `case f.content != f.content:`,
		"hub/intake", "TestSameIDInFlight|TestRepeatOfStored",
	},
	{
		"conflict check off, with the owner", "P4", "hub/intake/intake.go",
		`if known.Gift != nil && known.Gift.Content() != gift.Content() {`, `if false {`,
		"hub/intake", "TestRepeatKnownToTheOwner",
	},
	{
		"accepted before durable", "P1", "hub/intake/intake.go",
		`if err := in.cfg.Journal.Submit(journal.Entry{Gift: gift}, stored); err != nil {`,
		"in.stored(ctx, gift, cost, nil)\n\tstored = func(journal.Receipt, error) {}\n\tif err := in.cfg.Journal.Submit(journal.Entry{Gift: gift}, stored); err != nil {",
		"hub/intake", "TestAcceptedWhenStored|TestJournalAnswersLate|TestAnswersOfAnyShape",
	},
	{
		"unknown is answered rejected", "P11", "hub/intake/intake.go",
		`		v.Outcome = Unknown`, `		v = rejected(wire.CodeUnavailable, "it failed").of(gift.MsgID).later()`,
		"hub/intake", "TestJournalAnswersLate|TestAcceptedWhenStored|TestAnswersOfAnyShape",
	},
	{
		"a purged outcome is paid again", "P4", "hub/intake/intake.go",
		`case errors.Is(err, journal.ErrGone):`, `case false:`,
		"hub/intake", "TestRepeatOfAPurgedOutcome",
	},
	{
		"a release undoes another attempt", "P4", "hub/intake/wallet.go",
		`attempt = rand.Text()`, `attempt = rand.Text()[:0] + "a"`,
		"hub/intake", "TestTwoNodesAtOnce|TestRepeatAfterALostAnswer",
	},
	{
		"require_running off", "P11", "hub/intake/intake.go",
		`if config.RequireRunning && state`, `if false && state`,
		"hub/intake", "TestRequireRunning|TestRejections",
	},
	{
		"bound of open gifts off", "P11", "hub/intake/intake.go",
		`if state.Open+roomFlights >= in.cfg.Limits.RoomOpen ||`, `if roomFlights < 0 ||`,
		"hub/intake", "TestInFlightCountsAsOpen|TestRejections",
	},
}

// kept: the journal.
var kept = []rule{
	{
		"append without the expected sequence", "P2", "hub/journal/outcomes.go",
		`jetstream.WithExpectLastSequencePerSubject(expected), `, ``,
		"hub/journal", "TestContractEmbedded",
	},
	{
		"a refused append is taken for the own one", "P7", "hub/journal/outcomes.go",
		`case last.Seq > expected && last.Node == rec.Node && last.Incarnation`, `case last.Seq > expected || last.Node == rec.Node && last.Incarnation`,
		"hub/journal", "TestContractEmbedded|TestALostAppendIsFoundOut",
	},
	{
		"a landed append is not recognized", "P1", "hub/journal/outcomes.go",
		`case last.Seq > expected && last.Node == rec.Node &&`, `case false && last.Node == rec.Node &&`,
		"hub/journal", "TestALostAppendIsFoundOut",
	},
	{
		"decisions need no room", "P11", "hub/config.go",
		`f.unless(l.Intake.NodeOpen <= decisions,`, `f.unless(true,`,
		"hub", "TestConfigDecisionsMustFit",
	},
	{
		"gifts are taken until OUTCOMES and IDS are full", "P11", "hub/journal/health.go",
		`if space.Full() >= fullAt && name != streamSnapshots {`, `if space.Full() >= fullAt && name == streamGifts {`,
		"hub/journal", "TestSpaceOfEachStream|TestGiftsAreRefusedBeforeDecisions",
	},
	{
		"a deposed leader fences", "P12", "hub/journal/outcomes.go",
		`err != nil || last.Seq >= seq {`, `err != nil || last.Seq >= 0 {`,
		"hub/journal", "TestADeposedLeaderFencesNobody",
	},
	{
		"a deposed leader says where GIFTS ends", "P2", "hub/journal/gifts.go",
		`	if p.j.embedded == nil {
		seq, err := p.save(`, `	if p == nil {
		seq, err := p.save(`,
		"hub/journal", "TestTheEndOfGiftsIsSure",
	},
	{
		"a repeated publish is another record", "P4", "hub/journal/publish.go",
		`		seq, got, err := p.attempt(hard, msg)`,
		"\t\tmsg.Header.Set(jetstream.MsgIDHeader, p.msgID()+strconv.Itoa(attempt))\n\t\tseq, got, err := p.attempt(hard, msg)",
		"hub/journal", "TestALostPublishIsRepeated|TestALostAnswerIsFoundOut",
	},
	{
		"an unanswered publish is refused", "P11", "hub/journal/publish.go",
		`			if unanswered {
				return 0, ErrUnknown
			}`, ``,
		"hub/journal", "TestAnEndWithoutAnAnswerIsUnknown",
	},
	{
		"records are read before their senders are told", "P1", "hub/journal/gifts.go",
		`held = rec.Incarnation == r.p.j.incarnation && rec.Number > r.p.pub.news.told.Load()`, `held = false`,
		"hub/journal", "TestContractEmbedded|TestALostAnswerIsFoundOut|TestRandomFaults",
	},
	{
		"SyncAlways off", "P1", "hub/journal/embedded.go", // `make chaos` shows what would be lost
		`StoreDir: dir, SyncAlways: true,`, `StoreDir: dir, SyncAlways: false,`,
		"hub/journal", "TestContractEmbedded",
	},
	{
		"unsafe storage is not refused", "P13", "hub/journal/embedded.go",
		`js == nil || !js.SyncAlways`, `js == nil || js.SyncAlways`,
		"hub/journal", "TestContractEmbedded",
	},
	{
		"a wedged store is waited for in publishes", "P13", "hub/journal/journal.go",
		`patience = min(patience, j.tuning.wedged-bad)`, `_ = bad`,
		"hub/journal", "TestAWedgedStoreEndsRun",
	},
	{
		"a wedged store is waited for in appends", "P13", "hub/journal/journal.go",
		`close(j.life.wedged)`, `_ = j.life.wedged`,
		"hub/journal", "TestAWedgedStoreIsNoticedWithoutGifts",
	},
	{
		"a stream that the server has lost is not missed", "P13", "hub/journal/embedded.go",
		`errors.Join(recovered(s, streams), serverHealth(s))`, `serverHealth(s)`,
		"hub/journal", "TestEveryFolderIsAStream",
	},
	{
		"a resize that was killed is not undone", "P13", "hub/journal/resize.go",
		`case err == nil && whole &&`, `case false && whole &&`,
		"hub/journal", "TestAResizeThatWasKilled",
	},
}

// audited: what the audit believes.
var audited = []rule{
	{
		"the audit overlooks a gap in a batch", "P5", "hub/audit/store.go",
		`if before != prev {`, `if before > m.Seq {`,
		"hub/audit", "TestGapInABatch",
	},
	{
		"the audit overlooks lost records", "P5", "hub/audit/store.go",
		`case a.State.Lost != nil && len(a.State.Lost.Messages) > 0:`, `case false:`,
		"hub/audit", "TestLostRecords",
	},
}

// owned: taking over, reading on, snapshots.
var owned = []rule{
	{
		"open gifts left out of the snapshot", "P1", "hub/owner/save.go",
		`head.Open = packPositions(open)`, `head.Open = packPositions(nil)`,
		"hub/owner", "TestCrashAtEveryOperation",
	},
	{
		"open gifts left out of the snapshot, simulated", "P1", "hub/owner/save.go",
		`head.Open = packPositions(open)`, `head.Open = packPositions(nil)`,
		"hub/sim", simulation,
	},
	{
		"the day's ids not loaded", "P4", "hub/owner/takeover.go",
		`p.rooms.memory.remember(id.Key, id.Seq, ending(id.End), storedAt)`, `_, _ = id, storedAt`,
		"hub/owner", "TestNextOwnerRemembersIDs",
	},
	{
		"the day's ids not loaded, simulated", "P4", "hub/owner/takeover.go",
		`p.rooms.memory.remember(id.Key, id.Seq, ending(id.End), storedAt)`, `_, _ = id, storedAt`,
		"hub/sim", simulation,
	},
	{
		"ids are forgotten after an hour", "P4", "hub/owner/memory.go",
		`const memoryHours = 25`, `const memoryHours = 1`,
		"hub/owner", "TestMemoryForgetsByTheHour",
	},
	{
		"the replay begins one record late", "P5", "hub/owner/takeover.go",
		`	after := head.Last`, `	after := head.Last + 1`,
		"hub/sim", simulation,
	},
	{
		"chunks of the snapshot are folded in again", "P5", "hub/owner/takeover.go",
		`if rec.Seq > snap.covered[chunkOf(d.Room)] {`, `if true {`,
		"hub/owner", "TestCrashAtEveryOperation",
	},
	{
		"the snapshot has read too far", "P1", "hub/owner/snapshot.go",
		`Version: snapshotShape, Read: r.read, Last:`, `Version: snapshotShape, Read: r.read + 1, Last:`,
		"hub/owner", "TestCrashAtEveryOperation",
	},
	{
		"a hole in the log is not refused", "P13", "hub/owner/takeover.go",
		`if !p.rooms.log.precedes(&rec) {`, `if false {`,
		"hub/owner", "TestHoleInTheLogIsRefused",
	},
	{
		"recovered gifts treated as new", "P2", "hub/owner/takeover.go",
		`Recovered: g.position.Seq <= p.inherited,`, `Recovered: false,`,
		"hub/owner", "TestRecoveredGiftIsNotFailedByALaterRefusal",
	},
	{
		"takeover wait off", "P6", "hub/owner/takeover.go",
		`p.notBefore = p.since + wait`, `p.notBefore = p.since + 0*wait`,
		"hub/owner", "TestQuickSuccessionWaits",
	},
	{
		"the owner's first second is forgotten", "P6", "hub/owner/partition.go",
		`OwnedSince: p.since, NotBefore`, `OwnedSince: -time.Minute, NotBefore`,
		"hub/owner", "TestFirstSecondOfAnOwner",
	},
	{
		"a known id is given again", "P4", "hub/owner/read.go",
		`	if !known {
		p.openGift(g)`, `	if !known || seq > 0 {
		p.openGift(g)`,
		"hub/owner", "TestRepeatHasOneEffect",
	},
	{
		"last outcome wins", "P2", "hub/owner/verdicts.go",
		`		if !ok || twice {
			continue
		}`, `		if _ = twice; !ok {
			g = &openGift{}
		}`,
		"hub/owner", "TestFirstOutcomeWins",
	},
	{
		"told before it is stored", "P1", "hub/owner/appender.go",
		`	err := a.storeRecord(ctx, &rec)`, "\ta.stored(&rec)\n\terr := a.storeRecord(ctx, &rec)",
		"hub/owner", "TestNothingIsToldBeforeItIsStored",
	},
	{
		"purge ignores open gifts", "P1", "hub/owner/space.go",
		`c.gifts = min(c.gifts, at.Seq)`, `_ = at`,
		"hub/owner", "TestHistoryMakesRoom|TestNothingIsForgottenWithTheHistory",
	},
	{
		"purge without a snapshot", "P1", "hub/owner/space.go",
		`if upTo <= first {`, `if upTo += 100; upTo <= first {`,
		"hub/owner", "TestWithoutASnapshotNothingGoes|TestHistoryMakesRoom|TestNothingIsForgottenWithTheHistory",
	},
	{
		"a stale owner's chunk lands", "P5", "hub/owner/save.go",
		`if last.Term != p.identity.term || last.Incarnation != p.identity.incarnation {`, `if last.Term == 0 {`,
		"hub/owner", "TestStaleSnapshotIsRefused|TestEvictedOwnerWritesNothing",
	},
	{
		"a deposed leader says where the memory of ids ends", "P4", "hub/journal/ids.go",
		`end, err := p.endOf(ctx, streamIDs, subject, encodeIDs(nil))`, `m, err := p.j.leaderLast(ctx, streamIDs, subject)
	end := m.seq`,
		"hub/journal", "TestTheMemoryIsWhole",
	},
	{
		"a purged outcome is not told again", "P4", "hub/owner/read.go",
		`if d, ok := how.decision(g.gift); ok {`, `if d, ok := how.decision(g.gift); ok && p == nil {`,
		"hub/owner", "TestNothingIsForgottenWithTheHistory",
	},
	{
		"how a gift ended is not kept", "P4", "hub/journal/ids.go",
		`			id.End = data[8+n]`, `			_ = data[8+n]`,
		"hub/journal", "TestTheMemoryIsWhole",
	},
	{
		"a deposed leader ends an owner", "P12", "hub/owner/save.go",
		`if last.Term < p.identity.term {`, `if false {`,
		"hub/owner", "TestDeposedLeaderEndsNobody",
	},
	{
		"chunks without an expectation", "P5", "hub/journal/snapshots.go",
		`if expected != nil {`, `if expected != nil && false {`,
		"hub/journal", "TestContractEmbedded",
	},
	{
		"ready before it has read", "P4", "hub/owner/read.go",
		`if after >= p.inherited {`, `if after+1 > 0 {`,
		"hub/owner", "TestReadyWhenCaughtUp",
	},
	{
		"callback dedupe off", "P2", "hub/owner/game.go",
		`if slices.Contains(g.Reports, report) {`, `if false {`,
		"hub/owner", "TestGameReports|TestRepeatedReportChangesNothing",
	},
	{
		"an ended round begins again", "P2", "hub/owner/game.go",
		`if c.Game.State != room.GameEnded && slices.Contains(g.Ended, round) {`, `if false {`,
		"hub/owner", "TestGameReports",
	},
	{
		"a late report counts", "P12", "hub/owner/game.go",
		`if other && c.At < g.At {`, `if false {`,
		"hub/owner", "TestGameReports",
	},
	{
		"game switch ignored", "P12", "hub/owner/game.go",
		`if g.Now.State != room.GameEnded || g.ID == gameID {`, `if true {`,
		"hub/owner", "TestSwitchedGameIsNotHeld",
	},
	{
		"repeats crowd out how a game stands", "P12", "hub/owner/verdicts.go",
		`	case n.game != nil:
		v.tellNewest(n)`, ``,
		"hub/owner", "TestNewestGameIsToldInAFlood",
	},
	{
		"joins are not repeated in a new round", "P8", "hub/owner/read.go",
		`for _, j := range e.joins.renew() {`, `for _, j := range e.joins.renew()[:0] {`,
		"hub/owner", "TestJoinsOutliveOwnersAndRounds",
	},
	{
		"gone ledger cursor ignored", "P5", "hub/owner/ledger.go",
		`	if e.Prev >= low && q.after != (Cursor{}) {
		return roomEntry{}, ErrCursorGone
	}`, ``,
		"hub/owner", "TestLedgerCursorOlderThanRetained",
	},
	{
		"a failed snapshot drops its ids", "P4", "hub/owner/save.go",
		`r.newIDs = append(ids, r.newIDs...)`, `_ = ids`,
		"hub/owner", "TestFailedSnapshotLosesNoIDs",
	},
}
