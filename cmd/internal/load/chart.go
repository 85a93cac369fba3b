package load

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// chart is a picture of lines over a common x, for the page: the lines as SVG that is
// stretched to the page's width, everything else as text around it. Positions are in
// percent.
type chart struct {
	Title, Unit string
	Lines       []chartLine
	Y, X        []chartTick
	Marks       []chartTick // vertical ones, such as storms
	// Rest is where the load was over, in percent of the width; 100: nowhere.
	Rest float64
	// Names are what each x is called where its values are shown.
	Names []string
	log   bool
}

type chartLine struct {
	Name, Class string
	Path        template.HTMLAttr // d="..."
	Values      []float64
}

type chartTick struct {
	At    float64
	Label string
}

// plot is what a chart is made of.
type plot struct {
	title, unit string
	log         bool
	lines       []plotLine
}

type plotLine struct {
	name, class string
	value       func(*Point) float64
}

// over draws a plot over the seconds of a run.
func (p plot) over(points []Point, loadSeconds float64, storms []float64) chart {
	c := chart{Title: p.title, Unit: p.unit, log: p.log, Rest: 100}
	for _, l := range p.lines {
		values := make([]float64, len(points))
		for i := range points {
			values[i] = l.value(&points[i])
		}
		c.Lines = append(c.Lines, chartLine{Name: l.name, Class: l.class, Values: values})
	}
	last := float64(max(1, len(points)-1))
	for i := range points {
		c.Names = append(c.Names, fmt.Sprintf("second %d", points[i].At+1))
	}
	step := niceStep(last, 6)
	for at := 0.0; at <= last; at += step {
		c.X = append(c.X, chartTick{100 * at / last, fmt.Sprintf("%.0f s", at)})
	}
	for _, at := range storms {
		c.Marks = append(c.Marks, chartTick{100 * min(1, at/last), "storm"})
	}
	if loadSeconds < last {
		c.Rest = 100 * loadSeconds / last
	}
	c.scale(func(i int) float64 { return 100 * float64(i) / last })
	return c
}

// quantileTicks are the labels below a chart of quantiles.
func quantileTicks() []float64 { return []float64{0, 50, 90, 99, 99.9, 99.99} }

// quantiles draws latencies over their quantiles, each step to the right ten times as
// rare.
func quantiles(latencies []Latency) chart {
	c := chart{Title: "Latency by percentile", Unit: "ms", log: true, Rest: 100}
	all := Quantiles()
	position := func(q float64) float64 { return min(100, 100*math.Log10(100/max(100-q, 0.005))/4.3) }
	for _, q := range all {
		c.Names = append(c.Names, percentName(q))
	}
	for _, q := range quantileTicks() {
		c.X = append(c.X, chartTick{position(q), percentName(q)})
	}
	for _, l := range latencies {
		c.Lines = append(c.Lines, chartLine{Name: l.Name, Class: l.Name, Values: l.Curve})
	}
	c.scale(func(i int) float64 { return position(all[i]) })
	return c
}

func percentName(q float64) string {
	switch q {
	case 0:
		return "min"
	case 100:
		return "max"
	default:
		return "p" + strconv.FormatFloat(q, 'f', -1, 64)
	}
}

// scale chooses the y axis and draws the lines. Zeros of a logarithmic axis are gaps:
// nothing was measured there.
func (c *chart) scale(x func(int) float64) {
	low, high := math.Inf(1), 0.0
	for _, l := range c.Lines {
		for _, v := range l.Values {
			high = max(high, v)
			if v > 0 {
				low = min(low, v)
			}
		}
	}
	var y func(float64) float64
	if c.log {
		y = c.logAxis(low, high)
	} else {
		y = c.linearAxis(high)
	}
	for i := range c.Lines {
		l := &c.Lines[i]
		var d strings.Builder
		pen := "M"
		for at, v := range l.Values {
			if c.log && v <= 0 {
				pen = "M"
				continue
			}
			fmt.Fprintf(&d, "%s%.2f %.2f", pen, x(at), 100-y(v))
			if pen == "M" { // alone, it is a dot
				fmt.Fprintf(&d, "L%.2f %.2f", x(at), 100-y(v))
			}
			pen = "L"
		}
		l.Path = template.HTMLAttr(`d="` + d.String() + `"`) //nolint:gosec // of numbers
	}
}

func (c *chart) linearAxis(high float64) func(float64) float64 {
	step := niceStep(max(high, 1e-9), 4)
	top := step * math.Ceil(max(high, 1e-9)/step)
	for at := 0.0; at <= top+step/2; at += step {
		c.Y = append(c.Y, chartTick{100 * at / top, short(at)})
	}
	return func(v float64) float64 { return 100 * v / top }
}

// decadesMax bounds a logarithmic axis: what is faster lies on its bottom.
const decadesMax = 5

func (c *chart) logAxis(low, high float64) func(float64) float64 {
	if math.IsInf(low, 1) {
		low, high = 1, 10
	}
	from, to := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	to = max(to, from+1)
	from = max(from, to-decadesMax)
	for at := from; at <= to; at++ {
		c.Y = append(c.Y, chartTick{100 * (at - from) / (to - from), short(math.Pow(10, at))})
	}
	return func(v float64) float64 { return max(0, 100*(math.Log10(v)-from)/(to-from)) }
}

// niceStep is 1, 2 or 5 times a power of ten, so that about n of them make the span.
func niceStep(span float64, n int) float64 {
	raw := span / float64(n)
	unit := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, f := range []float64{1, 2, 5} {
		if raw <= f*unit {
			return f * unit
		}
	}
	return 10 * unit
}

// short is a number for an axis: 20k, 1.5, 0.01.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 4, 64) + "M"
	case v >= 1e4:
		return strconv.FormatFloat(v/1e3, 'g', 4, 64) + "k"
	default:
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
}
