package main

// sent: what goes to ZEGO, and when.
var sent = []rule{
	{
		"new MsgId on retry", "P3", "room/send.go",
		`		gifts[i] = g.gift`, `		again := *g.gift
		again.MsgID[0] += byte(g.history.count)
		gifts[i] = &again`,
		"hub/sim", simulation,
	},
	{
		"the MsgId is not the gift's", "P3", "room/id.go",
		`return MsgID(uuid.NewSHA1(msgIDNamespace, name))`, `return MsgID(uuid.New())`,
		"room", "TestMsgIDVectors",
	},
	{
		"23 h rule off", "P3", "room/open.go",
		`return min(l.GiftTTL, SendAgeMax)`, `return 30 * SendAgeMax`,
		"room", "TestNoLimitSendsAnOldID|TestAgeIsLookedAtBeforeSending",
	},
	{
		"age is what the wall clock says", "P3", "room/age.go",
		`return max(byWall, byMono)`, `return byWall + 0*byMono`,
		"room", roomTwin,
	},
	{
		"age begins with the reading", "P3", "room/age.go",
		`byMono := b.ageAtRead + now.Mono - b.readAt`, `byMono, byWall := now.Mono-b.readAt, byWall-byWall`,
		"hub/sim", simulation + "|TestAlarmsRing",
	},
	{
		"age is not looked at right before sending", "P3", "room/send.go",
		`if g.age(c.now) >= sendUntil(c.cfg.Limits) {`, `if false {`,
		"room", "TestAgeIsLookedAtBeforeSending",
	},
	{
		"budget counted at send", "P6", "room/budget.go",
		`func (b *budget) end(now time.Duration) {`, "func (b *budget) end(now time.Duration) {\n\tnow = b.started",
		"room", "TestSteadyBudgetHoldsAtTheDoor|TestBudgetHoldsAcrossOwners",
	},
	{
		"budget counts a call too few", "P6", "room/budget.go",
		`t = max(t, b.ends[b.oldest]+second)`, `t = max(t, b.ends[b.oldest]+second-100*time.Millisecond)`,
		"room", "TestSteadyBudgetHoldsAtTheDoor|" + roomTwin,
	},
	{
		"the first second of an owner is like any", "P6", "room/budget.go",
		`max(b.notYet, b.since+time.Duration(b.early)*second/TakeoverCalls)`, `b.notYet`,
		"room", "TestBudgetHoldsAcrossOwners|TestTakeoverBudget|TestTakeoverCalls",
	},
	{
		"two calls in flight", "P6", "room/slot.go",
		`if s.flight != nil || wanted == never {`, `if wanted == never {`,
		"room", roomTwin,
	},
	{
		"join before gift order off", "P8", "room/turn.go",
		`	if v.join != nil {
		v.join.holds(g)`, `	if false {
		v.join.holds(g)`,
		"room", "TestJoinHoldsItsViewersGifts|" + roomTwin,
	},
	{
		"order of a viewer's gifts off", "P8", "room/lane.go",
		`before: func(a, b *openGift) bool { return a.order < b.order }`, `before: func(a, b *openGift) bool { return a.order > b.order }`,
		"room", roomTwin,
	},
	{
		"gifts of an ended game are sent", "P12", "room/send.go",
		`	if c.phase.ended {
		return nil, never
	}`, ``,
		"room", roomTwin,
	},
	{
		"no pause after a configuration code", "P6", "room/retry.go",
		`r.wait, r.code, r.until = wait, a.Code, c.now.Mono+wait`, `r.wait, r.code, r.until = wait, a.Code, c.now.Mono`,
		"room", roomTwin,
	},
	{
		"calls have more than 50 gifts", "P6", "room/lane.go",
		`l.ready.len() > 0 && len(list) < BatchMax;`, `l.ready.len() > 0 && len(list) < 2*BatchMax;`,
		"room", "TestBatches",
	},
	{
		"calls have more than 64 KiB", "P6", "room/lane.go",
		`if bytes += g.size; bytes > BatchBytes && len(list) > 0 {`, `if bytes += g.size; false {`,
		"room", "TestBatches",
	},
	{
		"bisect off", "P10", "room/send.go",
		`f.lane.suspect(halves(list)...)`, `f.lane.suspect(list)`,
		"room", "TestBisectFindsTheCulprit|" + roomTwin,
	},
	{
		"a stopped room goes on", "P7", "room/step.go",
		`for ok := !c.phase.stopped; ok;`, `for ok := true; ok;`,
		"room", "TestStoppedCoreOnlyListens",
	},
	{
		"the lease is not asked", "P7", "room/actor.go",
		`	if a.cfg.Gate != nil {
		if wait,`, `	if false {
		if wait,`,
		"room", "TestGateHoldsCalls",
	},
}

// ended: what an answer means.
var ended = []rule{
	{
		"unknown not sticky", "P2", "room/send.go",
		`switch g.know = max(g.know, fate.know); fate.move {`, `if g.know = max(g.know, fate.know); finding == refusal {
			g.know = notTaken
		}
		switch fate.move {`,
		"room", roomTwin,
	},
	{
		"a refusal makes an unknown gift failed", "P2", "room/fate.go",
		`	if k == notTaken {
		return settled(Failed, ReasonRefused)
	}
	return fate{know: k, move: rest}`, `	return settled(Failed, ReasonRefused)`,
		"room", "TestFateTable",
	},
	{
		"an expired unknown gift is failed", "P2", "room/fate.go",
		`	case k != notTaken:
		return fate{know: k, move: lookUp}`, `	case k == recorded:
		return fate{know: k, move: lookUp}`,
		"room", "TestExpiredUnknownGiftIsLookedUp",
	},
	{
		"a missing row is success", "P2", "room/reading.go",
		`	case !r.found:
		return noRow`, `	case !r.found:
		return given`,
		"room", roomTwin,
	},
	{
		"10006 is a failure", "P2", "room/reading.go",
		`	case ResultPending:
		return processing`, `	case ResultPending:
		return noSuchGift`,
		"room", "TestPendingResultIsSentAgain",
	},
	{
		"10005 is sent again", "P2", "room/fate.go",
		`	case unclear:
		return fate{know: recorded, move: lookUp}, true`, `	case unclear:
		return fate{know: unknown, move: rest}, true`,
		"room", "TestFateTable",
	},
	{
		"of contradicting rows the first holds", "P2", "room/reading.go",
		`		r.clash = true`, `		_ = r.clash`,
		"room", "TestReconciliation|" + roomTwin,
	},
	{
		"rows of other gifts count", "P2", "room/reading.go",
		`g == nil || g.stage != flying || g.seat.call != f.id`, `g == nil || g.seat.index >= len(rs)`,
		"room", "TestRowsOfOtherCalls",
	},
	{
		"rows of a refusal count", "P2", "room/reading.go",
		`	if a.Outcome != Consumed {
		return rs
	}`, ``,
		"room", "TestRowsOfARefusalDoNotCount|" + roomTwin,
	},
	{
		"one empty answer is enough", "P2", "room/fate.go",
		`emptyAnswersMax = 3`, `emptyAnswersMax = 1`,
		"room", roomTwin,
	},
	{
		"empty answers count at once", "P2", "room/fate.go",
		`emptyAnswersFrom = 30 * time.Second`, `emptyAnswersFrom = 0 * time.Second`,
		"room", roomTwin,
	},
	{
		"an unreadable answer is a refusal", "P2", "zego/answer.go",
		`Action: a.action, Outcome: room.Unknown, Message`, `Action: a.action, Outcome: room.NotTaken, Message`,
		"zego", "TestOutcomeOfAnswers|TestRowsAreReadTolerantly",
	},
	{
		"callback signature off", "P15", "zego/callback.go",
		`if !SameSignature(string(report.Signature), stamp.SignCallback(v.cfg.Secret, v.cfg.Scheme)) {`, `if false {`,
		"zego", "TestVerifyRefuses",
	},
	{
		"old callbacks are taken", "P15", "zego/callback.go",
		`if !stamp.Fresh(now) {`, `if false {`,
		"zego", "TestVerifyRefuses",
	},
}
