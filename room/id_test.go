package room_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/giftwire/giftwire/room"
)

// The ids are written into streams and ZEGO's memory, so they may never change. The
// vectors are from Python's uuid.uuid5.
func TestMsgIDVectors(t *testing.T) {
	for _, tt := range []struct {
		app                uint32
		room, user, client string
		want               string
	}{
		{1, "r1", "u1", "c-17", "00aadb9b-f72e-5f34-9819-5b2019542b9a"},
		{1, "r", "1u", "c-17", "7202a49d-ad62-519f-b6d1-34981d94095b"},
		{12345, "demo", "ann", "a_b-c", "efe00873-4604-546a-a019-dcb617de069b"},
		{
			4294967295, strings.Repeat("R", 64), strings.Repeat("u", 48), strings.Repeat("c", 64),
			"3a029c34-d558-5ae7-a52f-240d9959424e",
		},
	} {
		id := room.NewMsgID(tt.app, tt.room, tt.user, tt.client)
		if got := id.String(); got != tt.want {
			t.Errorf("%d/%.8s/%.8s/%.8s: %s, want %s", tt.app, tt.room, tt.user, tt.client, got, tt.want)
		}
		if back, err := room.ParseMsgID(tt.want); err != nil || back != id {
			t.Errorf("parse %s: %v %v", tt.want, back, err)
		}
	}
	if got := room.MsgIDNamespace(); got != "6f1c2f0a-6f55-5f3c-9a56-6a1f8d6f9b1e" {
		t.Errorf("namespace %s", got)
	}
	if got := room.NewMsgID(1, "r1", "u1", "c-17").Key(); got != 0x00aadb9bf72e5f34 {
		t.Errorf("key %x", got)
	}
}

func TestMsgIDText(t *testing.T) {
	id := room.NewMsgID(1, "r1", "u1", "c-17")
	text, err := id.MarshalText()
	if err != nil || string(text) != id.String() {
		t.Fatalf("%s %v", text, err)
	}
	var back room.MsgID
	if err := back.UnmarshalText(text); err != nil || back != id {
		t.Errorf("%v %v", back, err)
	}
	for _, bad := range []string{
		"", "x", strings.ToUpper(id.String()), strings.ReplaceAll(id.String(), "-", ""), "{" + id.String() + "}",
		"urn:uuid:" + id.String(), id.String() + "0", strings.Repeat("z", 1000),
	} {
		if err := back.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%.40q was taken", bad)
		} else if len(err.Error()) > 200 {
			t.Errorf("the error repeats %d bytes", len(err.Error()))
		}
		if back != id {
			t.Errorf("%.40q changed the id", bad)
		}
	}
}

func TestCheckNames(t *testing.T) {
	all := "abcxyzABCXYZ0189"
	for _, tt := range []struct {
		name  string
		check func(string) error
		err   error
		most  int
		also  string // allowed beside letters and digits
	}{
		{"room", room.CheckRoomID, room.ErrBadRoomID, 64, "_-"},
		{"user", room.CheckUserID, room.ErrBadUserID, 48, ""},
		{"client", room.CheckClientID, room.ErrBadClientID, 64, "_-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, good := range []string{all + tt.also, "a", strings.Repeat("a", tt.most)} {
				if err := tt.check(good); err != nil {
					t.Errorf("%q: %v", good, err)
				}
			}
			bad := []string{"", strings.Repeat("a", tt.most+1), "a b", "a/b", "ä", "a\x00", "a\xff", "a.b", "a%2fb", "１"}
			if tt.also == "" {
				bad = append(bad, "a_b", "a-b")
			}
			for _, s := range bad {
				if err := tt.check(s); !errors.Is(err, tt.err) {
					t.Errorf("%.80q: %v", s, err)
				}
			}
			if err := tt.check(strings.Repeat("a", 10_000)); len(err.Error()) > 200 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}
