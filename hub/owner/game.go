package owner

import (
	"slices"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/room"
)

// reportsMax is how many of ZEGO's reports a room remembers to notice a repeat. ZEGO
// repeats a callback at most five times within a minute or so (ZEGO.md 3.2, by
// analogy), and a round has two.
const reportsMax = 32

// game is what the reports of ZEGO add up to: the fold of the room's callbacks in
// journal order.
type game struct {
	ID      string // MiniGameId of the game whose state it is
	Now     room.Game
	At      int64    // when that happened, Unix ms; 0: not known
	Reports []string // newest last: MiniGameId/ReportId of what was folded in
	Ended   []string // newest last: MiniGameId/RoundId of rounds that were settled
}

// report folds a callback in. It returns false for a repeat, for a start that comes
// after its own round's settlement, and for another round's report of something that
// happened before what is known: reports may overtake each other, and an ended round
// does not begin again.
func (g *game) report(c *journal.Callback) bool {
	report := c.GameID + "/" + c.ReportID
	if slices.Contains(g.Reports, report) {
		return false
	}
	g.Reports = lastOf(append(g.Reports, report), reportsMax)
	round := c.GameID + "/" + c.Game.Round
	other := g.ID != c.GameID || g.Now.Round != c.Game.Round
	if c.Game.State != room.GameEnded && slices.Contains(g.Ended, round) {
		return false
	}
	if c.Game.State == room.GameEnded {
		g.Ended = lastOf(append(g.Ended, round), reportsMax)
		if g.Now.State == room.GameRunning && g.Now.Round != "" && other {
			return false // a late settlement of an earlier round
		}
	}
	if other && c.At < g.At {
		return false
	}
	g.ID, g.Now, g.At = c.GameID, c.Game, c.At
	return true
}

// gave notes that a gift of the game was given. If another game has ended in the room,
// the platform has switched: nothing is known of the new one yet, and its gifts must
// not be held for the old one's end.
func (g *game) gave(gameID string) (switched bool) {
	if g.Now.State != room.GameEnded || g.ID == gameID {
		return false
	}
	g.ID, g.Now, g.At = gameID, room.Game{}, 0
	return true
}

func lastOf(s []string, n int) []string {
	if len(s) > n {
		return slices.Clone(s[len(s)-n:])
	}
	return s
}
