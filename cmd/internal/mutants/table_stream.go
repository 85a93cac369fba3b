package main

// streams: what keeps a viewer's stream whole, and viewers and rooms apart.
var streams = []rule{
	{
		"a broadcast writes between the pieces of a frame", "P10", "hub/socket/outlet.go",
		`	if o.owner || o.closing || o.closed {`, `	if o.closing || o.closed {`,
		"hub/socket", "TestNothingWaitsForAStalledPeer|TestStorm",
	},
	{
		"the rest of a frame is forgotten", "P9", "hub/socket/outlet.go",
		`	o.owed = &owed{rest: append([]byte(nil), rest...)}`, `	o.owed = new(owed)`,
		"hub/socket", "TestStorm|TestCutFrameIsFinished",
	},
	{
		"a control frame of the library goes past the queue", "P9", "hub/socket/outlet.go",
		`	if o.owner {
		o.keep(frame)
		return false
	}
`, ``,
		"hub/socket", "TestStorm|TestNothingWaitsForAStalledPeer",
	},
	{
		"the lane is given back before all that is owed is written", "P10", "hub/socket/outlet.go",
		`	o.owner = next != nil`, `	o.owner = false`,
		"hub/socket", "TestNothingWaitsForAStalledPeer",
	},
	{
		"frames follow the close frame", "P9", "hub/socket/outlet.go",
		`	return o.next(), !o.closing && !o.closed`, `	return o.next(), true`,
		"hub/socket", "TestControlWaits",
	},
	{
		"the library may write what it likes", "P9", "hub/socket/write.go",
		`	if !isControl(p) {`, `	if len(p) == 0 {`,
		"hub/socket", "TestStray",
	},
	{
		"Close waits for a peer that takes nothing", "P10", "hub/socket/conn.go",
		`		_ = c.SetWriteDeadline(time.Now().Add(owedTime)) // an error shows in the write
`, ``,
		"hub/socket", "TestCloseIsBounded",
	},
	{
		"a broadcast overtakes what waits in the outbox", "P9", "hub/audience/member.go",
		`!m.writing && !m.gone && m.ending.code == "" && m.box.len() == 0 &&`, `!m.gone && m.ending.code == "" &&`,
		"hub/audience", "TestPrompt",
	},
	{
		"what was not told here for a while is lagged", "P9", "hub/audience/hall.go",
		`	if inLog {
		// Some`, `	if inLog && before == 0 {
		// Some`,
		"hub/audience", "TestRecallAfterAWhile",
	},
	{
		"an empty hall does not look how far it is behind", "P9", "hub/audience/recall.go",
		`	hl.catchUp(at.Seq, at.Record)`, ``,
		"hub/audience", "TestRecallAfterAWhile",
	},
	{
		"what does not fit is read by everyone who comes", "P10", "hub/audience/recall.go",
		`		since = 0
`, ``,
		"hub/audience", "TestRecallOnce",
	},
	{
		"what is on its way takes older news away", "P9", "hub/audience/recall.go",
		` || !h.log.known && n.Seq > h.floor`, ``,
		"hub/audience", "TestRecallOfWhatIsOnItsWay",
	},
	{
		"a large room is told in one go", "P10", "hub/audience/turns.go",
		`			runtime.Gosched()`, ``,
		"hub/audience", "TestLargeRoomHoldsNobodyUp",
	},
	{
		"connections are not counted", "P10", "hub/seats.go",
		`	s.rooms[room]++`, ``,
		"hub", "TestSeats",
	},
	{
		"where a room stands is told as a gap", "P9", "hub/audience/hall.go",
		`if news.Prev == 0 && len(news.Decisions) == 0 && len(h.members) == 0 {`, `if false {`,
		"hub/audience", "TestRecallAfterAWhile",
	},
	{
		"what was read from the past is taken in", "P9", "hub/audience/recall.go",
		`l.known && l.older != upTo`, `l.known && l.older == 0`,
		"hub/audience", "TestRecallOfThePast",
	},
}
