package web_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/giftwire/giftwire/web"
)

type ctx = context.Context

// visit is what a test of the page has.
type visit struct {
	t       *testing.T
	browser ctx
	server  *server
}

// The page in a browser, against the real binary. One browser serves all of it, as
// starting one takes seconds; what a page keeps is another profile's in each test.
func TestPage(t *testing.T) {
	installTools(t) // axe
	binary := builtBinary(t)
	browser := browse(t)
	t.Run("together", func(t *testing.T) { // they wait most of the time
		for name, test := range map[string]func(visit){
			"viewers see each other's gifts": seesOthers,
			"text is text":                   showsTextAsText,
			"what ZEGO got, and trouble":     goesThroughTrouble,
			"connection cut":                 comesBack,
			"killed server":                  outlivesAKill,
			"by keyboard":                    worksByKeyboard,
			"rounds":                         playsRounds,
			"without movement":               standsStill,
			"phones":                         fitsPhones,
			"accessibility":                  isAccessible,
			"not served by dev":              saysWhatItNeeds,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(visit{t, browser, serve(t, binary)})
			})
		}
	})
	t.Run("storm", func(t *testing.T) { // it measures, so it is alone
		bearsAStorm(visit{t, browser, serve(t, binary)})
	})
	takePictures(visit{t: t, browser: browser}, binary)
}

// seesOthers is the first thing that a stranger does: join, send 10 rockets, open a
// second tab by the page's own link, see both.
func seesOthers(v visit) {
	t, browser, s := v.t, v.browser, v.server
	ann := open(t, browser, nil, s.base, desktop)
	ann.live()
	ann.rename("Ann")
	if hint := ann.text("#gift-hint"); !strings.Contains(hint, "Choose a side first") {
		t.Errorf("before joining, the page says %q", hint)
	}
	ann.join("blue")
	if got := ann.text("#send"); got != "Send 10 rockets" {
		t.Errorf("the button says %q", got)
	}
	ann.click("#send")
	ann.delivered(1)
	ann.until("all stations lit", `document.querySelectorAll('#path [data-state="done"]').length === 5`)
	ann.until("a soldier", `document.querySelector("#troops-blue").textContent === "1 soldier"`)
	ann.until("the pace", `/^(<1|\d+) ms$|^\d+\.\d s$/.test(document.querySelector("#pace-result").textContent)`)

	href := eval[string](ann, `document.querySelector("#second").href`)
	if rel := eval[string](ann, `document.querySelector("#second").target + " " + document.querySelector("#second").rel`); rel != "_blank noopener" {
		t.Errorf("the link to a second viewer: %s", rel) // without noopener it would be the same viewer
	}
	bob := open(t, browser, ann, strings.TrimSuffix(strings.TrimSuffix(href, "?"), "/"), desktop)
	bob.live()
	bob.until("what was given before", `document.querySelector("#troops-blue").textContent === "1 soldier"`)
	bob.rename("Bob")
	bob.join("red")
	bob.choose("Rocket", "66")
	bob.click("#send")
	bob.delivered(1)
	for _, p := range []*tab{ann, bob} {
		p.until("Bob's gift in the feed", `document.querySelector("#feed").innerText.includes("Bob gave 66 rockets: 1 general")`)
		p.until("Bob's general", `document.querySelector("#troops-red").textContent === "1 general"`)
		p.until("both viewers", `document.querySelector("#viewers").textContent === "2"`)
	}
	ann.combo(7)
	ann.delivered(2)
	if first := ann.text("#mine li:first-child b"); first != "70 rockets → 7 soldiers" {
		t.Errorf("seven taps of 10: %q", first)
	}
	bob.until("Ann's combo", `document.querySelector("#feed").innerText.includes("Ann gave 70 rockets: 7 soldiers")`)
	bob.enter("#say-text", "well played")
	ann.until("Bob's comment", `document.querySelector("#feed").innerText.includes("Bob: well played")`)
	for range 3 {
		bob.click("#like")
	}
	ann.until("Bob's likes", `document.querySelector("#likes").textContent === "3"`)
	ann.until("words for screen readers", `document.querySelector("#herald").textContent !== ""`)
	ann.clean()
	bob.clean()
}

// showsTextAsText: what viewers write can be hostile.
func showsTextAsText(v visit) {
	t, browser, s := v.t, v.browser, v.server
	const name = `<img src=x onerror=hacked()>`
	const comment = `<script>hacked()</script><b>bold</b> &amp; ` + "\u202etxet"
	mallory := open(t, browser, nil, s.base, desktop)
	mallory.live()
	mallory.rename(name)
	ann := open(t, browser, mallory, s.base, desktop)
	ann.live()
	mallory.join("red")
	mallory.enter("#say-text", comment)
	mallory.choose("Rocket", "66")
	mallory.click("#send")
	mallory.click("#zego-open")
	mallory.until("the call", `document.querySelector("#calls").textContent.includes(`+quote(name)+`)`)
	for _, p := range []*tab{ann, mallory} {
		p.until("name and comment as text", `document.querySelector("#feed").textContent.includes(`+quote(name+": "+comment)+`)`)
		p.until("the gift", `document.querySelector("#feed").textContent.includes(`+quote(name+" gave 66 rockets")+`)`)
		p.until("the ceremony", `document.querySelector("#ceremony").textContent.includes(`+quote(name)+`)`)
		if n := eval[int](p, `document.querySelectorAll("[onerror], img[src$='/x'], #feed script, #feed b").length`); n != 0 {
			t.Errorf("%d elements were made of text", n)
		}
		p.clean()
	}
}

// worksByKeyboard: no mouse.
func worksByKeyboard(v visit) {
	t, browser, s := v.t, v.browser, v.server
	p := open(t, browser, nil, s.base, desktop)
	p.live()
	p.tabTo(`document.activeElement.dataset.team === "blue"`)
	p.do(chromedp.KeyEvent("\r"))
	p.until("joined", `document.querySelector("#join").hidden`)
	// Joining leaves the focus where one goes on.
	p.until("focus on the button", `document.activeElement.id === "send"`)
	p.do(chromedp.KeyEvent("\r"))
	p.delivered(1)
	p.tabTo(`document.activeElement.matches(".gift-row")`)
	p.do(chromedp.KeyEvent("\r"))
	p.until("the timeline", `document.querySelector(".timeline")?.textContent.includes("written to the journal")`)
	p.tabTo(`document.activeElement.id === "say-text"`)
	p.do(chromedp.KeyEvent("hello\r"))
	p.until("the comment", `document.querySelector("#feed").innerText.includes(": hello")`)
	p.tabTo(`document.activeElement.id === "zego-open"`)
	p.do(chromedp.KeyEvent(" "))
	p.until("the drawer", `!document.querySelector("#zego-body").hidden`)
	p.clean()
}

// playsRounds: a round ends, and all have to join anew.
func playsRounds(v visit) {
	t, browser, s := v.t, v.browser, v.server
	p := open(t, browser, nil, s.base, desktop)
	p.live()
	p.click("#zego-open")
	p.click("#game-start")
	p.until("the start", `document.querySelector("#round").textContent.includes("begun")`)
	p.join("red")
	p.click("#send")
	p.delivered(1)
	p.click("#game-settle")
	p.until("the end", `document.querySelector("#round").textContent.includes("red has won")`)
	p.until("the choice of a side", `!document.querySelector("#join").hidden`)
	p.until("an empty field", `document.querySelector("#power-red").textContent === "0"`)
	p.until("a word about it", `document.querySelector("#gift-hint").innerText.includes("round is over")`)
	p.click("#send")
	p.until("a gift that waits", `document.querySelector('#mine [data-state="accepted"]')?.innerText.includes("next round")`)
	p.join("blue")
	p.click("#game-start")
	p.delivered(2)
	p.until("a new score", `document.querySelector("#power-blue").textContent === "10" && document.querySelector("#power-red").textContent === "0"`)
	p.clean()
}

// standsStill: who wants no movement sees where it leads.
func standsStill(v visit) {
	t, browser, s := v.t, v.browser, v.server
	p := open(t, browser, nil, s.base, screen{width: 1280, height: 800, calm: true})
	p.live()
	p.join("blue")
	p.choose("Rocket", "50")
	p.click("#send")
	p.delivered(1)
	p.until("the troops", `document.querySelector("#troops-blue").textContent === "5 soldiers"`)
	if moving := eval[int](p, `document.getAnimations().length`); moving != 0 {
		t.Errorf("%d animations", moving)
	}
	p.click("#send")
	p.delivered(2)
	p.until("figures at their places", `drawn().size > 0`)
	// Figures stand where they were put: from one picture to the next none has walked.
	first := eval[[]int](p, `[...drawn()]`)
	p.click("#send")
	p.delivered(3)
	p.until("more figures", `drawn().size > `+quoteInt(len(first)))
	for _, x := range first {
		p.until("figure where it stood", `drawn().has(`+quoteInt(x)+`)`)
	}
	p.clean()
}

// fitsPhones: nothing is cut off at the side, whatever it holds.
func fitsPhones(v visit) {
	t, browser, s := v.t, v.browser, v.server
	for _, width := range []int64{360, 390} {
		p := open(t, browser, nil, s.base, screen{width: width, height: 844})
		p.live()
		p.rename(strings.Repeat("W", 32))
		p.join("blue")
		p.click("#send")
		p.delivered(1)
		p.choose("Rocket", "132")
		p.enter("#say-text", strings.Repeat("long", 50))
		p.until("the comment", `document.querySelector("#feed").innerText.includes("longlong")`)
		p.click("#zego-open")
		p.until("calls", `document.querySelectorAll("#calls .call").length > 0`)
		p.click("#mine .gift-row")
		p.until("the timeline", `document.querySelectorAll(".timeline dt").length > 3`)
		if wide := eval[int](p, `document.scrollingElement.scrollWidth`); int64(wide) > width {
			t.Errorf("at %d px the page is %d px wide", width, wide)
		}
		out := eval[[]string](p, `[...document.querySelectorAll("body *")].filter((e) => {
			const box = e.getBoundingClientRect();
			return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1) && !e.closest("dialog");
		}).map((e) => e.tagName + "#" + e.id + "." + e.getAttribute("class"))`)
		if len(out) > 0 {
			t.Errorf("at %d px these stick out: %v", width, out)
		}
		small := eval[[]string](p, `[...document.querySelectorAll("button, a, label:has(input)")].filter((e) => {
			const box = e.getBoundingClientRect();
			return e.checkVisibility() && !e.matches(".skip, .unseen") && box.width > 0 && (box.width < 24 || box.height < 24);
		}).map((e) => e.outerHTML.slice(0, 80))`)
		if len(small) > 0 { // WCAG 2.2, 2.5.8
			t.Errorf("too small to hit: %v", small)
		}
		p.clean()
	}
}

// saysWhatItNeeds: the same page from a server that gives no tokens.
func saysWhatItNeeds(v visit) {
	t, browser := v.t, v.browser
	elsewhere := httptest.NewServer(web.Handler())
	t.Cleanup(elsewhere.Close)
	p := open(t, browser, nil, elsewhere.URL, desktop)
	p.until("a plain word", `!document.querySelector("#notice").hidden && document.querySelector("#notice").innerText.includes("giftwire dev")`)
	p.until("disconnected", `document.querySelector("#link").innerText === "Disconnected"`)
	p.until("nothing to press", `document.querySelector("#send").disabled && document.querySelector("#zego").hidden`)
}
