package load

import (
	"bytes"
	"os"
	"strconv"
)

// busy is how much of this machine's processors is used, by whomever.
type busy struct {
	used, all uint64
	share     float64 // 0 to 1; 0: not known
}

// busyNow reads /proc/stat (proc(5)): the first line is the ticks of all processors since
// boot: user nice system idle iowait irq softirq steal.
func busyNow() (b busy) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return b
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	for i, field := range bytes.Fields(line) {
		ticks, err := strconv.ParseUint(string(field), 10, 64)
		if err != nil || i > 8 {
			continue
		}
		b.all += ticks
		if i != 4 && i != 5 {
			b.used += ticks
		}
	}
	return b
}

// until is the share between two readings.
func (b busy) until(later busy) busy {
	if all := later.all - b.all; all > 0 {
		later.share = float64(later.used-b.used) / float64(all)
	}
	return later
}
