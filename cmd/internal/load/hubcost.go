package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// HubCost is what the nodes used while they were under load, as their metrics say: the
// one figure that another load on the machine does not change.
type HubCost struct {
	Nodes     int     `json:"nodes"` // of which it is known
	CPU       float64 `json:"cpu_s"`
	CoresUsed float64 `json:"cores_used"`
	Memory    float64 `json:"memory_bytes"` // in the end
	// PerCPU is how many gifts events the viewers heard for each second of it.
	PerCPU float64 `json:"deliveries_per_cpu_s"`
}

// usage is a reading of processes' metrics.
type usage struct {
	cpu     map[string]float64 // by address
	memory  float64
	missing []string // why some could not be read
}

// metricsMax bounds what is read of one node's metrics.
const metricsMax = 4 << 20

// hubUsage reads the nodes' metrics. Where no addresses are set, a node may have them
// beside its viewers, as `giftwire dev` does; then none is missed.
func (r *Run) hubUsage(ctx context.Context) (u usage) {
	t := &r.Config.Target
	u.cpu = make(map[string]float64)
	for _, where := range t.Metrics {
		if err := u.read(ctx, r.platform.http, where); err != nil {
			u.missing = append(u.missing, fmt.Sprintf("%s: %v", where, err))
		}
	}
	if len(t.Metrics) == 0 {
		for _, node := range t.URLs {
			_ = u.read(ctx, r.platform.http, node+"/metrics") // serve has them elsewhere
		}
	}
	return u
}

// read adds one node's (the names are those of Prometheus' process collector).
func (u *usage) read(ctx context.Context, client *http.Client, where string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // only read
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", answer.Status)
	}
	values := make(map[string]float64)
	lines := bufio.NewScanner(io.LimitReader(answer.Body, metricsMax))
	for lines.Scan() {
		if name, text, ok := strings.Cut(lines.Text(), " "); ok && strings.HasPrefix(name, "process_") {
			if values[name], err = strconv.ParseFloat(text, 64); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	cpu, ok := values["process_cpu_seconds_total"]
	if !ok {
		return errors.New("it has no process_cpu_seconds_total")
	}
	u.cpu[where] = cpu
	u.memory += values["process_resident_memory_bytes"]
	return lines.Err()
}

// until is the cost between two readings, so many seconds and gifts events apart; nil
// where a node was not read both times, or was started anew between them.
func (u usage) until(later usage, seconds float64, deliveries int64) *HubCost {
	used := 0.0
	for where, before := range u.cpu {
		after, known := later.cpu[where]
		if !known || after < before {
			return nil
		}
		used += after - before
	}
	if used == 0 {
		return nil
	}
	return &HubCost{
		Nodes: len(u.cpu), CPU: round(used), CoresUsed: round(used / max(seconds, 1)), Memory: later.memory,
		PerCPU: round(float64(deliveries) / used),
	}
}
