package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/giftwire/giftwire/hub/wire"
)

// messageBytes is how long a message is, and stamp what stands before the time at
// which it was sent: Unix ns in 19 digits, in the giver's nickname. It occurs once in a
// message and nowhere else.
const (
	messageBytes = 300
	stamp        = '~'
)

// message is one event, encoded as giftwire does it.
func message(seq uint64) []byte {
	g := wire.Gift{
		UserID: "giver", Nickname: string(stamp) + strconv.FormatInt(time.Now().UnixNano(), 10),
		GiftID: "g1", Value: 10, Num: 2, Count: 20, ReceiverID: "anchor1", At: time.Now().UnixMilli(),
	}
	event := wire.Gifts{Seq: seq, Gifts: []wire.Gift{g}}
	short := len(event.Append(nil))
	event.Gifts[0].Avatar = strings.Repeat("a", max(0, messageBytes-short))
	return wire.Encode(event)
}
