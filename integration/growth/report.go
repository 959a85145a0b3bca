package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/holdfast-sessions/holdfast/integration/chart"
	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// publish writes the report and its plots to dir.
func publish(dir, machine string, p plan, curves []curve) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range curves {
		if err := os.WriteFile(filepath.Join(dir, c.picture()), []byte(c.chart().SVG()), 0o644); err != nil {
			return err
		}
	}
	var text bytes.Buffer
	if err := writeReport(&text, machine, p, curves); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "growth.md"), text.Bytes(), 0o644)
}

func (c curve) picture() string { return "growth-" + c.file + ".svg" }

func (c curve) chart() chart.Chart {
	picture := chart.Chart{Title: "Processor time for one request by " + c.name + ", µs", Parts: []string{"app server", "memcached"}}
	for _, path := range paths {
		panel := chart.Panel{Title: path[1:]}
		for _, p := range c.points {
			s := measure.Typical(p.samples[path])
			app, store := measure.Microseconds(s.App), measure.Microseconds(s.Store)
			panel.Bars = append(panel.Bars, chart.Bar{
				Label: c.label(p.value), Text: fmt.Sprintf("%.1f + %.1f", app, store), Ours: true, Parts: []float64{app, store},
			})
		}
		picture.Panels = append(picture.Panels, panel)
	}
	return picture
}

func writeReport(w io.Writer, machine string, p plan, curves []curve) error {
	var b strings.Builder
	u := usual()
	fmt.Fprintf(&b, `# How cost grows

%s; medians of %d rounds of %s for each point and kind of request. Made by
`+"`go run ./integration/growth -out docs`"+`: requests without a network before them, over real memcached, each point a
process of its own. A point has what is usual but for what grows: %s sessions of %d attributes and %d bytes on %d
nodes in %d copies, non-sticky, %d clients. A change is an increment of one attribute, a read looks at it. app and
store are the processor time of one request, of the server and of all memcached together.

`, machine, p.rounds, p.slice,
		thousands(u.Sessions), u.Attributes, u.Size, u.Nodes, u.Copies, u.Clients)
	for _, c := range curves {
		c.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c curve) write(b *strings.Builder) {
	title := strings.ToUpper(c.name[:1]) + c.name[1:]
	fmt.Fprintf(b, "## %s\n\n![%s](%s)\n\n", title, title, c.picture())
	fmt.Fprintf(b, "| %s | read: app µs | store µs | allocations | change: app µs | store µs | allocations |\n", c.name)
	b.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, p := range c.points {
		fmt.Fprintf(b, "| %s |", c.label(p.value))
		for _, path := range paths {
			s := measure.Typical(p.samples[path])
			fmt.Fprintf(b, " %.1f | %.1f | %.0f |", measure.Microseconds(s.App), measure.Microseconds(s.Store), s.Allocs)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	if c.note != "" {
		b.WriteString(c.note + "\n\n")
	}
	fmt.Fprintf(b, "From %s to %s: %s.", c.label(c.values[0]), c.label(c.values[len(c.values)-1]), c.rise())
	if c.flat {
		b.WriteString(" It should be at most 1.3 times.")
	}
	b.WriteString("\n\n")
}

// rise tells what the last point takes for what the first takes.
func (c curve) rise() string {
	var all []string
	for _, path := range paths {
		first, last := measure.Typical(c.points[0].samples[path]), measure.Typical(c.points[len(c.points)-1].samples[path])
		all = append(all, fmt.Sprintf("%s %.2f times the app server's time, %.2f times the nodes', %.2f times the allocations", path[1:],
			float64(last.App)/float64(max(first.App, 1)), float64(last.Store)/float64(max(first.Store, 1)), last.Allocs/max(first.Allocs, 1)))
	}
	return strings.Join(all, "; ")
}
