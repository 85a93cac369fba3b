package load

import (
	"strconv"
	"strings"
	"time"
)

// tag is a gift's identity for whoever sees it: it travels as the gift's receiver_id
// (at most 48 letters and digits), which the hub shows to all viewers.
type tag struct {
	due    time.Duration // since the run's origin, in whole µs
	worker int
	serial int
}

// The parts are in base 36 with small letters, W stands between them.
const (
	tagBase      = 36
	tagSeparator = "W"
)

func (t tag) String() string {
	return strconv.FormatInt(t.due.Microseconds(), tagBase) + tagSeparator +
		strconv.Itoa(t.worker) + tagSeparator + strconv.FormatInt(int64(t.serial), tagBase)
}

// parseTag reads a tag; ok is false for any other text.
func parseTag(text string) (t tag, ok bool) {
	due, rest, ok1 := strings.Cut(text, tagSeparator)
	worker, serial, ok2 := strings.Cut(rest, tagSeparator)
	us, err1 := strconv.ParseInt(due, tagBase, 64)
	w, err2 := strconv.Atoi(worker)
	n, err3 := strconv.ParseInt(serial, tagBase, 32)
	if !ok1 || !ok2 || err1 != nil || err2 != nil || err3 != nil || us < 0 || w < 0 || n < 0 || strings.Contains(serial, tagSeparator) {
		return tag{}, false
	}
	return tag{due: time.Duration(us) * time.Microsecond, worker: w, serial: int(n)}, true
}
