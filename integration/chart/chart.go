// Package chart draws bars as SVG pictures.
package chart

import (
	"fmt"
	"html"
	"strings"
)

// A Chart is panels of horizontal bars below each other. Each panel has a scale of its
// own.
type Chart struct {
	Title  string
	Parts  []string // what the parts of a bar are; for one part nothing is said
	Panels []Panel
}

// A Panel is a title and the bars below it.
type Panel struct {
	Title string
	Bars  []Bar
}

// A Bar has one or two parts, end to end.
type Bar struct {
	Label string
	Text  string // the figures, at its end
	Ours  bool   // it stands out
	Parts []float64
}

const (
	chartWidth = 760
	labelWidth = 210
	textWidth  = 130
	barsWidth  = chartWidth - labelWidth - textWidth
	barHeight  = 20
	headHeight = 64
	panelSpace = 44 // with the panel's title
)

// style has its own background, for pages whose colours the picture cannot know.
const style = `<style>
text{font:12px system-ui,sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.panel{font-size:13px;font-weight:600}.ours-label{font-weight:600}
.back{fill:#ffffff}.axis{stroke:#8c959f}
.ours0{fill:#0a66c2}.ours1{fill:#79b8ff}.peer0{fill:#6e7781}.peer1{fill:#c4cad1}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.back{fill:#0d1117}.axis{stroke:#6e7681}
.ours0{fill:#4c9bf5}.ours1{fill:#1f4f8a}.peer0{fill:#8b949e}.peer1{fill:#444c56}}
</style>
`

// SVG draws the chart.
func (c Chart) SVG() string {
	height := headHeight
	for _, p := range c.Panels {
		height += panelSpace + barHeight*len(p.Bars)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		chartWidth, height, chartWidth, height, html.EscapeString(c.Title))
	b.WriteString(style)
	fmt.Fprintf(&b, `<rect class="back" width="%d" height="%d" rx="6"/>`+"\n", chartWidth, height)
	writeText(&b, 16, 28, "title", "start", c.Title)
	c.writeLegend(&b)
	y := headHeight
	for _, p := range c.Panels {
		p.write(&b, y)
		y += panelSpace + barHeight*len(p.Bars)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (c Chart) writeLegend(b *strings.Builder) {
	if len(c.Parts) < 2 {
		return
	}
	for i, name := range c.Parts {
		x := 16 + i*150
		fmt.Fprintf(b, `<rect class="ours%d" x="%d" y="41" width="12" height="12"/><rect class="peer%d" x="%d" y="41" width="12" height="12"/>`+"\n", i, x, i, x+14)
		writeText(b, x+32, 51, "", "start", name)
	}
}

// write draws the panel below y.
func (p Panel) write(b *strings.Builder, y int) {
	writeText(b, 16, y+22, "panel", "start", p.Title)
	top := y + 32
	scale := p.scale()
	for i, bar := range p.Bars {
		bar.write(b, top+i*barHeight, scale)
	}
	fmt.Fprintf(b, `<line class="axis" x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n", labelWidth, top, labelWidth, top+barHeight*len(p.Bars))
}

// scale is the width of one unit.
func (p Panel) scale() float64 {
	most := 0.0
	for _, bar := range p.Bars {
		sum := 0.0
		for _, part := range bar.Parts {
			sum += max(part, 0)
		}
		most = max(most, sum)
	}
	if most == 0 {
		return 0
	}
	return barsWidth / most
}

func (r Bar) write(b *strings.Builder, y int, scale float64) {
	class, label := "peer", ""
	if r.Ours {
		class, label = "ours", "ours-label"
	}
	writeText(b, labelWidth-8, y+14, label, "end", r.Label)
	x := float64(labelWidth)
	for i, part := range r.Parts {
		width := max(part, 0) * scale
		fmt.Fprintf(b, `<rect class="%s%d" x="%.1f" y="%d" width="%.1f" height="%d"/>`+"\n", class, i, x, y+3, width, barHeight-6)
		x += width
	}
	writeText(b, int(x)+6, y+14, "", "start", r.Text)
}

func writeText(b *strings.Builder, x, y int, class, anchor, text string) {
	fmt.Fprintf(b, `<text class="%s" x="%d" y="%d" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor, html.EscapeString(text))
}
