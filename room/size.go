package room

import "unicode/utf8"

// Upper bounds of what the fixed parts of an entry take in JSON: every field name of
// ZEGO.md 1.1, 2.2 and 2.3 with its quotes, colon and comma, the braces, and numbers of
// 20 digits. The package does not know JSON; zego, which does, tests that its encoding
// never exceeds these.
const (
	// {"UserId":"","Nickname":"","Avatar":"","Sex":n}.
	userFixed = 64
	// {"UserInfo":u,"GiftInfo":{"GiftId":"","Value":n,"Num":n},"ReceiverId":"","Timestamp":n,"MsgId":""},.
	giftFixed = 192
	// {"UserInfo":u,"Content":""},.
	commentFixed = 32
	// {"UserInfo":u,"Amount":n},.
	likeFixed = 48
	// {"RoomId":"","MiniGameId":"","CommentList":[]}.
	envelopeFixed = 64
	// msgIDSize is a hyphenated UUID.
	msgIDSize = 36
)

// GiftSize is an upper bound of the gift's entry in a GiftList, in bytes. A call's
// entries and its envelope stay within [BatchBytes] by it.
func GiftSize(g *Gift) int {
	return giftFixed + userSize(&g.User) + textSize(g.GiftID) + textSize(g.Receiver) + msgIDSize
}

// CommentSize is an upper bound of the comment's entry in a CommentList, in bytes.
func CommentSize(c Comment) int { return commentFixed + userSize(&c.User) + textSize(c.Text) }

// LikeSize is an upper bound of the like's entry in a LikeList, in bytes.
func LikeSize(l Like) int { return likeFixed + userSize(&l.User) }

// envelopeSize is an upper bound of a call without entries.
func envelopeSize(room, game string) int { return envelopeFixed + textSize(room) + textSize(game) }

func userSize(u *User) int {
	return userFixed + textSize(u.ID) + textSize(u.Nickname) + textSize(u.Avatar)
}

// textSize is an upper bound of s inside a JSON string, whatever the encoder escapes of
// what it may: <, > and & as \u003c, U+2028 and U+2029, invalid bytes as \ufffd.
func textSize(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			n += asciiSize(c)
			i++
			continue
		}
		r, width := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && width == 1, r == '\u2028', r == '\u2029':
			n += 6
		default:
			n += width
		}
		i += width
	}
	return n
}

func asciiSize(c byte) int {
	switch {
	case c == '"', c == '\\', c == '/':
		return 2
	case c < ' ', c == '<', c == '>', c == '&', c == '\'', c == 0x7f:
		return 6
	default:
		return 1
	}
}
