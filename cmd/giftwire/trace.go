package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/giftwire/giftwire/hub/audit"
)

// traceCmd prints what the streams say of one gift.
type traceCmd struct {
	MsgID   string       `arg:"" name:"msg-id" help:"The gift's MsgId."`
	Journal journalFlags `embed:"" group:"Journal"`
	JSON    bool         `name:"json" help:"Print the timeline as the platform API does."`
}

func (c *traceCmd) run(ctx context.Context, s streams) error {
	var found *audit.Timeline
	err := c.Journal.read(ctx, s, func(ctx context.Context, src audit.Source, o audit.Options) (err error) {
		found, err = audit.Trace(ctx, src, c.MsgID, o)
		return err
	})
	switch {
	case errors.Is(err, audit.ErrBadID):
		return fmt.Errorf("%w: MSG_ID: %w", errSettings, err)
	case err != nil:
		return err
	case c.JSON:
		return printJSON(s.out, found)
	default:
		return printTimeline(s.out, found)
	}
}

// printTimeline writes a gift's story for people.
func printTimeline(to io.Writer, t *audit.Timeline) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "gift %s\n", t.MsgID) // Flush has the error
	_, _ = fmt.Fprintf(w, "  room %s, user %s, id %s: %d of %s (Value %d, Num %d) for %s\n", t.Room, t.UserID, t.ID, t.Count, t.GiftID, t.Value, t.Num, t.ReceiverID)
	_, _ = fmt.Fprintf(w, "  %s\n\n", status(t))
	for i := range t.Events {
		e := &t.Events[i]
		_, _ = fmt.Fprintf(w, "%s\t+%v\t%s\t%s\n", time.UnixMilli(e.At).UTC().Format("2006-01-02T15:04:05.000Z"),
			time.Duration(e.At-t.At)*time.Millisecond, e.Event, details(e))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(to)
	for _, r := range t.Records {
		if err == nil {
			_, err = fmt.Fprintf(to, "%s\n", r)
		}
	}
	return err
}

func status(t *audit.Timeline) string {
	if t.Code == nil {
		return t.Status + ": no retained record decides it; attempts are recorded with the decision"
	}
	return fmt.Sprintf("%s: %s (%d)", t.Status, t.Reason, *t.Code)
}

// details are an event's other members, those that are set.
func details(e *audit.Event) string {
	var set []string
	add := func(name string, value any, is bool) {
		if is {
			set = append(set, strings.TrimSpace(fmt.Sprint(name, " ", value)))
		}
	}
	add("node", e.Node, e.Node != "")
	add("n", e.N, e.N != 0)
	add("query", "", e.Query)
	add("taken", e.Taken, e.Taken != "")
	add("status", e.Status, e.Status != "")
	add("reason", e.Reason, e.Reason != "")
	if e.Code != nil {
		add("code", *e.Code, true)
	}
	if e.Result != nil {
		add("result", *e.Result, true)
	}
	add("request_id", e.RequestID, e.RequestID != "")
	add("message", e.Message, e.Message != "")
	return strings.Join(set, ", ")
}
