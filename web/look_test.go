package web_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// takePictures makes pictures of the page where GIFTWIRE_LOOKS names a folder for them,
// for people to look at; the README shows one (make picture).
func takePictures(v visit, binary string) {
	t, browser := v.t, v.browser
	folder := os.Getenv("GIFTWIRE_LOOKS")
	if folder == "" {
		return
	}
	for _, look := range []struct {
		name string
		on   screen
	}{
		{"desktop-light", desktop},
		{"desktop-dark", screen{width: 1280, height: 800, dark: true}},
		{"phone-light", screen{width: 390, height: 844}},
		{"phone-dark", screen{width: 390, height: 844, dark: true}},
	} {
		t.Run("look "+look.name, func(t *testing.T) {
			s := serve(t, binary)
			p := open(t, browser, nil, s.base, look.on)
			p.live()
			p.rename("Sunny Otter")
			shoot(t, p, filepath.Join(folder, look.name+"-1-new.png"))
			battle(p, s)
			eval[bool](p, `(scrollTo(0, 0), true)`)
			shoot(t, p, filepath.Join(folder, look.name+"-2-play.png"))
			p.click("#zego-open")
			p.click("#zego-fails")
			p.click("#send")
			p.until("trouble", `document.querySelector('#path [data-state=trouble]')`)
			p.until("books", `document.querySelector('#book-pending').textContent === "1"`)
			p.click("#mine li:nth-child(2) .gift-row")
			p.until("the timeline", `document.querySelectorAll(".timeline dt").length > 3`)
			shoot(t, p, filepath.Join(folder, look.name+"-3-drawer.png"))
			p.clean()
		})
	}
}

// battle fills the stage.
func battle(p *tab, s *server) {
	s.crowd("5", 5)
	s.crowd("6", 4)
	p.join("blue")
	for i, count := range []int{70, 50, 60, 40, 66, 50, 40, 60} {
		team := []string{"5", "6"}[i%2]
		s.post("/v1/rooms/demo/gifts", `{"gifts":[`+gift(fmt.Sprintf("b%d", i), team, i/2%4, count)+`]}`)
		p.pass(450)
	}
	p.enter("#say-text", "Go blue, go!")
	p.click("#send")
	p.choose("Rose", "99")
	p.click("#send")
	p.combo(5)
	for range 4 {
		p.click("#like")
	}
	p.until("combo delivered", `document.querySelectorAll("#mine [data-state=delivered]").length === 3`)
	p.choose("Rocket", "66")
	p.click("#send")
	p.until("the general at the front", `document.querySelectorAll("#mine [data-state=delivered]").length === 4 && !document.querySelector("#ceremony").hidden`)
	p.pass(1500)
}

// pass waits while so many ms pass on the page: pictures are taken of something that moves.
func (p *tab) pass(ms int) {
	p.t.Helper()
	p.until("time", fmt.Sprintf(`performance.now() > %f`, eval[float64](p, `performance.now()`)+float64(ms)))
}

// shoot stores what the tab shows, in few colours: it is to be small, and nobody sees it.
func shoot(t *testing.T, p *tab, name string) {
	t.Helper()
	shot, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	few := image.NewPaletted(full.Bounds(), palette(full))
	draw.Draw(few, few.Bounds(), full, image.Point{}, draw.Src)
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, few); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// palette finds 256 colours for a picture by median cut: the box of colours that is
// longest and largest is halved until there are enough.
func palette(m image.Image) color.Palette {
	const bits = 6 // of each channel: finer differences do not make a colour of their own
	weight := make(map[[3]uint8]int)
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			r, g, b, _ := m.At(x, y).RGBA()
			weight[[3]uint8{uint8(r >> (16 - bits)), uint8(g >> (16 - bits)), uint8(b >> (16 - bits))}]++
		}
	}
	all := make([][3]uint8, 0, len(weight))
	for c := range weight {
		all = append(all, c)
	}
	// The eye sees bands where a large area has few colours, so areas count too.
	priority := func(box [][3]uint8, length int) float64 {
		area := 0
		for _, c := range box {
			area += weight[c]
		}
		return float64(length) * math.Sqrt(float64(area))
	}
	boxes := [][][3]uint8{all}
	for len(boxes) < 256 {
		best, channel, most := -1, 0, 0.0
		for i, box := range boxes {
			c, length := extent(box)
			if p := priority(box, length); p > most {
				best, channel, most = i, c, p
			}
		}
		if best < 0 {
			break
		}
		box := boxes[best]
		slices.SortFunc(box, func(a, b [3]uint8) int { return int(a[channel]) - int(b[channel]) })
		boxes[best] = box[:len(box)/2]
		boxes = append(boxes, box[len(box)/2:])
	}
	colours := make(color.Palette, 0, len(boxes))
	for _, box := range boxes {
		var sum [3]int
		total := 0
		for _, c := range box {
			for i := range sum {
				sum[i] += (int(c[i])*255*2/(1<<bits-1) + 1) / 2 * weight[c]
			}
			total += weight[c]
		}
		if total > 0 {
			colours = append(colours, color.RGBA{uint8(sum[0] / total), uint8(sum[1] / total), uint8(sum[2] / total), 255})
		}
	}
	return colours
}

// extent is the channel in which a box of colours is longest, and its length there.
func extent(box [][3]uint8) (channel, length int) {
	if len(box) < 2 {
		return 0, 0
	}
	for i := range 3 {
		low, high := 255, 0
		for _, c := range box {
			low, high = min(low, int(c[i])), max(high, int(c[i]))
		}
		if high-low > length {
			channel, length = i, high-low
		}
	}
	return channel, length
}
