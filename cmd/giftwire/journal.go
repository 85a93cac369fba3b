package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/giftwire/giftwire/hub/audit"
)

// errUnread is wrapped by every error that kept a command from reading the journal: it
// says nothing of the gifts, good or bad.
var errUnread = errors.New("could not read the journal")

// journalFlags say where a journal is that is only read.
type journalFlags struct {
	NATSURL   string `name:"nats-url" help:"NATS servers of your own, comma separated; nodes may run. Empty: --data." placeholder:"URL"`
	NATSCreds string `name:"nats-creds" help:"Credentials file for them." placeholder:"FILE"`
	NATSCA    string `name:"nats-ca" help:"CA file for them." placeholder:"FILE"`
	Data      string `help:"Folder of the embedded NATS, with its node stopped. It is copied below TMPDIR and not changed." default:"giftwire-data" placeholder:"DIR"`
}

// read opens the journal for a reader, shows how far it is, and closes it.
func (f *journalFlags) read(ctx context.Context, s streams, reader func(context.Context, audit.Source, audit.Options) error) error {
	// A terminal that is closed must not leave a copy of the journal behind.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer stop()
	show := progress{}
	if file, ok := s.err.(*os.File); ok && isatty.IsTerminal(file.Fd()) {
		show.to = file
	}
	show.say("opening the journal")
	store, err := f.open(ctx)
	if err != nil {
		show.clear()
		return fmt.Errorf("%w: %w", errUnread, err)
	}
	err = reader(ctx, store, audit.Options{Progress: show.read})
	show.clear()
	if err != nil && !errors.Is(err, audit.ErrNotFound) && !errors.Is(err, audit.ErrBadID) {
		err = fmt.Errorf("%w: %w", errUnread, err)
	}
	return errors.Join(err, store.Close())
}

func (f *journalFlags) open(ctx context.Context) (*audit.Store, error) {
	if f.NATSURL != "" {
		return audit.Connect(audit.Server{URL: f.NATSURL, Credentials: f.NATSCreds, Authority: f.NATSCA})
	}
	return audit.OpenFolder(ctx, f.Data, "")
}

// progress is a line that is written over again, on a terminal only.
type progress struct {
	to   *os.File
	last time.Time
}

// progressEvery is how often the line changes.
const progressEvery = 200 * time.Millisecond

func (p *progress) read(stream string, read, of uint64) {
	if p.to == nil || time.Since(p.last) < progressEvery {
		return
	}
	p.last = time.Now()
	p.say(fmt.Sprintf("reading %s: %d of %d records, %d %%", stream, read, of, read*100/max(of, 1)))
}

func (p *progress) say(text string) {
	if p.to != nil {
		_, _ = fmt.Fprintf(p.to, "\r\x1b[K%s", text) // it is only for looking at
	}
}

func (p *progress) clear() { p.say("") }
