package web_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// takePictures makes pictures of the page for people to look at, where GIFTWIRE_LOOKS
// names a folder for them.
func takePictures(t *testing.T, binary string, browser ctx) {
	folder := os.Getenv("GIFTWIRE_LOOKS")
	if folder == "" {
		return
	}
	for _, look := range []struct {
		name string
		on   screen
	}{
		{"desktop-light", screen{width: 1280, height: 800}},
		{"desktop-dark", screen{width: 1280, height: 800, dark: true}},
		{"phone-light", screen{width: 390, height: 844}},
		{"phone-dark", screen{width: 390, height: 844, dark: true}},
	} {
		t.Run("look "+look.name, func(t *testing.T) {
			s := serve(t, binary)
			p := open(t, browser, nil, s.base, look.on)
			p.live()
			shoot(t, p, folder, look.name+"-1-new")
			q := open(t, browser, p, s.base, desktop)
			q.live()
			q.rename("Mei Lindqvist")
			q.join("red")
			p.join("blue")
			for range 3 {
				q.click("#send")
				p.click("#send")
			}
			p.enter("#say-text", "Go blue, go!")
			q.choose("Rocket", "66")
			q.click("#send")
			p.choose("Rose", "99")
			p.click("#send")
			for range 5 {
				p.click("#combo")
				p.click("#like")
			}
			p.until("gifts on the stage", `document.querySelectorAll("#mine [data-state=delivered]").length >= 4`)
			p.until("settling", `performance.now() > 6000`)
			shoot(t, p, folder, look.name+"-2-play")
			p.click("#zego-open")
			p.click("#zego-fails")
			p.click("#send")
			p.until("trouble", `document.querySelector('#path [data-state=trouble]')`)
			p.until("books", `document.querySelector('#book-pending').textContent === "1"`)
			shoot(t, p, folder, look.name+"-3-drawer")
			p.clean()
		})
	}
}

func shoot(t *testing.T, p *tab, folder, name string) {
	t.Helper()
	if folder == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}
