package hub

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// This is the one file that knows Prometheus. Every hub has a registry of its own,
// so two hubs in a process do not meet. Labels come from closed lists: codes,
// statuses, reasons, actions, classes, routes; never a room, user, id or message.

// metrics counts what happens. Its methods do not block.
type metrics struct {
	registry *prometheus.Registry
	gifts    giftMetrics
	calls    callMetrics
	alarms   *prometheus.CounterVec // class
	requests *prometheus.CounterVec // route, method, status
}

// giftMetrics are about the way of a gift.
type giftMetrics struct {
	accepted, repeated, unknown prometheus.Counter
	rejected                    *prometheus.CounterVec // code
	acceptTime                  prometheus.Histogram
	results                     *prometheus.CounterVec // status, reason
	resultTime                  prometheus.Histogram
}

// callMetrics are about calls to ZEGO.
type callMetrics struct {
	ended         *prometheus.CounterVec   // action, outcome, class
	time, entries *prometheus.HistogramVec // action
}

// newMetrics makes the registry. read is called at each scrape for what is a state
// rather than an event; it must be safe for concurrent use.
func newMetrics(read func() reading) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), gifts: newGiftMetrics(), calls: newCallMetrics()}
	m.alarms = counters("alarms_total", "What a person has to mend at ZEGO, by class.", "class")
	m.requests = counters("http_requests_total", "Requests answered; status 101 is a viewer's connection.", "route", "method", "status")
	g, c := &m.gifts, &m.calls
	m.registry.MustRegister(g.accepted, g.repeated, g.unknown, g.rejected, g.acceptTime, g.results, g.resultTime,
		c.ended, c.time, c.entries, m.alarms, m.requests, &readings{read: read},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func newGiftMetrics() giftMetrics {
	g := giftMetrics{
		accepted: counter("gifts_accepted_total", "Gifts answered accepted that were new."),
		repeated: counter("gifts_repeated_total", "Gifts answered accepted that were stored already."),
		unknown:  counter("gifts_unanswered_total", "Gifts whose storing could not be confirmed; their senders repeat them."),
		rejected: counters("gifts_rejected_total", "Gifts rejected, by code.", "code"),
		// From one fsync to the longest that a wallet and a journal may take.
		acceptTime: histogram("gift_accept_seconds", "From a gift's arrival to accepted, repeats apart.",
			0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
		results: counters("gift_results_total", "Gifts decided, by status and reason.", "status", "reason"),
		// From half a tick to the default time to live of a gift and beyond.
		resultTime: histogram("gift_result_seconds", "From a gift's arrival to its outcome.",
			0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
	}
	for _, c := range wire.Codes() {
		g.rejected.WithLabelValues(string(c)) // a series that is not there cannot be watched
	}
	return g
}

func newCallMetrics() callMetrics {
	perAction := func(name, help string, buckets ...float64) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "giftwire_" + name, Help: help, Buckets: buckets,
		}, []string{"action"})
	}
	return callMetrics{
		ended: counters("zego_calls_total", "Calls to ZEGO that ended, by what their answer says.", "action", "outcome", "class"),
		time: perAction("zego_call_seconds", "How long calls to ZEGO took.",
			0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
		entries: perAction("zego_call_entries", "How many entries a call to ZEGO carried.",
			1, 2, 5, 10, 20, 30, 40, room.BatchMax),
	}
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: "giftwire_" + name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "giftwire_" + name, Help: help}, labels)
}

func histogram(name, help string, buckets ...float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "giftwire_" + name, Help: help, Buckets: buckets})
}

// handler serves the registry in Prometheus' text form.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Accepted implements intake.Meter.
func (m *metrics) Accepted(took time.Duration, repeat bool) {
	if repeat {
		m.gifts.repeated.Inc()
		return
	}
	m.gifts.accepted.Inc()
	m.gifts.acceptTime.Observe(took.Seconds())
}

// Rejected implements intake.Meter.
func (m *metrics) Rejected(code wire.Code) { m.gifts.rejected.WithLabelValues(string(code)).Inc() }

// Unknown implements intake.Meter.
func (m *metrics) Unknown() { m.gifts.unknown.Inc() }

func (m *metrics) decided(d *room.Decision) {
	m.gifts.results.WithLabelValues(d.Status.String(), string(d.Reason)).Inc()
	m.gifts.resultTime.Observe(float64(max(0, d.At-d.Gift.At)) / 1000)
}

func (m *metrics) called(a room.Action, entries int, ans room.Answer, took time.Duration) {
	m.calls.ended.WithLabelValues(a.String(), ans.Outcome.String(), ans.Class.String()).Inc()
	m.calls.time.WithLabelValues(a.String()).Observe(took.Seconds())
	m.calls.entries.WithLabelValues(a.String()).Observe(float64(entries))
}

func (m *metrics) alarm(a room.Alarm) { m.alarms.WithLabelValues(a.Class.String()).Inc() }

func (m *metrics) request(route, method string, status int, _ time.Duration) {
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
}

// readings is the collector of what is read at each scrape.
type readings struct{ read func() reading }

// Describe implements prometheus.Collector. It tells nothing, which makes the
// collector an unchecked one: the list of series is reading's business.
func (r *readings) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (r *readings) Collect(out chan<- prometheus.Metric) {
	for _, s := range r.read().series() {
		kind := prometheus.GaugeValue
		if s.counter {
			kind = prometheus.CounterValue
		}
		var names, values []string
		if s.label != "" {
			names, values = []string{s.label}, []string{s.value}
		}
		out <- prometheus.MustNewConstMetric(
			prometheus.NewDesc("giftwire_"+s.name, s.help, names, nil), kind, s.now, values...)
	}
}
