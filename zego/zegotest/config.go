package zegotest

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// ErrBadConfig is wrapped by every error of [New].
var ErrBadConfig = errors.New("zegotest: bad config")

// Config is what a [Server] simulates. The zero value of a field is its default;
// AppID and ServerSecret are required.
type Config struct {
	AppID        uint32
	ServerSecret zego.Secret
	// Games is the table of gifts and join words that ZEGO would have agreed with the
	// platform. None: every game is known, with every gift and value, and any comment
	// joins.
	Games []room.GameSpec

	Body   BodyChoices
	Rate   RateChoices
	Play   PlayChoices
	Memory MemoryChoices
	// Reports says where and how callbacks go.
	Reports ReportConfig

	// Session begins every ReportId and RoundId. ZEGO's are unique; those of a simulator
	// that is started anew are, if each start has another Session. Default none.
	Session string
	// Diary, if set, is written what a later start has to know, for [Server.Recall]:
	// ZEGO remembers over restarts, too. It must take a line in one Write; it is called
	// with a lock held, and its errors are logged.
	Diary io.Writer
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger hears loudly of what a hub must never do: a MsgId with another payload.
	// Nil discards.
	Logger *slog.Logger
}

// BodyChoices say how bodies are judged. All are ours.
type BodyChoices struct {
	// ListMax is the longest GiftList, CommentList and LikeList; over it Code 7200004.
	// ZEGO gives no maximum. Default 100.
	ListMax int
	// IDListMax is the same for MsgIdList. Default 100.
	IDListMax int
	// Lenient accepts fields that ZEGO does not document. Default: Code 7200004, so that
	// a misspelt optional field is noticed.
	Lenient bool
	// WrongValueFailsAll answers a Value that was not agreed with Code 7208000 for the
	// whole list. Default: Result 10004 for that gift.
	WrongValueFailsAll bool
	// RefuseNonceReplay refuses a SignatureNonce and Timestamp that were used before,
	// with Code 100000005. ZEGO asks for a new signature each call and does not say
	// what happens without.
	RefuseNonceReplay bool
}

// RateChoices say what happens over the budget. All are ours but the numbers.
type RateChoices struct {
	// PerSecond overrides the calls a second and room of some actions; the default is
	// ZEGO's, [zego.Action.PerSecond].
	PerSecond map[zego.Action]int
	// Code answers a call over the budget. ZEGO documents none; 207, the default, is
	// its RTC API's for "too many calls for the room".
	Code int
	// Status, if not 0, answers with this HTTP status (429) instead of a Code.
	Status int
	// FixedWindow counts calendar seconds. Default: any sliding second, the strictest
	// reading.
	FixedWindow bool
}

// PlayChoices say how rooms and games behave. All are ours.
type PlayChoices struct {
	// Fresh is the state of the game in a room that nobody has started or settled.
	// Default [Running].
	Fresh State
	// JoinDelay is how long a join comment takes to work. Default 0.
	JoinDelay time.Duration
	// KeepJoins keeps joins past a settlement. Default: every round asks for new ones.
	KeepJoins bool
	// NoJoinNeeded names games whose viewers need not join; ZEGO says that there are a
	// few.
	NoJoinNeeded []string
	// LaunchEvery is how long a room waits between two launch codes; sooner is Code
	// 7206005. ZEGO names no threshold. Default 5 s.
	LaunchEvery time.Duration
	// LaunchEndsGame ends a running game when a launch code is asked for. ZEGO: "may
	// be", depending on the game.
	LaunchEndsGame bool
	// LaunchNumber sends the launch code as a number, as one of ZEGO's examples does.
	LaunchNumber bool
}

// MemoryChoices say what is kept, for how long and how much. All are ours but
// Remember.
type MemoryChoices struct {
	// Remember is how long a MsgId gets its first outcome again, counted from its first
	// consumption. Default ZEGO's 24 h; after it the same MsgId is a new gift.
	Remember time.Duration
	// QueryDelay is how long a result takes until a query sees it. Default 0.
	QueryDelay time.Duration
	// Work is how long a list of gifts is being processed: repeats of its MsgIds get
	// Result 10006 meanwhile. Default 0.
	Work time.Duration

	// Rooms is how many rooms are known; a call for one more is Code 7210000. Default
	// 10,000, at about 1 KiB a room without viewers.
	Rooms int
	// Viewers is how many joins a room holds; later ones are lost. Default 100,000, at
	// about 150 bytes each.
	Viewers int
	// IDs is how many MsgIds are remembered for repeats and for queries. Past it the
	// oldest are forgotten early, and counted. Default 1,000,000, at about 400 bytes a
	// gift: 16 minutes of 1,000 gifts/s.
	IDs int
	// Arrivals is how many calls the log shows, with their entries. Default 4096: with
	// 50 entries of 200 bytes each, 40 MiB at worst.
	Arrivals int
	// Effects is how many effects the ledger lists, at about 300 bytes each. Default
	// 100,000.
	Effects int
}

func (c Config) withDefaults() (Config, error) {
	fillInt(&c.Body.ListMax, 100)
	fillInt(&c.Body.IDListMax, 100)
	fillInt(&c.Rate.Code, 207)
	fill(&c.Play.LaunchEvery, 5*time.Second)
	fill(&c.Memory.Remember, 24*time.Hour)
	fillInt(&c.Memory.Rooms, 10_000)
	fillInt(&c.Memory.Viewers, 100_000)
	fillInt(&c.Memory.IDs, 1_000_000)
	fillInt(&c.Memory.Arrivals, 4096)
	fillInt(&c.Memory.Effects, 100_000)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	perSecond := make(map[zego.Action]int)
	for _, a := range zego.Actions() {
		perSecond[a] = a.PerSecond()
	}
	maps.Copy(perSecond, c.Rate.PerSecond)
	c.Rate.PerSecond = perSecond

	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: "+format, append([]any{ErrBadConfig}, args...)...))
	}
	if c.AppID == 0 {
		fault("AppID is missing")
	}
	if c.ServerSecret.IsZero() {
		fault("ServerSecret is missing")
	}
	if _, err := room.NewCatalogue(c.Games); err != nil {
		fault("Games: %w", err)
	}
	c.check(fault)
	c.Reports = c.Reports.withDefaults(fault)
	return c, errors.Join(faults...)
}

// check names every number and time that makes no sense.
func (c Config) check(fault func(string, ...any)) {
	atLeastOne := map[string]int{
		"Body.ListMax": c.Body.ListMax, "Body.IDListMax": c.Body.IDListMax,
		"Memory.Rooms": c.Memory.Rooms, "Memory.Viewers": c.Memory.Viewers, "Memory.IDs": c.Memory.IDs,
		"Memory.Arrivals": c.Memory.Arrivals, "Memory.Effects": c.Memory.Effects,
	}
	for _, name := range slices.Sorted(maps.Keys(atLeastOne)) {
		if n := atLeastOne[name]; n < 1 {
			fault("%s %d is less than 1", name, n)
		}
	}
	notNegative := map[string]time.Duration{
		"Play.JoinDelay": c.Play.JoinDelay, "Play.LaunchEvery": c.Play.LaunchEvery,
		"Memory.Remember": c.Memory.Remember, "Memory.QueryDelay": c.Memory.QueryDelay, "Memory.Work": c.Memory.Work,
	}
	for _, name := range slices.Sorted(maps.Keys(notNegative)) {
		if d := notNegative[name]; d < 0 {
			fault("%s %v is negative", name, d)
		}
	}
	for _, action := range slices.Sorted(maps.Keys(c.Rate.PerSecond)) {
		if n := c.Rate.PerSecond[action]; action.PerSecond() == 0 || n < 1 {
			fault("Rate.PerSecond: %d calls of %q", n, action)
		}
	}
	if c.Rate.Status != 0 && (c.Rate.Status < 300 || c.Rate.Status > 599) {
		fault("Rate.Status %d is not between 300 and 599", c.Rate.Status)
	}
	if c.Play.Fresh.String() == "" {
		fault("Play.Fresh %d is no state", int(c.Play.Fresh))
	}
}

func fill(d *time.Duration, def time.Duration) {
	if *d == 0 {
		*d = def
	}
}

func fillInt(n *int, def int) {
	if *n == 0 {
		*n = def
	}
}
