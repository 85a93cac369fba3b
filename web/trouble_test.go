package web_test

import (
	"os"
	"strconv"
	"strings"
)

func quoteInt(n int) string { return strconv.Itoa(n) }

// delivered waits until so many own gifts are delivered, and none is anything else.
func (p *tab) delivered(n int) {
	p.t.Helper()
	p.until(quoteInt(n)+" delivered", `document.querySelectorAll('#mine [data-state="delivered"]').length === `+quoteInt(n))
	if all := eval[int](p, `document.querySelectorAll("#mine [data-gift]").length`); all != n {
		p.t.Errorf("%d gifts in the list, want %d", all, n)
	}
}

// combo taps so often within one task, faster than any finger.
func (p *tab) combo(taps int) {
	p.t.Helper()
	eval[bool](p, `(() => { for (let i = 0; i < `+quoteInt(taps)+`; i++) document.querySelector("#combo").click(); return true; })()`)
}

// tabTo presses Tab until the condition holds.
func (p *tab) tabTo(condition string) {
	p.t.Helper()
	for range 60 {
		if eval[bool](p, `Boolean(`+condition+`)`) {
			visible := eval[bool](p, `getComputedStyle(document.activeElement).outlineStyle !== "none" || getComputedStyle(document.activeElement.parentElement).outlineStyle !== "none"`)
			if !visible {
				p.t.Errorf("one does not see that the focus is here: %s", condition)
			}
			return
		}
		p.do(pressTab)
	}
	p.t.Fatalf("60 times Tab do not lead to %s", condition)
}

// goesThroughTrouble: ZEGO fails, and nothing is lost.
func goesThroughTrouble(v visit) {
	t, browser, s := v.t, v.browser, v.server
	p := open(t, browser, nil, s.base, desktop)
	p.live()
	p.click("#send") // nobody has joined
	p.until("plain words", `document.querySelector('#mine [data-state="failed"]')?.innerText.includes("choose a side first")`)
	p.join("red")
	p.click("#zego-open")
	p.click("#zego-fails")
	p.until("the trouble in the bar", `document.querySelector("#zego-trouble").innerText === "ZEGO fails"`)
	p.click("#send")
	p.until("attempts", `document.querySelector('#mine [data-state="accepted"]')?.innerText.includes("ZEGO does not take it yet: tried")`)
	p.until("the station in trouble", `document.querySelector('#path [data-step="zego"]').dataset.state === "trouble"`)
	p.until("a failed call", `document.querySelector("#calls").innerText.includes("failed: 502")`)
	p.until("a gift that waits", `document.querySelector("#book-pending").textContent === "1"`)
	p.click("#zego-fails")
	p.until("delivery", `document.querySelectorAll('#mine [data-state="delivered"]').length === 1`)
	p.until("the books", `["accepted", "delivered", "failed", "pending", "doubled"].map((b) => document.querySelector("#book-" + b).textContent).join() === "2,1,1,0,0"`)
	p.click(`#mine [data-state="delivered"] .gift-row`)
	p.until("the timeline", `document.querySelector(".timeline")?.innerText.includes("attempt 2") && document.querySelector(".timeline").innerText.includes("decided: delivered")`)

	p.click("#zego-not-started")
	p.until("the game not started", `document.querySelector("#zego-trouble").innerText === "game not started"`)
	p.click("#send")
	p.until("code 7206001", `document.querySelector("#calls").innerText.includes("code 7206001")`)
	p.click("#zego-not-started")
	p.until("delivery", `document.querySelectorAll('#mine [data-state="delivered"]').length === 2`)
	p.clean()
}

// comesBack: the connection is cut while gifts are given.
func comesBack(v visit) {
	t, browser, s := v.t, v.browser, v.server
	ann := open(t, browser, nil, s.base, desktop)
	ann.live()
	ann.join("blue")
	bob := open(t, browser, ann, s.base, desktop)
	bob.live()
	bob.join("red")
	ann.click("#zego-open")
	ann.click("#cut")
	ann.until("loss", `["waiting", "connecting"].includes(document.querySelector("#link").dataset.state)`)
	ann.click("#send")
	ann.until("a gift that waits", `document.querySelector("#mine li").innerText.includes("as soon as there is a connection")`)
	bob.click("#send")
	bob.delivered(1)
	ann.live()
	ann.delivered(1)
	ann.until("what was missed", `document.querySelector("#power-red").textContent === "10" && document.querySelector("#power-blue").textContent === "10"`)
}

// outlivesAKill: the server is killed and started again while gifts fly.
func outlivesAKill(v visit) {
	t, browser, s := v.t, v.browser, v.server
	const before, after = 12, 6
	ann := open(t, browser, nil, s.base, desktop)
	ann.live()
	ann.join("blue")
	ann.click("#send")
	ann.delivered(1) // the join is known to the game
	send := func(n int) {
		eval[bool](ann, `(() => { for (let i = 0; i < `+quoteInt(n)+`; i++) document.querySelector("#send").click(); return true; })()`)
	}
	send(before)
	ann.until("gifts in flight", `document.querySelectorAll('#mine [data-state="accepted"], #mine [data-state="delivered"]').length > 1`)
	s.kill()
	send(after)
	ann.until("gifts that wait", `document.querySelectorAll('#mine [data-state="queued"], #mine [data-state="sent"]').length >= `+quoteInt(after))
	s.again()
	ann.live()
	ann.delivered(1 + before + after)
	if ids := eval[int](ann, `new Set([...document.querySelectorAll("#mine [data-gift]")].map((row) => row.dataset.gift)).size`); ids != 1+before+after {
		t.Errorf("%d different gifts", ids)
	}
	// The page says so, the hub's books say so, and the game has given each once.
	ann.click("#zego-open")
	ann.until("the books", `["accepted", "delivered", "failed", "pending", "doubled"].map((b) => document.querySelector("#book-" + b).textContent).join() === "19,19,0,0,0"`)
}

// isAccessible asks axe in both colour schemes, with all that can be open.
func isAccessible(v visit) {
	t, browser, s := v.t, v.browser, v.server
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, browser, nil, s.base, desktop)
	eval[bool](p, string(axe)+"; true")
	check := func(what string, screens ...screen) {
		t.Helper()
		for _, on := range screens {
			p.look(on)
			found := eval[[]string](p, `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations.flatMap((v) =>
				v.nodes.map((n) => v.impact + " " + v.id + ": " + n.target.join(" ") + " " + (n.any[0]?.message ?? ""))))`)
			if len(found) > 0 {
				t.Errorf("%s, %+v:\n%s", what, on, strings.Join(found, "\n"))
			}
		}
		p.look(desktop)
	}
	dark := screen{width: 1280, height: 800, dark: true}
	phone, phoneDark := screen{width: 390, height: 844}, screen{width: 390, height: 844, dark: true}

	p.live()
	check("new", desktop, dark, phone)
	p.click("#send") // nobody has joined: refused
	p.until("a gift that was not given", `document.querySelector('#mine [data-state="failed"]')`)
	p.join("red")
	p.click("#send")
	p.until("a gift that was", `document.querySelector('#mine [data-state="delivered"]')`)
	p.click("#zego-open")
	p.click("#zego-fails")
	p.click("#send")
	p.until("a gift that waits", `document.querySelector('#mine [data-state="accepted"]')?.innerText.includes("tried")`)
	p.click("#mine li:nth-child(2) .gift-row")
	p.until("the timeline", `document.querySelectorAll(".timeline dt").length > 3`)
	check("in trouble, all open", desktop, dark, phone, phoneDark)
	p.click("#rename")
	p.until("the dialog", `document.querySelector("#name").open`)
	check("dialog", desktop, dark)
}
