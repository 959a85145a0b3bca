package main

import (
	"fmt"
	"html"
	"strings"
)

// A chart is panels of horizontal bars below each other. Each panel has a scale of its
// own.
type chart struct {
	title  string
	parts  []string // what the parts of a bar are; for one part nothing is said
	panels []panel
}

type panel struct {
	title string
	bars  []bar
}

// A bar has one or two parts, end to end.
type bar struct {
	label string
	text  string // the figures, at its end
	ours  bool   // it stands out
	parts []float64
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

// svg draws the chart.
func (c chart) svg() string {
	height := headHeight
	for _, p := range c.panels {
		height += panelSpace + barHeight*len(p.bars)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		chartWidth, height, chartWidth, height, html.EscapeString(c.title))
	b.WriteString(style)
	fmt.Fprintf(&b, `<rect class="back" width="%d" height="%d" rx="6"/>`+"\n", chartWidth, height)
	writeText(&b, 16, 28, "title", "start", c.title)
	c.writeLegend(&b)
	y := headHeight
	for _, p := range c.panels {
		p.write(&b, y)
		y += panelSpace + barHeight*len(p.bars)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (c chart) writeLegend(b *strings.Builder) {
	if len(c.parts) < 2 {
		return
	}
	for i, name := range c.parts {
		x := 16 + i*150
		fmt.Fprintf(b, `<rect class="ours%d" x="%d" y="41" width="12" height="12"/><rect class="peer%d" x="%d" y="41" width="12" height="12"/>`+"\n", i, x, i, x+14)
		writeText(b, x+32, 51, "", "start", name)
	}
}

// write draws the panel below y.
func (p panel) write(b *strings.Builder, y int) {
	writeText(b, 16, y+22, "panel", "start", p.title)
	top := y + 32
	scale := p.scale()
	for i, bar := range p.bars {
		bar.write(b, top+i*barHeight, scale)
	}
	fmt.Fprintf(b, `<line class="axis" x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n", labelWidth, top, labelWidth, top+barHeight*len(p.bars))
}

// scale is the width of one unit.
func (p panel) scale() float64 {
	most := 0.0
	for _, bar := range p.bars {
		sum := 0.0
		for _, part := range bar.parts {
			sum += max(part, 0)
		}
		most = max(most, sum)
	}
	if most == 0 {
		return 0
	}
	return barsWidth / most
}

func (r bar) write(b *strings.Builder, y int, scale float64) {
	class, label := "peer", ""
	if r.ours {
		class, label = "ours", "ours-label"
	}
	writeText(b, labelWidth-8, y+14, label, "end", r.label)
	x := float64(labelWidth)
	for i, part := range r.parts {
		width := max(part, 0) * scale
		fmt.Fprintf(b, `<rect class="%s%d" x="%.1f" y="%d" width="%.1f" height="%d"/>`+"\n", class, i, x, y+3, width, barHeight-6)
		x += width
	}
	writeText(b, int(x)+6, y+14, "", "start", r.text)
}

func writeText(b *strings.Builder, x, y int, class, anchor, text string) {
	fmt.Fprintf(b, `<text class="%s" x="%d" y="%d" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor, html.EscapeString(text))
}
