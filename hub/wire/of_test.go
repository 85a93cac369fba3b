package wire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/wire"
	"github.com/giftwire/giftwire/room"
)

func TestOf(t *testing.T) {
	t.Parallel()
	user := room.User{ID: "u1", Nickname: "Ann", Avatar: "https://e.example/a.png", Sex: 2}
	gift := &room.Gift{
		MsgID: msgID, ClientID: "c-17", Room: "r1", Game: "g", User: user, GiftID: "g1",
		Count: 20, Value: 10, Num: 2, Receiver: "anchor1", At: 1795449600000,
	}
	three := 3
	for _, tt := range []struct{ want, got wire.Event }{
		{
			wire.Gifts{Gifts: []wire.Gift{{
				MsgID: msgID, UserID: "u1", Nickname: "Ann", Avatar: "https://e.example/a.png", GiftID: "g1",
				Value: 10, Num: 2, Count: 20, ReceiverID: "anchor1", At: 1795449600000,
			}}},
			wire.Gifts{Gifts: []wire.Gift{wire.GiftOf(gift)}},
		},
		{
			wire.Result{ID: "c-17", MsgID: msgID, Status: "failed", Code: 10003, Reason: room.ReasonNotJoined, Message: "zego says no"},
			wire.ResultOf(room.Decision{Gift: gift, Status: room.Failed, Code: 10003, Reason: room.ReasonNotJoined, Message: "zego says no"}),
		},
		{
			wire.Comments{Comments: []wire.Comment{{UserID: "u1", Nickname: "Ann", Avatar: "https://e.example/a.png", Text: "5", At: 7}}},
			wire.Comments{Comments: []wire.Comment{wire.CommentOf(room.Comment{User: user, Text: "5", At: 7})}},
		},
		{
			wire.Game{MiniGameID: "g", State: "running", RoundID: "77"},
			wire.GameOf("g", room.Game{State: room.GameRunning, Round: "77", WinnerTeam: 3}),
		},
		{
			wire.Game{MiniGameID: "g", State: "ended", RoundID: "77", WinnerTeam: &three, ResultType: new(int)},
			wire.GameOf("g", room.Game{State: room.GameEnded, Round: "77", WinnerTeam: 3}),
		},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestReasonTexts: a result always tells people something, another thing for each
// reason.
func TestReasonTexts(t *testing.T) {
	t.Parallel()
	seen := make(map[string]room.Reason)
	for _, r := range []room.Reason{
		room.ReasonOK, room.ReasonNotJoined, room.ReasonNoSuchGift, room.ReasonNotStarted, room.ReasonGameNotFound,
		room.ReasonRefused, room.ReasonExpired, room.ReasonUnknownOutcome, room.ReasonGameError,
	} {
		text := wire.ResultOf(room.Decision{Gift: &room.Gift{}, Reason: r}).Message
		if other, twice := seen[text]; twice || text == "" {
			t.Errorf("%s and %s both say %q", r, other, text)
		}
		seen[text] = r
	}
}

func TestMenuOf(t *testing.T) {
	t.Parallel()
	c, err := room.NewCatalogue([]room.GameSpec{{
		ID: "g", Join: []room.JoinWord{{Text: "5", Team: "blue"}},
		Gifts: []room.GiftSpec{{ID: "g1", Name: "Rocket", Icon: "🚀", Tiers: []room.Tier{{Value: 10, Effect: "soldier"}}}, {ID: "rose"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := wire.Menu{
		Gifts: []wire.MenuGift{
			{GiftID: "g1", Name: "Rocket", Icon: "🚀", Tiers: []wire.MenuTier{{Value: 10, Effect: "soldier"}}},
			{GiftID: "rose", Tiers: []wire.MenuTier{}},
		},
		Join: []wire.JoinWord{{Text: "5", Team: "blue"}},
	}
	if diff := cmp.Diff(want, wire.MenuOf(c, "g")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wire.Menu{Gifts: []wire.MenuGift{}, Join: []wire.JoinWord{}}, wire.MenuOf(c, "other")); diff != "" {
		t.Errorf("not in the catalogue (-want +got):\n%s", diff)
	}
}
