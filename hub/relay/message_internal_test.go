package relay

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

var sender = origin{node: "node-1.example", instance: "5f0c"}

// examples are a message of each kind, as in testdata.
func examples() map[string]any {
	gift := &room.Gift{
		MsgID: room.NewMsgID(1, "r1", "u1", "c1"), ClientID: "c1", Room: "r1", Game: "TinyLoveWar",
		User: room.User{ID: "u1", Nickname: "Ann <3", Avatar: "https://x/y.png", Sex: room.Female}, GiftID: "rose",
		Count: 6, Value: 3, Num: 2, Receiver: "anchor", Asked: room.Asked{Value: 3, Receiver: "anchor"}, At: 17,
	}
	failed := room.Decision{Gift: gift, Status: room.Failed, Code: 10003, Reason: room.ReasonNotJoined, Message: "not joined", At: 18}
	news := owner.News{Room: "r1", Record: 12, Prev: 7, Seq: 3, Decisions: []room.Decision{failed}}
	return map[string]any{
		kindNews:     newsOf(&news),
		kindRepeated: repeatedBody{Seq: 3, Decision: decisionOf(&failed)},
		kindGame:     gameOf("TinyLoveWar", room.Game{State: room.GameEnded, Round: "9", WinnerTeam: 2, ResultType: 1}),
		kindChat:     chatBody{Comments: []wire.Comment{{UserID: "u1", Nickname: "Ann", Text: "hi", At: 5}}, Likes: 7},
		kindBeat:     beatBody{Full: []Load{{Room: "r1", Open: 15_000}}},
		kindHeads:    headsBody{Heads: []head{{Room: "r1", Record: 12, Seq: 3, Game: 2}, {Room: "r2"}}},
		kindCounts:   countsBody{From: 3, To: 29, Counts: map[string]int{"r1": 12}},
	}
}

// Other releases read and write these bytes: whoever changes them raises the version.
func TestMessagesAreTheSame(t *testing.T) {
	for kind, body := range examples() {
		got, err := sender.encode(kind, 42, body)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join("testdata", kind+".golden")
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
			t.Errorf("%s (-golden +now):\n%s", name, diff)
		}
		h, _, err := parse(want)
		if err != nil || string(h.kind) != kind || string(h.node) != sender.node || string(h.instance) != sender.instance || h.number != 42 {
			t.Errorf("%s: first line %s %s %s %d, %v", name, h.kind, h.node, h.instance, h.number, err)
		}
	}
}

func TestPartsOfRooms(t *testing.T) {
	// FNV-1a's low byte, by the algorithm's published values for "" and "a" (0x811c9dc5,
	// 0xe40c292c): nodes of all releases have to agree.
	if a, b := sliceOf(""), sliceOf("a"); a != 0xc5 || b != 0x2c {
		t.Errorf("sliceOf: %#x, %#x", a, b)
	}
}

func TestFirstLines(t *testing.T) {
	for data, want := range map[string]error{
		"":                          errMessage,
		"1 news n i 3":              errMessage,
		"\n{}":                      errMessage,
		"2 news n i 3\n{}":          errVersion,
		"2 whatever\n":              errVersion,
		"1 news n i\n{}":            errMessage,
		"1 news n i x\n{}":          errMessage,
		"1 news n  3\n{}":           errMessage,
		"1 news n i 3 more\n{}":     errMessage,
		"1 news n i -3\n{}":         errMessage,
		"1 news n i 3\n{}":          nil,
		"1 later n.x i 3\nwhatever": nil,
	} {
		if _, _, err := parse([]byte(data)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", data, err, want)
		}
	}
	if _, err := sender.encode(kindChat, 0, chatBody{Comments: []wire.Comment{{Text: strings.Repeat("x", 1<<20)}}}); !errors.Is(err, errTooLarge) {
		t.Errorf("1 MiB: %v, want errTooLarge", err)
	}
}

func TestLargestParts(t *testing.T) {
	name := strings.Repeat("x", room.RoomIDMax-4)
	heads := headsBody{}
	counted := countsBody{From: 255, To: 256, Counts: map[string]int{}}
	const most = 1<<64 - 1
	for i := range 2 * countsPart {
		id := name + string([]byte{byte('0' + i/1000), byte('0' + i/100%10), byte('0' + i/10%10), byte('0' + i%10)})
		counted.Counts[id] = 1_000_000
		if i < headsPart {
			heads.Heads = append(heads.Heads, head{Room: id, Record: most, Seq: most, Game: most})
		}
	}
	for kind, body := range map[string]any{kindHeads: heads, kindCounts: counted} {
		if data, err := sender.encode(kind, most, body); err != nil {
			t.Errorf("%s: %v", kind, err)
		} else {
			t.Logf("%s: %d bytes", kind, len(data))
		}
	}
}

// Nothing that arrives makes a node fail, and what is taken in can be told again.
func FuzzHear(f *testing.F) {
	for kind, body := range examples() {
		data, err := sender.encode(kind, 1, body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		deaf := &deaf{}
		r, err := New(Config{Node: "me", Bus: deaf, Source: struct{ Source }{}, Audience: deaf})
		if err != nil {
			t.Fatal(err)
		}
		known, err := r.Follower.at("r1")
		if err != nil {
			t.Fatal(err)
		}
		known.line.known = true
		r.Follower.hear(known, data)
		r.hearChat(known, data)
		r.hearBeat(data)
		for _, n := range deaf.news {
			if _, err := sender.encode(kindNews, 1, newsOf(&n)); err != nil {
				t.Errorf("news that cannot be told: %v", err)
			}
		}
		if deaf.likes < 0 {
			t.Errorf("%d likes", deaf.likes)
		}
		for id := range r.Crowd.others {
			if r.Crowd.Others(id) < 0 {
				t.Errorf("%d viewers", r.Crowd.Others(id))
			}
		}
	})
}

// deaf is a bus that carries nothing, and an audience.
type deaf struct {
	news  []owner.News
	likes int
}

func (*deaf) Publish(string, []byte) error { return nil }

func (*deaf) Subscribe(string, func(string, []byte)) (func(), error) { return func() {}, nil }

func (d *deaf) Decided(n owner.News)                { d.news = append(d.news, n) }
func (*deaf) Repeated(uint64, room.Decision)        {}
func (*deaf) GameChanged(string, string, room.Game) {}
func (*deaf) Comment(string, wire.Comment)          {}
func (d *deaf) Like(_ string, n int)                { d.likes += n }
func (*deaf) Crowd(string, int)                     {}

func BenchmarkNews(b *testing.B) {
	news := owner.News{Room: "r1", Record: 12, Prev: 7, Seq: 3}
	body := examples()[kindNews].(newsBody)
	one, err := body.news("r1")
	if err != nil {
		b.Fatal(err)
	}
	for range 50 {
		news.Decisions = append(news.Decisions, one.Decisions[0])
	}
	data, err := sender.encode(kindNews, 0, newsOf(&news))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := sender.encode(kindNews, 0, newsOf(&news)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			_, body, _ := parse(data)
			v, err := read[newsBody](body)
			if err == nil {
				_, err = v.news("r1")
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("own", func(b *testing.B) {
		r := &Relay{origin: sender}
		for b.Loop() {
			if _, _, ok := r.open(data); ok {
				b.Fatal("not known as the own")
			}
		}
	})
}

// Counts that come late do not undo newer ones.
func TestLateCounts(t *testing.T) {
	r, err := New(Config{Node: "me", Bus: &deaf{}, Source: struct{ Source }{}, Audience: &deaf{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct {
		number uint64
		count  int
	}{{1, 1}, {3, 3}, {2, 2}} {
		data, err := sender.encode(kindCounts, m.number, countsBody{Counts: map[string]int{"r1": m.count}})
		if err != nil {
			t.Fatal(err)
		}
		r.hearBeat(data)
	}
	if n := r.Crowd.Viewers("r1"); n != 3 {
		t.Errorf("%d viewers, want 3", n)
	}
}
