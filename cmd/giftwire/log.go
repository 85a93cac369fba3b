package main

import (
	"io"
	"log/slog"
	"strings"
	"time"
)

// logger makes the process's logger. No secret, token or payload is ever given to it.
func (f *logFlags) logger(s *settings, to io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(strings.ToUpper(f.Level))); err != nil {
		s.fault("log-level", "%q is not debug, info, warn or error", f.Level)
	}
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: readable}
	switch f.Format {
	case "json":
		return slog.New(slog.NewJSONHandler(to, opts))
	case "text":
		return slog.New(slog.NewTextHandler(to, opts))
	default:
		s.fault("log-format", "%q is not json or text", f.Format)
		return slog.New(slog.DiscardHandler)
	}
}

// readable writes durations as people do: a bare number of nanoseconds says nothing.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().Round(time.Microsecond).String())
	}
	return a
}
