package zego_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// FuzzAnswer: whatever a server sends is read or refused, and what is kept of it is
// bounded and printable.
func FuzzAnswer(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		_, rows, launch, err := zego.ParseAnswer(text)
		if !bytes.Equal(before, text) {
			t.Error("the text was changed")
		}
		if err != nil {
			if rows != nil && launch != "" {
				t.Error("rows and launch code with an error")
			}
			if len(err.Error()) > 512 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		}
		for _, row := range rows {
			if row.MsgID == "" || len(row.Message) > 256 || !utf8.ValidString(row.Message) || strings.ContainsAny(row.Message, "\x00\n\r\x1b\u0085") {
				t.Errorf("row %+v", row)
			}
		}
	})
}

// FuzzCallback: no body passes without the secret, and none crashes the reader.
func FuzzCallback(f *testing.F) {
	v, err := zego.NewVerifier(zego.VerifierConfig{AppID: 1234567890, Secret: zego.NewSecret(callbackSecret)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := v.Verify(body, callbackNow)
		if err != nil {
			if got != (zego.Callback{}) {
				t.Errorf("%+v with %v", got, err)
			}
			return
		}
		// The signature covers neither case nor escapes, so it may be written in many
		// ways, but it has to be known.
		if !bytes.Contains(bytes.ToLower(body), []byte("signature")) {
			t.Errorf("%q passed", body)
		}
		if got.ReportID == "" || got.MiniGameID == "" || got.RoomID == "" || got.RoundID == "" || got.At < 0 {
			t.Errorf("%+v lacks something", got)
		}
	})
}

// FuzzCatalogue: a file is refused with [zego.ErrBadCatalogue], or its games make a
// catalogue.
func FuzzCatalogue(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		games, err := zego.ParseGames(strings.NewReader(text))
		if err != nil {
			if games != nil || len(err.Error()) > 64<<10 {
				t.Errorf("%d games with an error of %d bytes", len(games), len(err.Error()))
			}
			return
		}
		if _, err := room.NewCatalogue(games); err != nil {
			t.Error(err)
		}
	})
}

// FuzzCut: at most so many code points, a prefix, never empty without need.
func FuzzCut(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string, most int) {
		most = 1 + most&63
		got := zego.Cut(s, most)
		if !strings.HasPrefix(s, got) || utf8.RuneCountInString(got) > most || (got == "") != (s == "") {
			t.Errorf("Cut(%q, %d) = %q", s, most, got)
		}
		if utf8.RuneCountInString(s) <= most && got != s {
			t.Errorf("Cut(%q, %d) = %q", s, most, got)
		}
		clean := zego.Clean(s, most)
		if len(clean) > most || !utf8.ValidString(clean) {
			t.Errorf("Clean(%q, %d) = %q", s, most, clean)
		}
	})
}
