package intake

import (
	"context"
	"log/slog"
)

// Config is what an intake needs. Fields without a default must be set.
type Config struct {
	Journal Journal
	Owner   Owner
	Chat    Chat
	Rooms   Rooms
	// Prices is the catalogue and the wallet: what a gift becomes and costs.
	Prices Prices
	// AppID is ZEGO's, a part of every MsgID.
	AppID  uint32
	Limits Limits
	// Meter may be nil.
	Meter Meter
	// Logger gets what an operator must know; nil is silence.
	Logger *slog.Logger
}

// Intake is the way in for all rooms of a process. It is safe for concurrent use.
type Intake struct{}

// New checks the configuration, all faults at once. It starts nothing.
func New(cfg Config) (*Intake, error) { panic("unwritten") }

// Submit takes a gift. It blocks for what must be known before the gift is handed
// to the journal: at most LookupTimeout and ReserveTimeout. answer is called exactly
// once, from here or from another goroutine, and must not block.
func (in *Intake) Submit(ctx context.Context, g Gift, answer func(Verdict)) { panic("unwritten") }

// Check returns what is wrong with the gift's own fields, without looking anything
// up: a rejection to give before rights and rates are looked at.
func (in *Intake) Check(g Gift) (Verdict, bool) { panic("unwritten") }

// Comment takes a comment: one that joins the game is made durable, the others are
// handed on best effort. It does not block. answer is called exactly once and must
// not block; Accepted means that the other viewers may see it.
func (in *Intake) Comment(c Comment, answer func(Verdict)) { panic("unwritten") }

// Close refuses everything from now on as unavailable.
func (in *Intake) Close() { panic("unwritten") }

// Wait returns when every gift and comment that was taken is answered, or with
// ctx's cause. Call it after Close and before the journal ends.
func (in *Intake) Wait(ctx context.Context) error { panic("unwritten") }

// InFlight counts the gifts that are not answered yet.
func (in *Intake) InFlight() int { panic("unwritten") }
