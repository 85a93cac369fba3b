package main

import "fmt"

// figures are what one round of a scenario has shown, by column.
type figures map[string]float64

// scenario is one table of the report.
type scenario struct {
	name, title string
	peers       []string // those it is run for; nil: all
	columns     []column
	run         func(b bench, peer string) (figures, error)
}

// column is one figure; ratio is the peer that the others are shown against, if any.
type column struct{ name, unit string }

// Columns that scenarios share.
var (
	perCPU     = column{"deliveries per CPU second", "k"}
	p99        = column{"p99", "ms"}
	rssColumn  = column{"RSS per idle viewer", "KiB"}
	goroutines = column{"goroutines per idle viewer", ""}
	merged     = column{"messages per frame", ""} // above 1 when paced: the machine was too busy to keep the pace
	lost       = column{"lost", ""}
)

// Works.
var (
	paced  = work{perSecond: 10, burst: 1}
	bursts = work{perSecond: 2, burst: 8}
)

// scenarios are the tables, in the report's order.
func scenarios() []scenario {
	return []scenario{
		{name: "paced", title: "one room, 10 messages/s", columns: []column{perCPU, p99, merged, rssColumn, goroutines, lost}, run: runPaced},
		{name: "bursts", title: "one room, bursts of 8 messages, 2/s", columns: []column{perCPU, p99, merged, lost}, run: runBursts},
		{name: "rooms", title: "the same viewers in rooms of 10, 10 messages/s each", columns: []column{perCPU, p99, merged, lost}, run: runRooms},
		{
			name: "size", title: "16 times the smaller crowd, at the same number of deliveries", peers: []string{"giftwire", "centrifuge", "tcp"},
			columns: []column{{"few", "k"}, {"many", "k"}, {"many/few", ""}}, run: runSize,
		},
		{
			name: "stalled", title: "1 % of the viewers do not read, 10 messages/s", peers: []string{"giftwire", "centrifuge", "melody", "gws"},
			columns: []column{{"p99 without", "ms"}, {"p99 with", "ms"}, {"with/without", ""}, lost}, run: runStalled,
		},
		{
			name: "beside", title: "100 rooms of 10, 5 messages/s each, beside a large room that is told 3/s or not", peers: []string{"giftwire", "centrifuge"},
			columns: []column{{"p99 alone", "ms"}, {"p99 beside", "ms"}, {"beside/alone", ""}, {"large room's p99", "ms"}}, run: runBeside,
		},
	}
}

// crowd makes a stage with viewers spread over rooms.
func (b bench) crowd(peer string, viewers, rooms int) (*stage, error) {
	s, err := b.newStage(peer, rooms)
	if err != nil {
		return nil, err
	}
	if err := s.open(viewers, rooms, 0); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

func (s spent) figures() figures {
	return figures{
		perCPU.name: s.perCPU / 1000, p99.name: s.p99.Seconds() * 1000,
		merged.name: float64(s.deliveries) / float64(max(1, s.frames)), lost.name: float64(s.lost),
	}
}

func runPaced(b bench, peer string) (figures, error) {
	s, err := b.newStage(peer, 1)
	if err != nil {
		return nil, err
	}
	defer s.end()
	rss, routines, err := s.resting()
	if err != nil {
		return nil, err
	}
	if err := s.open(b.viewers, 1, 0); err != nil {
		return nil, err
	}
	fullRSS, fullRoutines, err := s.resting()
	if err != nil {
		return nil, err
	}
	got, err := s.run(paced, b.viewers)
	f := got.figures()
	f[rssColumn.name] = float64(fullRSS-rss) / float64(b.viewers)
	f[goroutines.name] = float64(fullRoutines-routines) / float64(b.viewers)
	return f, err
}

func runBursts(b bench, peer string) (figures, error) {
	s, err := b.crowd(peer, b.viewers, 1)
	if err != nil {
		return nil, err
	}
	defer s.end()
	got, err := s.run(bursts, b.viewers)
	return got.figures(), err
}

func runRooms(b bench, peer string) (figures, error) {
	s, err := b.crowd(peer, b.viewers, b.viewers/10)
	if err != nil {
		return nil, err
	}
	defer s.end()
	got, err := s.run(paced, b.viewers)
	return got.figures(), err
}

// runSize tells few viewers often, and sixteen times as many a sixteenth as often.
func runSize(b bench, peer string) (figures, error) {
	one := func(viewers, perSecond int) (float64, error) {
		s, err := b.crowd(peer, viewers, 1)
		if err != nil {
			return 0, err
		}
		defer s.end()
		got, err := s.run(work{perSecond: perSecond, burst: 1}, viewers)
		if err == nil && got.lost > 0 {
			err = fmt.Errorf("%s lost %d messages", peer, got.lost)
		}
		return got.perCPU / 1000, err
	}
	few, err := one(b.many/16, 32)
	if err != nil {
		return nil, err
	}
	many, err := one(b.many, 2)
	return figures{"few": few, "many": many, "many/few": many / few}, err
}

// fill is how many messages are told to those who do not read, before the others
// come: 900 KB, more than the kernel holds for them. No server gives them up for that.
const fill = 3000

func runStalled(b bench, peer string) (figures, error) {
	one := func(stalled int) (spent, error) {
		s, err := b.newStage(peer, 1)
		if err != nil {
			return spent{}, err
		}
		defer s.end()
		if stalled > 0 {
			if err := s.open(stalled, 1, stalled); err != nil {
				return spent{}, err
			}
			for range fill / 10 {
				if err := s.server.say("tell 10"); err != nil {
					return spent{}, err
				}
			}
		}
		if err := s.open(b.viewers-stalled, 1, 0); err != nil {
			return spent{}, err
		}
		return s.run(paced, b.viewers-stalled)
	}
	without, err := one(0)
	if err != nil {
		return nil, err
	}
	with, err := one(max(1, b.viewers/100))
	return figures{
		"p99 without": without.p99.Seconds() * 1000, "p99 with": with.p99.Seconds() * 1000,
		"with/without": with.p99.Seconds() / without.p99.Seconds(), lost.name: float64(without.lost + with.lost),
	}, err
}
