package room

import "errors"

// Report is what the game platform says of a room's game, verified: a round has
// started, or is settled (ZEGO.md 3).
type Report struct {
	ID     string // unique within one game: a second report with it is a repeat
	Room   string
	GameID string // MiniGameId
	Anchor string // may be empty
	Game   Game   // running or ended
	At     int64  // when it happened, Unix ms
}

// Errors of reading a report. They are wrapped with what was wrong, never with the
// signature or a secret.
var (
	// ErrForgedReport: not signed with our secret, for another app, or too old.
	ErrForgedReport = errors.New("room: report is not genuine")
	// ErrBadReport: signed, but not a report that we understand.
	ErrBadReport = errors.New("room: malformed report")
)

// Launch asks for the code by which a room's anchor starts the game (ZEGO.md 2.4).
type Launch struct {
	Room   string
	GameID string // MiniGameId
	Anchor User
}
