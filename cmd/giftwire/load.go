package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/giftwire/giftwire/cmd/internal/load"
	"github.com/giftwire/giftwire/room"
)

// loadCmd is the load generator. Without flags it meets what `giftwire dev` is without
// flags.
type loadCmd struct {
	Target  loadTarget  `embed:"" group:"Target"`
	Crowd   loadCrowd   `embed:"" group:"Viewers"`
	Gifts   loadGifts   `embed:"" group:"Gifts"`
	Trouble loadTrouble `embed:"" group:"Trouble"`
	Run     loadRun     `embed:"" group:"Run"`
}

// loadTarget says which hub.
type loadTarget struct {
	URL           []string `name:"url" help:"A node's public address, repeatable: viewers are spread over them." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Metrics       []string `name:"metrics-url" help:"A node's /metrics, repeatable, for what the hub costs; default: /metrics of each --url, where it is." placeholder:"URL"`
	APIKey        string   `name:"api-key" help:"Key of the platform API: rooms are made and the ledger is read with it." default:"giftwire-dev-api-key" placeholder:"TEXT"`
	APIKeyFile    string   `name:"api-key-file" help:"File that holds it." placeholder:"FILE"`
	JWTSecret     string   `name:"jwt-secret" help:"HS256 secret to sign viewers' tokens with; empty: they are asked of giftwire dev." placeholder:"TEXT"`
	JWTSecretFile string   `name:"jwt-secret-file" help:"File that holds it." placeholder:"FILE"`
	JWTAudience   string   `name:"jwt-audience" help:"The tokens' aud." default:"giftwire" placeholder:"NAME"`
	Room          []string `name:"room" help:"An existing room to use, repeatable; else new ones are made, and deleted at the end." placeholder:"ROOM"`
	Game          string   `name:"game" help:"mini_game_id of new rooms." default:"TinyLoveWar" placeholder:"ID"`
}

// loadCrowd says who.
type loadCrowd struct {
	Viewers     string `help:"Viewers in all." default:"500" placeholder:"N"`
	Gifters     string `help:"How many of them give; 0: enough for the rate at 5 gifts/s each." default:"0" placeholder:"N"`
	Rooms       string `help:"How many new rooms they are spread over." default:"5" placeholder:"N"`
	ConnectRate string `name:"connect-rate" help:"How many connect a second." default:"500" placeholder:"N"`
	Source      string `help:"Addresses of this machine to connect from: 127.0.0.1-127.0.0.9, or a list with commas; auto: one for each 200 viewers where the target is this machine's loopback, else the system's choice." default:"auto" placeholder:"ADDRESSES"`
}

// loadGifts says what.
type loadGifts struct {
	Rate     string `help:"Gifts a second over all rooms, kept whatever the hub answers." default:"100" placeholder:"N"`
	Arrivals string `help:"random (a Poisson process) or even." default:"random" placeholder:"KIND"`
	GiftID   string `name:"gift-id" help:"What is given." default:"g1" placeholder:"ID"`
	Count    string `help:"How many of it at once." default:"10" placeholder:"N"`
	Join     string `help:"Comment by which gifters join the game; empty: none." default:"5" placeholder:"TEXT"`
	Comments string `help:"Comments a second over all rooms." default:"0" placeholder:"N"`
	Likes    string `help:"Like frames a second over all rooms." default:"0" placeholder:"N"`
}

// loadTrouble says what else viewers do.
type loadTrouble struct {
	Churn string   `help:"Viewers that leave a second, and come back to where they were." default:"0" placeholder:"N"`
	Away  string   `help:"How long they stay away." default:"2s" placeholder:"DURATION"`
	Slow  string   `help:"Share of viewers that stop reading while the load lasts, such as 0.01." default:"0" placeholder:"SHARE"`
	Storm []string `help:"When everybody is dropped at once, from the load's beginning; repeatable." placeholder:"DURATION"`
}

// loadRun says how long, and what to write.
type loadRun struct {
	Duration  string `help:"How long gifts are given." default:"20s" placeholder:"DURATION"`
	Settle    string `help:"How long the hub may take then to end every gift and to tell every viewer." default:"90s" placeholder:"DURATION"`
	Connect   string `name:"connect-timeout" help:"How long viewers may take to get in; 0: what the rate needs, and 30s." default:"0s" placeholder:"DURATION"`
	Processes string `help:"Processes to spread viewers over; 0: as many as open files ask for." default:"0" placeholder:"N"`
	Seed      string `help:"Draws arrivals; 0: by the clock." default:"0" placeholder:"N"`
	JSON      string `name:"json" help:"Write the report as JSON; - is standard output." placeholder:"FILE"`
	HTML      string `name:"html" help:"Write the report as a page." placeholder:"FILE"`
}

// loadWorkerCmd is a process of `giftwire load`. It gets all that it needs from there.
type loadWorkerCmd struct{}

func (c *loadWorkerCmd) run(_ context.Context, s streams) error {
	// Not ended by ctx: a Ctrl-C reaches every process of the terminal, and the parent
	// decides what happens then. When the parent is gone, the input ends.
	return load.Child(os.Stdin, s.out)
}

// errMismatch is a run that found the hub's words and deeds to differ.
var errMismatch = errors.New("the load found what does not fit")

func (c *loadCmd) run(ctx context.Context, s streams) error {
	set := settings{faults: s.faults}
	cfg := c.config(&set)
	if len(set.faults) == 0 {
		set.take(cfg.Check()) // relations, which need values
	}
	if err := set.err(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("%w: %w", load.ErrNotRun, err)
	}
	// Before the run: a report that cannot be written is best known now.
	files, err := c.Run.create()
	if set.take(err); err != nil {
		return set.err()
	}
	screen := newLoadScreen(s.err)
	run := load.Run{Config: cfg, Command: []string{self, "load-worker"}, Stderr: s.err, Watch: screen.show}
	report, err := run.Do(ctx)
	screen.clear()
	if err != nil {
		return errors.Join(err, files.close())
	}
	if err := files.write(report, s.out); err != nil {
		return err
	}
	if !report.Holds {
		return fmt.Errorf("%w: %s", errMismatch, plural(report.Mismatches.Found(), "time"))
	}
	return nil
}

// config reads the flags. Zeros that mean "as needed" are filled in.
func (c *loadCmd) config(set *settings) load.Config {
	t, w, g, r := &c.Target, &c.Crowd, &c.Gifts, &c.Run
	cfg := load.Config{
		Target: load.Target{
			URLs: trimmed(t.URL), Metrics: t.Metrics, APIKey: set.secret("api-key", t.key(), t.APIKeyFile),
			JWTSecret: set.secret("jwt-secret", t.JWTSecret, t.JWTSecretFile), JWTAudience: t.JWTAudience, Rooms: t.Room, Game: t.Game,
		},
		Crowd: load.Crowd{
			Viewers: int(set.number("viewers", w.Viewers, 1, load.ViewersMax)), Gifters: int(set.number("gifters", w.Gifters, 0, load.ViewersMax)),
			Rooms: int(set.number("rooms", w.Rooms, 1, 10_000)), ConnectRate: set.float("connect-rate", w.ConnectRate),
		},
		Gifts: load.Gifts{
			Rate: set.float("rate", g.Rate), Even: g.Arrivals == "even", GiftID: g.GiftID, Count: int(set.number("count", g.Count, 1, 100_000)),
			Join: g.Join, Comments: set.float("comments", g.Comments), Likes: set.float("likes", g.Likes),
		},
		Trouble: load.Trouble{
			Churn: set.float("churn", c.Trouble.Churn), Away: set.duration("away", c.Trouble.Away, 0, time.Hour), Slow: set.float("slow", c.Trouble.Slow),
		},
		Times: load.Times{
			Connect: set.duration("connect-timeout", r.Connect, 0, time.Hour), Load: set.duration("duration", r.Duration, time.Second, 24*time.Hour),
			Settle: set.duration("settle", r.Settle, time.Second, time.Hour),
		},
		Processes: int(set.number("processes", r.Processes, 0, 64)),
		Seed:      uint64(set.number("seed", r.Seed, 0, 1<<62)), //nolint:gosec // not below zero
	}
	for _, text := range c.Trouble.Storm {
		cfg.Trouble.Storms = append(cfg.Trouble.Storms, set.duration("storm", text, 0, 24*time.Hour))
	}
	for _, name := range t.Room {
		if err := room.CheckRoomID(name); err != nil {
			set.fault("room", "%w", err)
		}
	}
	if g.Arrivals != "even" && g.Arrivals != "random" {
		set.fault("arrivals", "%q is not random or even", g.Arrivals)
	}
	fillLoad(&cfg)
	cfg.Crowd.Sources = set.sources("source", w.Source, &cfg)
	return cfg
}

// key is the API key that is given as such: the built-in one gives way to a file.
func (t *loadTarget) key() string {
	if t.APIKeyFile != "" && t.APIKey == devAPIKey {
		return ""
	}
	return t.APIKey
}

// trimmed takes the slash off that people type at the end of an address.
func trimmed(urls []string) []string {
	for i := range urls {
		urls[i] = strings.TrimRight(urls[i], "/")
	}
	return urls
}

// devAPIKey is what `giftwire dev` has by default.
const devAPIKey = "giftwire-dev-api-key"

// What the zeros of the flags mean.
const (
	// loadPerGifter is how many gifts a second one gifter gives: a quarter of what a hub
	// takes of a user.
	loadPerGifter = 5
	// loadConnectSpare is added to what the connect rate needs.
	loadConnectSpare = 30 * time.Second
)

func fillLoad(cfg *load.Config) {
	w := &cfg.Crowd
	if n := len(cfg.Target.Rooms); n > 0 {
		w.Rooms = n
	}
	w.Rooms = min(w.Rooms, w.Viewers)
	if cfg.Processes == 0 {
		cfg.Processes = min(load.Processes(w.Viewers), w.Viewers)
	}
	if w.Gifters == 0 && cfg.Gifts.Rate > 0 {
		w.Gifters = min(w.Viewers, max(int(cfg.Gifts.Rate/loadPerGifter)+1, w.Rooms, cfg.Processes))
	}
	if cfg.Times.Connect == 0 && w.ConnectRate > 0 {
		cfg.Times.Connect = time.Duration(float64(w.Viewers)/w.ConnectRate*float64(time.Second)) + loadConnectSpare
	}
	if cfg.Seed == 0 {
		cfg.Seed = uint64(time.Now().UnixNano()) //nolint:gosec // after 1970
	}
}

// float reads a number that is not below zero.
func (s *settings) float(flag, text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v < 0 || v > 1e9 {
		s.fault(flag, "%q is not a number from 0 on", text)
		return 0
	}
	return v
}

const (
	// loadPerSource is how many viewers one address stands for: a hub lets 500 upgrades of
	// one address pass at once by default, so that a storm passes.
	loadPerSource = 200
	// loadSourcesMax bounds them: all of 127.0.0.0/16.
	loadSourcesMax = 65_000
)

// sources reads addresses, or chooses some.
func (s *settings) sources(flag, text string, cfg *load.Config) []netip.Addr {
	if text == "auto" {
		for _, u := range cfg.Target.URLs {
			if !strings.Contains(u, "//127.") && !strings.Contains(u, "//localhost") {
				return nil
			}
		}
		return addresses(netip.AddrFrom4([4]byte{127, 0, 0, 1}), (cfg.Crowd.Viewers+loadPerSource-1)/loadPerSource)
	}
	var out []netip.Addr
	for one := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(one), "-")
		if !isRange {
			last = first
		}
		from, err1 := netip.ParseAddr(first)
		to, err2 := netip.ParseAddr(last)
		if err1 != nil || err2 != nil || to.Less(from) || from.BitLen() != to.BitLen() {
			s.fault(flag, "%q is not an address, or two with a - between them", one)
			continue
		}
		for a := from; a.Compare(to) <= 0 && len(out) <= loadSourcesMax; a = a.Next() {
			out = append(out, a)
		}
	}
	if len(out) > loadSourcesMax {
		s.fault(flag, "are more than %d addresses", loadSourcesMax)
	}
	return out
}

// addresses are n addresses from first on.
func addresses(first netip.Addr, n int) (out []netip.Addr) {
	for a := first; len(out) < n; a = a.Next() {
		out = append(out, a)
	}
	return out
}
