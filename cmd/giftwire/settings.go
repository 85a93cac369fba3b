package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/giftwire/giftwire/hub"
	"github.com/giftwire/giftwire/room"
)

// secretMax bounds a secret file.
const secretMax = 64 << 10

// settings turns the text of flags into values, and collects every fault on the way.
type settings struct{ faults []error }

// fault notes what is wrong with a flag.
func (s *settings) fault(flag, format string, args ...any) {
	s.faults = append(s.faults, fmt.Errorf("%w: --%s: %w", errSettings, flag, fmt.Errorf(format, args...)))
}

// take notes the faults of a config that another package has checked.
func (s *settings) take(err error) {
	for _, one := range flatten(err) {
		if one != nil {
			s.faults = append(s.faults, fmt.Errorf("%w: %w", errSettings, one))
		}
	}
}

// err is all faults, or nil.
func (s *settings) err() error { return errors.Join(s.faults...) }

// required reports whether the text is there.
func (s *settings) required(flag, text string) bool {
	if text == "" {
		s.fault(flag, "is required")
	}
	return text != ""
}

// duration reads a Go duration, such as 100ms, between low and high.
func (s *settings) duration(flag, text string, low, high time.Duration) time.Duration {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		s.fault(flag, "%q is not a duration such as 100ms, 5s, 26h", text)
	case d < low || d > high:
		s.fault(flag, "%v is not between %v and %v", d, low, high)
	}
	return d
}

// number reads a whole number between low and high.
func (s *settings) number(flag, text string, low, high int64) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < low || n > high {
		s.fault(flag, "%q is not a whole number between %d and %d", text, low, high)
		return low
	}
	return n
}

// size reads bytes with an optional unit: 1048576, 512MiB, 4GiB.
func (s *settings) size(flag, text string) int64 {
	digits, unit := text, int64(1)
	for suffix, factor := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40} {
		if before, ok := strings.CutSuffix(text, suffix); ok {
			digits, unit = before, factor
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 || n > (1<<62)/unit {
		s.fault(flag, "%q is not a size such as 1048576, 512MiB, 4GiB", text)
		return 0
	}
	return n * unit
}

// rate reads PER_SECOND/BURST.
func (s *settings) rate(flag, text string) hub.Rate {
	per, burst, ok := strings.Cut(text, "/")
	perSecond, err1 := strconv.ParseFloat(per, 64)
	at, err2 := strconv.Atoi(burst)
	if !ok || err1 != nil || err2 != nil || perSecond <= 0 || at < 1 {
		s.fault(flag, "%q is not PER_SECOND/BURST, such as 20/40", text)
	}
	return hub.Rate{PerSecond: perSecond, Burst: at}
}

// prefixes reads addresses and address ranges.
func (s *settings) prefixes(flag string, texts []string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		if addr, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			s.fault(flag, "%q is not an address or a range such as 10.0.0.0/8", text)
			continue
		}
		out = append(out, p)
	}
	return out
}

// origins checks web origins as browsers send them (RFC 6454, section 7).
func (s *settings) origins(flag string, texts []string) []string {
	for _, text := range texts {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || text != u.Scheme+"://"+u.Host || text != strings.ToLower(text) ||
			u.Scheme != "http" && u.Scheme != "https" {
			s.fault(flag, "%q is not scheme://host[:port] in lower case", text)
		}
	}
	return texts
}

// nodeName checks a node's name, which stands in logs, metrics and records.
func (s *settings) nodeName(flag, text string) string {
	if !regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`).MatchString(text) {
		s.fault(flag, "%q is not 1 to 64 of A-Z a-z 0-9 . _ -", text)
	}
	return text
}

// avatar checks a picture's URL; empty is the default.
func (s *settings) avatar(flag, text string) string {
	if text != "" {
		if err := (room.User{ID: "u", Nickname: "u", Avatar: text}).Check(); err != nil {
			s.fault(flag, "%w", err)
		}
	}
	return text
}

// address checks HOST:PORT for listening.
func (s *settings) address(flag, text string) string {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		s.fault(flag, "%q is not HOST:PORT", text)
	}
	return text
}

// secret returns a secret given as such or in a file; a trailing line break of the file
// is not part of it. The secret itself is in no error.
func (s *settings) secret(flag, text, file string) string {
	switch {
	case text != "" && file != "":
		s.fault(flag, "is given twice: by itself and by --%s-file", flag)
	case file != "":
		data, err := readBounded(file)
		if err != nil {
			s.fault(flag+"-file", "%w", err)
			return ""
		}
		text = strings.TrimRight(string(data), "\r\n")
		if text == "" {
			s.fault(flag+"-file", "%s is empty", file)
		}
	}
	return text
}

func readBounded(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, secretMax+1))
	if err == nil && len(data) > secretMax {
		err = fmt.Errorf("%s is larger than %d bytes", name, secretMax)
	}
	return data, err
}

// lines reads a file of secrets, one a line; empty lines are left out.
func (s *settings) lines(flag, file string) []string {
	data, err := readBounded(file)
	if err != nil {
		s.fault(flag, "%w", err)
		return nil
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	if len(out) == 0 {
		s.fault(flag, "%s is empty", file)
	}
	return out
}

// natsURL checks a comma-separated list of servers, empty for none.
func (s *settings) natsURL(flag, text string) {
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		if !strings.Contains(one, "://") {
			one = "nats://" + one
		}
		u, err := url.Parse(one)
		switch {
		case err != nil || u.Host == "":
			s.fault(flag, "a server of it is not nats://HOST:PORT")
		case u.Scheme != "nats" && u.Scheme != "tls" && u.Scheme != "ws" && u.Scheme != "wss":
			s.fault(flag, "%q is not nats, tls, ws or wss", u.Scheme)
		}
	}
}
