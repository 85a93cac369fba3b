package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/giftwire/giftwire/hub/audience"
	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/hub/intake"
	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// Config is what a hub is made of. A field's zero value is its default; the fields
// marked required have none.
type Config struct {
	// Journal is where gifts are made durable, and names the node: required. The hub
	// runs it; who opened it closes it, after Run has returned. It must have room for the
	// decisions of Limits.Intake.NodeOpen gifts.
	Journal *journal.Journal
	// Sender is where gifts go: required. zego.Client is the one for ZEGO.
	Sender room.Sender
	// Auth checks viewers' tokens: required. auth.NewHS256 is the one that is here.
	Auth auth.Authenticator
	// AppID is ZEGO's id of the platform: required. It is a part of every gift's id, so
	// it must not change while gifts are open.
	AppID uint32
	// Game verifies ZEGO's callbacks and fetches launch codes; zego.Client is one.
	// Without it callbacks are 401 and launch codes 503.
	Game Game
	// Wallet is asked before a viewer's gift is accepted; nil: gifts cost nothing here.
	Wallet Wallet
	// Catalogue says which gifts each game has and what they become at ZEGO.
	Catalogue room.Catalogue
	// APIKeys open the platform API, each of them alone, so that keys can be changed one
	// after the other; auth.KeyRecommended says how long. None: every platform call is
	// 401.
	APIKeys []string
	// Web is how the public handler meets browsers and proxies.
	Web Web
	// Limits are the bounds of everything, each with its default.
	Limits Limits
	// Logger gets what an operator must know, never a token, secret or payload; nil is
	// silence.
	Logger *slog.Logger
}

// Game is the game platform beside the gifts. It must be safe for concurrent use.
type Game interface {
	// Report verifies a callback's body and reads it. Errors wrap
	// [room.ErrForgedReport] or [room.ErrBadReport]. It does not block.
	Report(body []byte, now time.Time) (room.Report, error)
	// LaunchCode fetches a code; the answer says how it went, and code is empty unless
	// that is room.Consumed. It blocks until an answer is there or ctx ends.
	LaunchCode(ctx context.Context, launch room.Launch) (code string, answer room.Answer)
}

// Wallet is the platform's money: intake.Wallet.
type Wallet = intake.Wallet

// ErrDeclined is wrapped by the error of a Wallet that says no.
var ErrDeclined = intake.ErrDeclined

// Web is how the public handler meets browsers and proxies.
type Web struct {
	// Origins are the web origins whose pages may connect, beside the one that the hub
	// itself is served from: "https://live.example.com".
	Origins []string
	// Proxies are the addresses of reverse proxies whose X-Forwarded-For is believed.
	// None: the connection's own address counts.
	Proxies []netip.Prefix
	// Avatar is the picture of users who bring none: an http or https URL. Default
	// [DefaultAvatar].
	Avatar string
}

// DefaultAvatar is the picture of users who bring none. ZEGO demands a URL, and
// example.com (RFC 2606) is nobody's.
const DefaultAvatar = auth.DefaultAvatar

// Limits bound what viewers, platforms and ZEGO can make the hub do. The zero value
// of a field is its default (PROTOCOL.md, "Default limits").
type Limits struct {
	// Room are the times of the actor that sends a room's gifts.
	Room room.Limits
	// Intake bounds the backlog and the wallet's time.
	Intake intake.Limits
	// Outbox bounds what waits for one viewer.
	Outbox audience.Limits
	// Viewer bounds what one user, connection or address may send.
	Viewer ViewerLimits
	// SubmitTimeout is how long the platform API waits for the journal before it answers
	// 503 unknown_outcome: 100 ms to 60 s, default 10 s.
	SubmitTimeout time.Duration
	// LaunchEvery is how far apart launch codes of a room are: 1 s to 1 h, default 10 s
	// (ZEGO.md, unknown 34).
	LaunchEvery time.Duration
	// Drain is how long Run may take to end after its context has: 1 s to 5 min, default
	// 20 s.
	Drain time.Duration
}

// Rate is a token bucket: PerSecond in the long run, Burst at once.
type Rate struct {
	PerSecond float64
	Burst     int
}

// ViewerLimits bound what viewers send. Gifts, comments and likes are counted per
// user and room over all of the user's connections.
type ViewerLimits struct {
	Gifts    Rate // default 20, burst 40
	Comments Rate // default 2, burst 10
	Likes    Rate // frames; default 10, burst 20
	Frames   Rate // of any kind, per connection; default 100, burst 200
	Upgrades Rate // per address; default 50, burst 500
	// Seats bound how many connections there are.
	Seats Seats
	// Return is how many viewers a second a node that drains sends to the others: default
	// 2,000, 1 to 1,000,000. A reconnect costs a node about 0.1 ms, so that these are a
	// fifth of a core, and 20,000 viewers are back within 10 s.
	Return int
}

// ErrBadConfig is wrapped by every error of [New] about its configuration.
var ErrBadConfig = errors.New("hub: bad config")

// withDefaults fills what is zero and checks the rest: all faults at once, each
// naming its field.
func (c Config) withDefaults() (Config, error) {
	var faults faults
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Web.Avatar == "" {
		c.Web.Avatar = DefaultAvatar
	}
	faults.unless(c.Journal != nil, "Journal is missing")
	c.check(&faults)
	c.Limits.fill(&faults)
	if c.Journal != nil {
		c.Limits.fit(&faults, c.Journal.DecisionsFit())
	}
	return c, errors.Join(faults...)
}

// check looks at all but the limits.
func (c *Config) check(f *faults) {
	f.unless(c.Sender != nil, "Sender is missing")
	f.unless(c.Auth != nil, "Auth is missing")
	f.unless(c.AppID != 0, "AppID is missing")
	for i, key := range c.APIKeys {
		f.unless(key != "", "APIKeys[%d] is empty", i)
		f.unless(strings.TrimSpace(key) == key, "APIKeys[%d] begins or ends with white space", i)
	}
	for i, o := range c.Web.Origins {
		f.unless(isOrigin(o), "Web.Origins[%d] %q is not scheme://host[:port]", i, o)
	}
	for i, p := range c.Web.Proxies {
		f.unless(p.IsValid(), "Web.Proxies[%d] is not an address range", i)
	}
	f.err("Web.Avatar", (room.User{ID: "u", Nickname: "n", Avatar: c.Web.Avatar}).Check())
}

// fill sets the defaults and checks what is set.
func (l *Limits) fill(f *faults) {
	limits, err := l.Room.WithDefaults()
	f.err("Limits.Room", err)
	l.Room = limits
	l.Intake, err = l.Intake.WithDefaults()
	f.err("Limits.Intake", err)
	f.err("Limits.Outbox", l.Outbox.Check())
	f.within("Limits.SubmitTimeout", &l.SubmitTimeout, 10*time.Second, 100*time.Millisecond, time.Minute)
	f.within("Limits.LaunchEvery", &l.LaunchEvery, 10*time.Second, time.Second, time.Hour)
	f.within("Limits.Drain", &l.Drain, 20*time.Second, time.Second, 5*time.Minute)
	// Ending the rooms takes up to one call, and that is a quarter of what there is to do.
	f.unless(l.Room.CallTimeout <= l.Drain/4, "Limits.Drain %v must be at least four times Limits.Room.CallTimeout %v",
		l.Drain, l.Room.CallTimeout)
	v := &l.Viewer
	f.rate("Gifts", &v.Gifts, Rate{20, 40})
	f.rate("Comments", &v.Comments, Rate{2, 10})
	f.rate("Likes", &v.Likes, Rate{10, 20})
	f.rate("Frames", &v.Frames, Rate{100, 200})
	f.rate("Upgrades", &v.Upgrades, Rate{50, 500})
	v.Seats.fill(f)
	if v.Return == 0 {
		v.Return = 2000
	}
	f.unless(v.Return >= 1 && v.Return <= 1_000_000, "Limits.Viewer.Return %d is not between 1 and 1000000", v.Return)
}

// fit refuses a backlog whose decisions might find no room: gifts are refused while
// OUTCOMES still has some, and what was accepted by then needs it.
func (l *Limits) fit(f *faults, decisions int) {
	f.unless(l.Intake.NodeOpen <= decisions,
		"Limits.Intake.NodeOpen %d: the journal has room for %d decisions when gifts are refused; raise its Retention.OutcomeBytes, or lower NodeOpen",
		l.Intake.NodeOpen, decisions)
}

// faults collects what is wrong with a configuration.
type faults []error

func (f *faults) unless(good bool, format string, args ...any) {
	if !good {
		*f = append(*f, fmt.Errorf("%w: "+format, append([]any{ErrBadConfig}, args...)...))
	}
}

func (f *faults) err(name string, err error) {
	if err != nil {
		*f = append(*f, fmt.Errorf("%w: %s: %w", ErrBadConfig, name, err))
	}
}

func (f *faults) within(name string, d *time.Duration, def, low, high time.Duration) {
	if *d == 0 {
		*d = def
	}
	f.unless(*d >= low && *d <= high, "%s %v is not between %v and %v", name, *d, low, high)
}

func (f *faults) rate(name string, r *Rate, def Rate) {
	if *r == (Rate{}) {
		*r = def
	}
	// 1e6: a bound that the arithmetic of a bucket survives; nobody means more.
	f.unless(r.PerSecond > 0 && r.PerSecond <= 1e6 && r.Burst >= 1 && r.Burst <= 1e6,
		"Limits.Viewer.%s: %v a second, burst %d: both must be above 0 and at most 1000000", name, r.PerSecond, r.Burst)
}

// isOrigin accepts what a browser sends as Origin (RFC 6454, section 7), in lower
// case, for http and https.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		s == u.Scheme+"://"+u.Host && s == strings.ToLower(s)
}
