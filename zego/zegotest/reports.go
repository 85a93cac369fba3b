package zegotest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/zego"
)

// ReportConfig says where callbacks go and how. ZEGO does not document repeats of
// this callback; those of its other products are the default.
type ReportConfig struct {
	// URL receives them. Empty: none are sent.
	URL string
	// Secret signs them: the CallbackSecret. Required with URL.
	Secret zego.Secret
	// Scheme is how.
	Scheme zego.Scheme
	// Retries are the waits before each further try after one that was not answered
	// with status 200 and Code 200. Default 2, 4, 8, 16, 32 s.
	Retries []time.Duration
	// Timeout ends one try. Default 5 s.
	Timeout time.Duration
	// Style is how they look.
	Style ReportStyle
	// Transport makes the calls; nil means an own one.
	Transport http.RoundTripper
}

// ReportStyle makes callbacks look as ZEGO's pages, which contradict each other, say
// that they might. All are ours.
type ReportStyle struct {
	// Example mimics ZEGO's example: ReportTime in seconds, WinTeam as a string.
	Example bool
	// SnakeCase writes signature_nonce for SignatureNonce, as one page does.
	SnakeCase bool
	// Escaped URL-encodes the JSON, as other callbacks of ZEGO are.
	Escaped bool
}

// Delivery is what goes wrong with callbacks. It can be changed at any time.
type Delivery struct {
	// Never loses them all.
	Never bool `json:"never"`
	// Duplicate sends each twice.
	Duplicate bool `json:"duplicate"`
	// Reorder holds a start back until the room's next callback was delivered.
	Reorder bool `json:"reorder"`
}

// ReportCounts counts callbacks.
type ReportCounts struct {
	Queued    uint64 `json:"queued"`    // duplicates too
	Tries     uint64 `json:"tries"`     // calls made
	Delivered uint64 `json:"delivered"` // answered with success
	Lost      uint64 `json:"lost"`      // given up, scripted away, or too many
}

const (
	// reportsMax is how many callbacks wait. Two a round; a room plays a round in
	// minutes.
	reportsMax = 1000
	// reportsAtOnce is how many are being delivered at a time, their waits included.
	reportsAtOnce = 64
)

func (c ReportConfig) withDefaults(fault func(string, ...any)) ReportConfig {
	if c.URL == "" {
		return c
	}
	if u, err := url.Parse(c.URL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		fault("Reports.URL must be an HTTP or HTTPS URL")
	}
	if c.Secret.IsZero() {
		fault("Reports.Secret is missing")
	}
	if c.Retries == nil {
		c.Retries = []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second}
	}
	fill(&c.Timeout, 5*time.Second)
	if c.Timeout < 0 {
		fault("Reports.Timeout %v is negative", c.Timeout)
	}
	return c
}

// reporter sends callbacks.
type reporter struct {
	cfg     ReportConfig
	session string
	appID   uint32
	now     func() time.Time
	log     *slog.Logger
	queue   chan []zego.Callback // each delivered one after the other; never closed

	mu       sync.Mutex
	delivery Delivery
	held     map[string]zego.Callback // by room: starts that wait for the next callback
	counts   ReportCounts
	last     int // number of the newest ReportId
}

func newReporter(cfg Config) *reporter {
	return &reporter{
		cfg: cfg.Reports, appID: cfg.AppID, now: cfg.Now, log: cfg.Logger,
		queue:   make(chan []zego.Callback, reportsMax),
		held:    make(map[string]zego.Callback),
		session: cfg.Session,
	}
}

// SetDelivery changes what goes wrong with callbacks from now on.
func (s *Server) SetDelivery(d Delivery) {
	s.reports.mu.Lock()
	defer s.reports.mu.Unlock()
	s.reports.delivery = d
}

// Reports counts the callbacks so far.
func (s *Server) Reports() ReportCounts {
	s.reports.mu.Lock()
	defer s.reports.mu.Unlock()
	return s.reports.counts
}

// Run delivers callbacks until ctx ends, and returns when all that it started has
// ended; callbacks under way are given up then. Without a [ReportConfig.URL] it only
// waits.
func (s *Server) Run(ctx context.Context) error {
	rep := s.reports
	transport := rep.cfg.Transport
	if transport == nil {
		own := zego.NewTransport()
		defer own.CloseIdleConnections()
		transport = own
	}
	var deliveries sync.WaitGroup
	defer deliveries.Wait()
	slots := make(chan struct{}, reportsAtOnce)
	for {
		select {
		case <-ctx.Done():
			return nil
		case job := <-rep.queue:
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
			deliveries.Go(func() {
				defer func() { <-slots }()
				for _, report := range job {
					rep.deliver(ctx, transport, report)
				}
			})
		}
	}
}

// enqueue hands a report over. It never blocks.
func (rep *reporter) enqueue(report zego.Callback) {
	if rep.cfg.URL == "" {
		return
	}
	rep.mu.Lock()
	defer rep.mu.Unlock()
	rep.last++
	report.ReportID = rep.session + "report-" + strconv.Itoa(rep.last)
	if rep.delivery.Never {
		rep.counts.Queued++
		rep.counts.Lost++
		return
	}
	if rep.delivery.Reorder && report.Type == zego.ReportStart {
		if _, taken := rep.held[report.RoomID]; !taken && len(rep.held) < reportsMax {
			rep.held[report.RoomID] = report
			return
		}
	}
	job := []zego.Callback{report}
	if start, ok := rep.held[report.RoomID]; ok {
		delete(rep.held, report.RoomID)
		job = append(job, start)
	}
	if rep.delivery.Duplicate {
		job = append(job, job...)
	}
	rep.counts.Queued += uint64(len(job))
	select {
	case rep.queue <- job:
	default:
		rep.counts.Lost += uint64(len(job))
	}
}

// deliver tries until it is answered, or the tries are used up.
func (rep *reporter) deliver(ctx context.Context, transport http.RoundTripper, report zego.Callback) {
	for try := 0; ; try++ {
		err := rep.try(ctx, transport, report)
		last := err != nil && (try == len(rep.cfg.Retries) || ctx.Err() != nil)
		rep.mu.Lock()
		rep.counts.Tries++
		switch {
		case err == nil:
			rep.counts.Delivered++
		case last:
			rep.counts.Lost++
		}
		rep.mu.Unlock()
		if err == nil {
			return
		}
		rep.log.LogAttrs(ctx, slog.LevelWarn, "a callback was not taken",
			slog.String("room", report.RoomID), slog.Int("try", try+1), slog.Any("error", err))
		if last {
			return
		}
		pause(ctx, rep.cfg.Retries[try])
	}
}

func (rep *reporter) try(ctx context.Context, transport http.RoundTripper, report zego.Callback) error {
	ctx, cancel := context.WithTimeout(ctx, rep.cfg.Timeout)
	defer cancel()
	text, err := rep.encode(report)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, rep.cfg.URL, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if closing := resp.Body.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	var code struct{ Code int }
	if err := json.Unmarshal(answer, &code); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || code.Code != http.StatusOK {
		return fmt.Errorf("status %d, Code %d", resp.StatusCode, code.Code)
	}
	return nil
}

// field is a name and a value of a callback; a list of them keeps its order.
type field struct {
	pascal, snake string
	value         any
}

// encode writes a callback with a fresh signature.
func (rep *reporter) encode(c zego.Callback) ([]byte, error) {
	style := rep.cfg.Style
	stamp := zego.Stamp{AppID: rep.appID, Nonce: strconv.FormatUint(rand.Uint64(), 16), Unix: rep.now().Unix()}
	at, team := any(c.At), any(c.Result.WinTeam)
	if style.Example {
		at, team = c.At/1000, strconv.Itoa(c.Result.WinTeam)
	}
	fields := []field{
		{"AppId", "app_id", rep.appID},
		{"SignatureNonce", "signature_nonce", stamp.Nonce},
		{"Timestamp", "timestamp", stamp.Unix},
		{"Signature", "signature", stamp.SignCallback(rep.cfg.Secret, rep.cfg.Scheme)},
		{"GameSource", "game_source", "zego"},
		{"ReportId", "report_id", c.ReportID},
		{"ReportType", "report_type", int(c.Type)},
		{"MiniGameId", "mini_game_id", c.MiniGameID},
		{"RoomId", "room_id", c.RoomID},
		{"AnchorId", "anchor_id", c.AnchorID},
		{"RoundId", "round_id", c.RoundID},
		{"ReportTime", "report_time", at},
	}
	if c.Type == zego.ReportSettlement {
		fields = append(fields, field{"DanmakuResult", "danmaku_result", style.object([]field{
			{"WinTeam", "win_team", team},
			{"ResultType", "result_type", c.Result.ResultType},
			{"UserSize", "user_size", c.Result.UserSize},
			{"ExtraData", "extra_data", c.Result.ExtraData},
		})})
	}
	text, err := json.Marshal(style.object(fields), json.Deterministic(true))
	if err == nil && style.Escaped {
		text = []byte(url.QueryEscape(string(text)))
	}
	return text, err
}

func (s ReportStyle) object(fields []field) map[string]any {
	object := make(map[string]any, len(fields))
	for _, f := range fields {
		if s.SnakeCase {
			object[f.snake] = f.value
		} else {
			object[f.pascal] = f.value
		}
	}
	return object
}
