package owner

import "github.com/giftwire/giftwire/room"

// Head is where a room stands.
type Head struct {
	Room        string
	Record, Seq uint64 // newest OUTCOMES sequence and gifts event, 0: none
	Game        room.Game
	GameID      string // MiniGameId of the game whose state it is
}

// Served is closed when the partition has become ready, which it may never be.
func (p *Partition) Served() <-chan struct{} { return p.served }

// Heads returns where every room of the partition stands: 100,000 rooms are 14 MB and
// some 20 ms, for which the partition stands still. It is for once after a takeover.
func (p *Partition) Heads() []Head {
	p.rooms.Lock()
	defer p.rooms.Unlock()
	heads := make([]Head, 0, p.rooms.count)
	for i := range p.rooms.byChunk {
		for _, e := range p.rooms.byChunk[i] {
			heads = append(heads, Head{
				Room: e.name, Record: e.chain.head(), Seq: e.seq, Game: e.game.Now, GameID: e.game.ID,
			})
		}
	}
	return heads
}

// Crowded returns how many gifts are open in the rooms where it is least or more. It
// looks at all open gifts only if there are as many, so that it costs nothing usually
// and some 10 ms where 200,000 are open.
func (p *Partition) Crowded(least int) map[string]int {
	if !p.Ready() {
		return nil
	}
	p.rooms.Lock()
	defer p.rooms.Unlock()
	if len(p.rooms.open) < max(least, 1) {
		return nil
	}
	crowded := make(map[string]int)
	for _, g := range p.rooms.open {
		crowded[g.gift.Room]++
	}
	for name, n := range crowded {
		if n < least {
			delete(crowded, name)
		}
	}
	return crowded
}
