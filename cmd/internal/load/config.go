package load

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"
)

// Config is a run. All of it must be set; Check says what is wrong.
type Config struct {
	Target  Target
	Crowd   Crowd
	Gifts   Gifts
	Trouble Trouble
	Times   Times
	// Processes is over how many processes viewers and gifts are spread: 1 is this one.
	Processes int
	// Seed draws arrivals and who does what; the same seed draws the same.
	Seed uint64
}

// Target is the hub.
type Target struct {
	// URLs are its nodes, http or https. Viewers are spread over them, and a viewer may
	// come back to another.
	URLs []string
	// Metrics are the nodes' /metrics, for what the hub costs; empty: they are looked for at URLs.
	Metrics []string
	// APIKey is of the platform API, by which rooms are made and the ledger is read.
	APIKey string
	// JWTSecret signs viewers' tokens; empty: they are asked of /v1/dev/tokens.
	JWTSecret   string
	JWTAudience string
	// Rooms are existing rooms to use; empty: Crowd.Rooms new ones, deleted at the end.
	Rooms []string
	// Game is the mini_game_id of new rooms.
	Game string
}

// Crowd is who watches and gives.
type Crowd struct {
	Viewers int // in all, gifters included
	Gifters int
	Rooms   int
	// ConnectRate is how many connect a second before the load begins.
	ConnectRate float64
	// Sources are addresses of this machine to connect from, in turn; empty: the system's
	// choice.
	Sources []netip.Addr
}

// Gifts is what is given.
type Gifts struct {
	Rate float64 // gifts a second over all rooms
	// Even gives them in even steps, else they arrive at random (a Poisson process).
	Even   bool
	GiftID string
	Count  int
	// Join is the comment by which a gifter joins the game first; empty: none.
	Join     string
	Comments float64 // a second over all rooms, by gifters
	Likes    float64 // a second over all rooms, by gifters
}

// Trouble is what viewers do to the hub besides watching.
type Trouble struct {
	// Churn is how many viewers leave politely a second; each comes back after Away, to
	// where it was.
	Churn float64
	Away  time.Duration
	// Slow is the share of viewers that stop reading while the load lasts, 0 to 0.9.
	Slow float64
	// Storms are when everybody is dropped at once, from the load's beginning.
	Storms []time.Duration
}

// Times bound the phases.
type Times struct {
	// Connect is how long all viewers may take to get in.
	Connect time.Duration
	// Load is how long gifts are given.
	Load time.Duration
	// Settle is how long the hub may take to end every gift and to tell all viewers; the
	// run goes on as soon as it has.
	Settle time.Duration
}

// Bounds of a run.
const (
	// GiftsMax bounds the gifts of a run: 300 bytes each in the books, and as much while
	// the ledger is compared, is 1.2 GB.
	GiftsMax = 2_000_000
	// ViewersMax bounds the viewers: about 12 KB each here is 2.4 GB.
	ViewersMax = 200_000
	// PortsMax is how many connections one source address has ports for to one node:
	// Linux' default range (net.ipv4.ip_local_port_range) is 32768 to 60999.
	PortsMax = 28_000
	// RoomGiftsMax is what a room can pass on to ZEGO a second: 18 calls of 50 gifts.
	RoomGiftsMax = 18 * 50
	// UserGiftsMax is what a hub takes of one user a second by default.
	UserGiftsMax = 20
)

// FaultError is a setting that is wrong: Flag is its name on the command line.
type FaultError struct{ Flag, Text string }

// Error implements error.
func (e *FaultError) Error() string { return "--" + e.Flag + ": " + e.Text }

// Check says what is wrong with the settings, all faults at once, as [*FaultError]s
// that are joined.
func (c *Config) Check() error {
	var faults []error
	check := func(ok bool, flag, format string, args ...any) {
		if !ok {
			faults = append(faults, &FaultError{flag, fmt.Sprintf(format, args...)})
		}
	}
	t, w, g := &c.Target, &c.Crowd, &c.Gifts
	check(len(t.URLs) > 0, "url", "is required")
	for _, text := range t.URLs {
		u, err := url.Parse(text)
		check(err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https"), "url", "%q is not http://HOST:PORT or https://HOST", text)
	}
	check(t.APIKey != "", "api-key", "is required: rooms are made and the ledger is read with it")
	check(w.Viewers >= 1 && w.Viewers <= ViewersMax, "viewers", "%d is not between 1 and %d", w.Viewers, ViewersMax)
	check(w.Gifters >= 1 || g.Rate == 0, "gifters", "nobody is there to give")
	check(w.Gifters <= w.Viewers, "gifters", "%d are more than the %d viewers", w.Gifters, w.Viewers)
	check(w.Rooms >= 1 && w.Rooms <= w.Viewers, "rooms", "%d is not between 1 and the number of viewers", w.Rooms)
	check(w.ConnectRate > 0, "connect-rate", "must be above zero")
	check(len(w.Sources) == 0 || w.Viewers <= PortsMax*len(w.Sources)*max(1, len(t.URLs)), "source",
		"%d viewers need %d addresses: one has %d ports for each node", w.Viewers, (w.Viewers+PortsMax-1)/PortsMax, PortsMax)
	check(g.Rate >= 0, "rate", "must not be below zero")
	check(g.Rate*c.Times.Load.Seconds() <= GiftsMax, "rate", "%.0f gifts are more than the %d that a run can check", g.Rate*c.Times.Load.Seconds(), GiftsMax)
	check(g.Count >= 1 && g.Count <= 100_000, "count", "%d is not between 1 and 100000", g.Count)
	check(g.Comments >= 0 && (g.Comments == 0 || w.Gifters > 0), "comments", "must not be below zero, and needs gifters")
	check(g.Likes >= 0 && (g.Likes == 0 || w.Gifters > 0), "likes", "must not be below zero, and needs gifters")
	check(c.Trouble.Churn >= 0, "churn", "must not be below zero")
	check(c.Trouble.Slow >= 0 && c.Trouble.Slow <= 0.9, "slow", "%v is not a share between 0 and 0.9", c.Trouble.Slow)
	check(w.Gifters+c.slowReaders() <= w.Viewers, "slow", "gifters read: %d of them and %d slow readers are more than the %d viewers",
		w.Gifters, c.slowReaders(), w.Viewers)
	for _, at := range c.Trouble.Storms {
		check(at >= 0 && at < c.Times.Load, "storm", "%v is not within the load's %v", at, c.Times.Load)
	}
	check(c.Processes >= 1 && c.Processes <= 64, "processes", "%d is not between 1 and 64", c.Processes)
	check(c.Processes <= max(1, w.Viewers), "processes", "%d are more than the viewers", c.Processes)
	check(w.Gifters == 0 || w.Gifters >= c.Processes, "gifters", "%d are less than one a process (%d)", w.Gifters, c.Processes)
	return errors.Join(faults...)
}

// slowReaders is how many viewers stop reading.
func (c *Config) slowReaders() int { return int(c.Trouble.Slow * float64(c.Crowd.Viewers)) }

// Warnings says what is allowed and probably not meant.
func (c *Config) Warnings() []string {
	var out []string
	if per := c.Gifts.Rate / float64(c.Crowd.Rooms); per > RoomGiftsMax {
		out = append(out, fmt.Sprintf("%.0f gifts/s a room are more than the %d that ZEGO takes (18 calls of 50): the backlog grows, and results come later and later",
			per, RoomGiftsMax))
	}
	if c.Crowd.Gifters > 0 {
		if per := c.Gifts.Rate / float64(c.Crowd.Gifters); per > UserGiftsMax {
			out = append(out, fmt.Sprintf("%.0f gifts/s a gifter are more than the %d that a hub takes of a user by default (--limit-gifts): the rest is rejected",
				per, UserGiftsMax))
		}
	}
	return out
}
