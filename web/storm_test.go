package web_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/giftwire/giftwire/hub/client"
	"github.com/giftwire/giftwire/hub/wire"
)

const (
	stormLasts   = 10 * time.Second
	stormEach    = 100 * time.Millisecond
	stormGifts   = 20 // a call: 200 a second
	stormViewers = 10
	// An interaction is answered smoothly below it: https://web.dev/articles/optimize-long-tasks
	taskMax = 50.0 // ms
)

// bearsAStorm: 200 gifts a second for 10 s, and the page stays smooth.
func bearsAStorm(v visit) {
	t, browser, s := v.t, v.browser, v.server
	p := open(t, browser, nil, s.base, desktop)
	p.live()
	p.join("blue")
	p.click("#send")
	p.delivered(1)
	s.crowd("5", stormViewers)
	p.until("the crowd", `document.querySelectorAll("#feed li").length > 0`)
	eval[bool](p, `(() => { tasks.length = 0; frames_.length = 0; return true; })()`)
	sent := s.storm()
	p.until("all gifts", fmt.Sprintf(`document.querySelector("#power-blue").textContent.replaceAll(",", "") === %q
		|| Number(document.querySelector("#book-delivered").textContent.replaceAll(",", "")) >= %d`, fmt.Sprint(10*(sent+1)), sent+1))

	frames := eval[[]float64](p, `frames_`)
	tasks := eval[[]float64](p, `tasks`)
	rows := eval[int](p, `document.querySelectorAll("#feed li").length`)
	slices.Sort(frames)
	slices.Sort(tasks)
	t.Logf("%d gifts: %d frames, work p50 %.1f ms, p95 %.1f ms, most %.1f ms; long tasks %.0f", sent,
		len(frames), quantile(frames, 0.5), quantile(frames, 0.95), quantile(frames, 1), tasks)
	if len(frames) < 50 {
		t.Errorf("only %d frames in %v: the stage stood still", len(frames), stormLasts)
	}
	if p95 := quantile(frames, 0.95); p95 >= taskMax {
		t.Errorf("the 95th percentile of a frame's work is %.1f ms, want below %v", p95, taskMax)
	}
	// A task is called long from 50 ms on; the browser tells no others. There is a task for
	// each frame at least, so of all tasks 95 in 100 are below 50 ms when the long ones are
	// fewer than 5 in 100 frames.
	if most := len(frames) / 20; len(tasks) > most {
		t.Errorf("%d tasks of 50 ms or more with %d frames, want %d at most", len(tasks), len(frames), most)
	}
	if rows > 60 {
		t.Errorf("%d rows in the feed", rows)
	}
	p.clean()
}

// crowd lets viewers join a team by its word.
func (s *server) crowd(word string, n int) {
	s.t.Helper()
	for i := range n {
		var viewer struct {
			Token string `json:"token"`
		}
		user := fmt.Sprintf("fan%s%d", word, i)
		wish := fmt.Sprintf(`{"user_id":%q,"nickname":%q}`, user, names[i])
		if err := json.Unmarshal(s.post("/v1/dev/tokens", wish), &viewer); err != nil {
			s.t.Fatal(err)
		}
		conn, err := client.Dial(s.t.Context(), client.Config{URL: s.base, Room: "demo", Token: viewer.Token})
		if err != nil {
			s.t.Fatal(err)
		}
		if err := conn.Send(s.t.Context(), wire.CommentFrame{ID: "join", Text: word}); err != nil {
			s.t.Fatal(err)
		}
		// It is in the room when it hears itself: what it gives comes after.
		for {
			event, err := conn.Next(s.t.Context())
			if err != nil {
				s.t.Fatal(err)
			}
			comments, ok := event.(wire.Comments)
			if ok && slices.ContainsFunc(comments.Comments, func(c wire.Comment) bool { return c.UserID == user }) {
				break
			}
		}
		_ = conn.Cut() // its part is done
	}
}

// storm gives through the platform's API, which has no limit for a user, and answers how
// many gifts.
func (s *server) storm() int {
	s.t.Helper()
	tick := time.NewTicker(stormEach)
	defer tick.Stop()
	sent := 0
	for end := time.Now().Add(stormLasts); time.Now().Before(end); <-tick.C {
		gifts := make([]string, stormGifts)
		for i := range gifts {
			gifts[i] = gift(fmt.Sprintf("s%d", sent), "5", sent%stormViewers, 10)
			sent++
		}
		s.post("/v1/rooms/demo/gifts", `{"gifts":[`+strings.Join(gifts, ",")+`]}`)
	}
	return sent
}

// names are of those in a crowd.
var names = [stormViewers]string{"Mei", "Jonas", "Amara", "Luca", "Noor", "Ines", "Kofi", "Yuki", "Zoe", "Omar"}

// gift is a gift of somebody in a crowd, as the platform's API takes it.
func gift(id, word string, fan, count int) string {
	return fmt.Sprintf(`{"id":%q,"user":{"user_id":"fan%s%d","nickname":%q},"gift_id":"g1","count":%d}`, id, word, fan, names[fan], count)
}

// quantile is of sorted values; 0 of none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))]
}
