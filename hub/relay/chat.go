package relay

import (
	"context"
	"sync"
	"time"

	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

// Chat carries what viewers of this node say to the viewers of the others, best effort:
// merged for 100 ms, to rooms that have viewers elsewhere. This node's viewers are not
// told by it. It is safe for concurrent use.
type Chat struct {
	relay *Relay
	wake  chan struct{} // 1-buffered: something waits

	mu    sync.Mutex // guards the following
	rooms map[string]*chatBody
}

const (
	// chatEvery is how long comments and likes wait for others of their room.
	chatEvery = 100 * time.Millisecond
	// chatComments is how many comments one message has, as many as the audience shows in
	// an event. With an avatar of 1 KiB and 200 characters of text each, below 150 KB.
	chatComments = 50
	// chatRooms is how many rooms may be merged at once, 1 GB if each were full of the
	// largest comments there are, 10 MB usually. What comes beyond is dropped.
	chatRooms = 10_000
	// chatLikes bounds likes of one message: 10,000 viewers with 1,000 each.
	chatLikes = 10_000 * room.LikeMax
)

func newChat(r *Relay) *Chat {
	return &Chat{relay: r, wake: make(chan struct{}, 1), rooms: make(map[string]*chatBody)}
}

// Comment carries a comment. It does not block.
func (c *Chat) Comment(roomID string, comment wire.Comment) {
	c.merge(roomID, func(b *chatBody) bool {
		if len(b.Comments) >= chatComments {
			return false
		}
		b.Comments = append(b.Comments, comment)
		return true
	})
}

// Like carries likes. It does not block.
func (c *Chat) Like(roomID string, count int) {
	c.merge(roomID, func(b *chatBody) bool {
		if count < 1 || b.Likes > chatLikes-count {
			return false
		}
		b.Likes += count
		return true
	})
}

func (c *Chat) merge(roomID string, with func(*chatBody) bool) {
	if !c.relay.cfg.Others() || c.relay.Crowd.Others(roomID) == 0 {
		return
	}
	c.mu.Lock()
	b := c.rooms[roomID]
	taken := b != nil || len(c.rooms) < chatRooms
	if b == nil && taken {
		b = new(chatBody)
		c.rooms[roomID] = b
	}
	taken = taken && with(b)
	c.mu.Unlock()
	if !taken {
		c.relay.counts.chatDropped.Add(1)
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run publishes what was merged until ctx ends.
func (c *Chat) run(ctx context.Context) {
	timer := time.NewTimer(chatEvery)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case <-c.wake:
		case <-ctx.Done():
			return
		}
		timer.Reset(chatEvery)
		select {
		case <-timer.C:
			c.flush()
		case <-ctx.Done():
			return
		}
	}
}

func (c *Chat) flush() {
	c.mu.Lock()
	rooms := c.rooms
	c.rooms = make(map[string]*chatBody)
	c.mu.Unlock()
	for roomID, b := range rooms {
		if c.relay.publish(chatSubject+roomID, kindChat, 0, b) != nil {
			c.relay.counts.chatDropped.Add(1)
		}
	}
}

// hearChat shows what viewers of another node said.
func (r *Relay) hearChat(f *followed, data []byte) {
	h, body, ok := r.open(data)
	if !ok {
		return
	}
	if string(h.kind) != kindChat {
		r.counts.foreign.Add(1)
		return
	}
	b, err := read[chatBody](body)
	if err != nil {
		r.bad(err)
		return
	}
	for _, comment := range b.Comments[:min(len(b.Comments), chatComments)] {
		r.cfg.Audience.Comment(f.room, comment)
	}
	if b.Likes > 0 && b.Likes <= chatLikes {
		r.cfg.Audience.Like(f.room, b.Likes)
	}
}
