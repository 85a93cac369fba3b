package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const install = "apt-get update && apt-get install --yes --no-install-recommends chromium"

// chromium finds a Chromium, or installs one where that is possible.
func chromium(t *testing.T) string {
	t.Helper()
	find := func() string {
		for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
			if path, err := exec.LookPath(name); err == nil {
				return path
			}
		}
		return ""
	}
	path := find()
	if _, err := exec.LookPath("apt-get"); path == "" && err == nil && os.Geteuid() == 0 {
		for range 2 { // mirrors stumble
			t.Logf("there is no Chromium; installing: %s", install)
			cmd := exec.Command("sh", "-c", install)
			cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
			out, err := cmd.CombinedOutput()
			if path = find(); err == nil && path != "" {
				break
			}
			t.Logf("%v\n%s", err, out)
		}
	}
	if path == "" {
		t.Fatalf("the page cannot be tested without Chromium: install it (as root: %s) or Google Chrome, so that it is on the PATH", install)
	}
	return path
}

// browse starts a browser for the tests of a page.
func browse(t *testing.T) context.Context {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(chromium(t)),
		chromedp.NoSandbox, // containers run as root, and load only the test's own page
		chromedp.DisableGPU,
		chromedp.Flag("headless", "new"),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", false), // a scroll bar takes room, as it does for people
		chromedp.WSURLReadTimeout(patience),
		chromedp.WindowSize(1280, 800),
	)
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	browser, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("Chromium does not start: %v", err)
	}
	return browser
}

// screen is what a tab has to work with.
type screen struct {
	width, height int64
	dark, calm    bool
}

var desktop = screen{width: 1280, height: 800}

// tab is one viewer's page.
type tab struct {
	t    *testing.T
	ctx  context.Context //nolint:containedctx // a tab is a context in chromedp
	base string

	mu       sync.Mutex
	troubles []string
}

// watcher is in the page before its own scripts.
const watcher = `
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective + " " + e.blockedURI + " " + e.sample));
window.tasks = [];
new PerformanceObserver((list) => { for (const e of list.getEntries()) tasks.push(e.duration); }).observe({ type: "longtask", buffered: true });
window.frames_ = [];
const images = new Map(); // where the figures of the newest picture stand
const { drawImage, clearRect } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.clearRect = function (...args) { images.set(this, new Set()); clearRect.apply(this, args); };
CanvasRenderingContext2D.prototype.drawImage = function (image, x, ...rest) { images.get(this)?.add(Math.round(10 * (x + rest[1] / 2))); drawImage.call(this, image, x, ...rest); };
window.drawn = () => new Set([...images].filter(([pen]) => pen.canvas.id === "play").flatMap(([, at]) => [...at]));
const ask = requestAnimationFrame;
window.requestAnimationFrame = (work) => ask((now) => { const t = performance.now(); work(now); frames_.push(performance.now() - t); });
`

// open opens the page in a tab. Tabs of one profile share what pages keep; profile nil: a
// new one.
func open(t *testing.T, browser ctx, profile *tab, base string, on screen) *tab {
	t.Helper()
	parent, option := browser, []chromedp.ContextOption{chromedp.WithNewBrowserContext()}
	if profile != nil {
		parent, option = profile.ctx, nil
	}
	p := &tab{t: t, base: base}
	ctx, end := chromedp.NewContext(parent, append(option, chromedp.WithListener(p.hear))...)
	t.Cleanup(end)
	p.ctx = ctx
	command(p, log.Enable, cdp.Empty{})
	command(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watcher})
	p.look(on)
	command(p, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}) // all tabs are in front
	p.do(chromedp.Navigate(base + "/"))
	return p
}

// look gives the tab another screen.
func (p *tab) look(on screen) {
	p.t.Helper()
	command(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: either(on.dark, "dark", "light")},
		{Name: "prefers-reduced-motion", Value: either(on.calm, "reduce", "no-preference")},
	}})
	command(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: on.width, Height: on.height, DeviceScaleFactor: 1, Mobile: on.width < 600,
	})
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// command sends one command of the DevTools protocol to the tab.
func command[P, R any](p *tab, c cdp.Command[P, R], params P) R {
	p.t.Helper()
	result, err := chromedp.Call(p.ctx, c, params)
	if err != nil {
		p.t.Fatalf("%s: %v", c.Method, err)
	}
	return result
}

// hear keeps what a developer would see in red.
func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.troubles = append(p.troubles, fmt.Sprintf("exception: %+v", e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			text, _ := json.Marshal(e.Args) //nolint:errchkjson // for people
			p.troubles = append(p.troubles, fmt.Sprintf("console.%s: %s", e.Type, text))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Source == log.EntrySourceSecurity {
			p.troubles = append(p.troubles, fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL))
		}
	}
}

// clean fails the test if anything was wrong so far.
func (p *tab) clean() {
	p.t.Helper()
	violations := eval[[]string](p, `violations`)
	p.mu.Lock()
	defer p.mu.Unlock()
	if all := slices.Concat(p.troubles, violations); len(all) > 0 {
		p.t.Errorf("the page is in trouble:\n%s", strings.Join(all, "\n"))
	}
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// eval evaluates an expression in the page; promises are awaited.
func eval[T any](p *tab, script string) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", script, err)
	}
	return value
}

// until waits for an expression of the page to be true.
func (p *tab) until(what, script string) {
	p.t.Helper()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		if eval[bool](p, `Boolean(`+script+`)`) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			p.t.Fatalf("no %s within %v: %s\nthe page says:\n%s", what, patience, script, p.text("body"))
		}
	}
}

func (p *tab) text(selector string) string {
	p.t.Helper()
	return eval[string](p, `document.querySelector(`+quote(selector)+`).innerText`)
}

// click clicks as a person does: what is covered or away is not hit.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.until("way to click "+selector, `(() => {
		const found = document.querySelector(`+quote(selector)+`);
		if (!found || found.disabled) return false;
		found.scrollIntoView({ block: "nearest" });
		const box = found.getBoundingClientRect();
		const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
		return box.width > 0 && hit !== null && (found.contains(hit) || hit.contains(found));
	})()`)
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// live waits until the page is connected and shows its gifts.
func (p *tab) live() {
	p.t.Helper()
	p.until("connection", `document.querySelector("#link")?.dataset.state === "open" && document.querySelectorAll("#menu label").length > 0`)
}

// join chooses a side.
func (p *tab) join(team string) {
	p.t.Helper()
	p.click(`#join-words [data-team="` + team + `"]`)
	p.until("joined "+team, `document.querySelector("#join").hidden`)
}

// enter fills a field in, and ends it with the Enter key.
func (p *tab) enter(selector, text string) {
	p.t.Helper()
	p.do(chromedp.SetValue(chromedp.CSS(selector), text), chromedp.Focus(chromedp.CSS(selector)), chromedp.KeyEvent("\r"))
}

var pressTab = chromedp.KeyEvent("\t")

// choose chooses a gift by its name, and a count.
func (p *tab) choose(gift, count string) {
	p.t.Helper()
	for _, wish := range [][2]string{{"#menu", gift}, {"#counts", count}} {
		script := `[...document.querySelectorAll(` + quote(wish[0]+" label") + `)].find((l) => l.querySelector("b").textContent === ` + quote(wish[1]) + `)`
		p.until(wish[1], script)
		p.until(wish[1]+" chosen", `((l) => { l.querySelector("input").click(); return l.querySelector("input").checked; })(`+script+`)`)
	}
}

// rename gives the viewer a name.
func (p *tab) rename(name string) {
	p.t.Helper()
	p.click("#rename")
	p.enter("#name-text", name)
	p.until("name "+name, `!document.querySelector("#name").open && document.querySelector("#nickname").textContent === `+quote(name))
	p.live()
}

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}
