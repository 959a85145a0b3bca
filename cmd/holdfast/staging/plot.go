package staging

import (
	"fmt"
	"math"
	"strings"
)

// A plot is a report over time as the page draws it: panels one below the other, with
// bands where something had failed.
type plot struct {
	Width, Height, Left, Right, Foot float64
	Panels                           []panel
	Bands                            []band
	Ticks                            []tick // of time

	seconds float64
}

// A panel has one scale.
type panel struct {
	Title       string
	Top, Bottom float64
	Ticks       []tick
	Bars        []bar
	Lines       []curve
}

type (
	tick struct {
		At   float64
		Text string
	}
	bar struct {
		X, Y, Width, Height float64
		Class               string
	}
	curve struct{ Points, Class string }
	band  struct {
		X, Struck, Mended, Middle float64 // widths: until it was mended, and from then until all was as before
		Number                    int
		Shown                     bool // there is room for the number
		What                      string
	}
)

const (
	plotHead    = 26
	panelHeight = 92
	panelGap    = 34
	numberRoom  = 15
)

// newPlot is width units wide.
func (r *Report) newPlot(width float64) *plot {
	p := &plot{Width: width, Left: 44, Right: width - 8, seconds: r.Seconds}
	for _, m := range r.Moments {
		p.seconds = max(p.seconds, m.At+m.Width)
	}
	p.Panels = []panel{p.accepted(r.Moments), p.others(r.Moments), p.latencies(r.Moments)}
	p.Foot = p.Panels[len(p.Panels)-1].Bottom
	p.Height = p.Foot + 34
	p.bands(r.Faults)
	for _, at := range steps(p.seconds, width/80) {
		p.Ticks = append(p.Ticks, tick{p.x(at), fmt.Sprintf("%g s", at)})
	}
	return p
}

func (p *plot) x(second float64) float64 {
	return tenth(p.Left + (p.Right-p.Left)*second/max(1, p.seconds))
}

// tenth keeps the page small.
func tenth(x float64) float64 { return math.Round(x*10) / 10 }

// panel is an empty one at a place.
func (p *plot) panel(place int, title string) panel {
	top := float64(plotHead + panelGap/2 + place*(panelHeight+panelGap))
	return panel{Title: title, Top: top, Bottom: top + panelHeight}
}

func (p *plot) accepted(all []Moment) panel {
	return p.stacked(p.panel(0, "accepted, a second"), all, []string{"accepted"}, func(m Moment) []int { return []int{m.Accepted} })
}

func (p *plot) others(all []Moment) panel {
	return p.stacked(p.panel(1, "refused and unknown, a second"), all, []string{"refused", "unknown"}, func(m Moment) []int { return []int{m.Refused, m.Unknown} })
}

// stacked draws counts of each moment upon each other.
func (p *plot) stacked(in panel, all []Moment, classes []string, counts func(Moment) []int) panel {
	most := 1.0
	for _, m := range all {
		sum := 0
		for _, n := range counts(m) {
			sum += n
		}
		most = max(most, float64(sum)/m.Width)
	}
	height := func(n float64) float64 { return panelHeight * n / most }
	for _, m := range all {
		y := in.Bottom
		for i, n := range counts(m) {
			h := height(float64(n) / m.Width)
			y -= h
			if n > 0 {
				in.Bars = append(in.Bars, bar{p.x(m.At), tenth(y), tenth(max(1, p.x(m.At+m.Width)-p.x(m.At)-1)), tenth(h), classes[i]})
			}
		}
	}
	for _, n := range steps(most, 3) {
		in.Ticks = append(in.Ticks, tick{tenth(in.Bottom - height(n)), fmt.Sprintf("%g", n)})
	}
	return in
}

const leastLatency, mostLatency = 0.1, 20_000.0 // ms

// latencies are on a logarithmic scale.
func (p *plot) latencies(all []Moment) panel {
	in := p.panel(2, "latency of half of all, and of 99 %")
	least, most := mostLatency, leastLatency
	for _, m := range all {
		if m.all() > 0 {
			least, most = min(least, m.P50), max(most, m.P99)
		}
	}
	low, high := math.Floor(math.Log10(max(least, leastLatency))), math.Ceil(math.Log10(max(most, 1)))
	y := func(ms float64) float64 {
		return tenth(in.Bottom - panelHeight*(math.Log10(max(ms, leastLatency))-low)/max(1, high-low))
	}
	for decade := low; decade <= high; decade++ {
		in.Ticks = append(in.Ticks, tick{y(math.Pow(10, decade)), latencyText(math.Pow(10, decade))})
	}
	in.Lines = []curve{
		{p.points(all, func(m Moment) float64 { return y(m.P99) }), "p99"},
		{p.points(all, func(m Moment) float64 { return y(m.P50) }), "p50"},
	}
	return in
}

func latencyText(ms float64) string {
	if ms >= 1000 {
		return fmt.Sprintf("%g s", ms/1000)
	}
	return fmt.Sprintf("%g ms", ms)
}

func (p *plot) points(all []Moment, y func(Moment) float64) string {
	var text strings.Builder
	for _, m := range all {
		if m.all() > 0 {
			fmt.Fprintf(&text, "%g,%g ", p.x(m.At+m.Width/2), y(m))
		}
	}
	return strings.TrimSpace(text.String())
}

func (p *plot) bands(faults []*Fault) {
	free := 0.0
	for i, f := range faults {
		b := band{X: p.x(f.At), Number: i + 1, What: f.What}
		b.Struck = tenth(max(1.5, p.x(f.At+f.Lasted)-b.X))
		b.Mended = tenth(max(0, p.x(f.At+f.Repaired)-b.X-b.Struck))
		b.Middle = tenth(b.X + b.Struck/2)
		if b.Shown = b.Middle >= free; b.Shown {
			free = b.Middle + numberRoom
		}
		p.Bands = append(p.Bands, b)
	}
}

// AfterX is where the fault was mended.
func (b band) AfterX() float64 { return tenth(b.X + b.Struck) }

// steps are round numbers from 0 to most, about as many as wanted.
func steps(most, wanted float64) (all []float64) {
	raw := most / max(1, wanted)
	power := math.Pow(10, math.Floor(math.Log10(max(raw, 1))))
	step := power
	for _, factor := range []float64{1, 2, 5, 10} {
		if step = power * factor; step >= raw {
			break
		}
	}
	for n := 0.0; n <= most; n += step {
		all = append(all, n)
	}
	return all
}
