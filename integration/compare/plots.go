package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/holdfast-sessions/holdfast/integration/chart"
)

// A plot is a chart and the file that it goes to.
type plot struct {
	file, alt string
	chart     chart.Chart
}

// publish writes the report and its plots to dir.
func publish(dir string, all *results) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	pictures := plots(all)
	for _, p := range pictures {
		if err := os.WriteFile(filepath.Join(dir, p.file), []byte(p.chart.SVG()), 0o644); err != nil {
			return err
		}
	}
	var text bytes.Buffer
	if err := writeReport(&text, all, pictures); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "compare.md"), text.Bytes(), 0o644)
}

func plots(all *results) []plot {
	return []plot{
		{"compare-cpu.svg", "Processor time for one request", chart.Chart{
			Title: "Processor time for one request, µs (less is better)", Parts: []string{"app server", "memcached"},
			Panels: byKind(all, func(s sample) (string, []float64) {
				app, store := microseconds(s.app), microseconds(s.store)
				return fmt.Sprintf("%.1f + %.1f", app, store), []float64{app, store}
			}),
		}},
		{"compare-rate.svg", "Requests per second", chart.Chart{
			Title: "Requests per second (more is better)",
			Panels: byKind(all, func(s sample) (string, []float64) {
				return fmt.Sprintf("%.0f", s.rate), []float64{s.rate}
			}),
		}},
		{"compare-latency.svg", "Time to the answer", chart.Chart{
			Title: "Time to the answer under full load, ms (less is better)", Parts: []string{"p50", "p99"},
			Panels: byKind(all, func(s sample) (string, []float64) {
				p50, p99 := milliseconds(s.p50), milliseconds(s.p99)
				return fmt.Sprintf("%.2f, %.1f", p50, p99), []float64{p50, p99 - p50}
			}),
		}},
		{"compare-memory.svg", "Memory for one session", chart.Chart{
			Title: "Memory for one session, bytes (less is better)", Parts: []string{"app server", "memcached"},
			Panels: []chart.Panel{memoryPanel(all)},
		}},
	}
}

// byKind makes a panel for each kind of request.
func byKind(all *results, draw func(sample) (string, []float64)) []chart.Panel {
	var panels []chart.Panel
	for _, k := range kinds() {
		p := chart.Panel{Title: "session " + k.String()}
		for _, r := range all.rows {
			text, parts := draw(r.typical(k))
			p.Bars = append(p.Bars, chart.Bar{Label: r.name, Text: text, Ours: r.ours, Parts: parts})
		}
		panels = append(panels, p)
	}
	return panels
}

func memoryPanel(all *results) chart.Panel {
	p := chart.Panel{Title: fmt.Sprintf("of %d sessions", all.plan.stored)}
	for _, r := range all.rows {
		app, store := max(r.weight.app, 0), r.weight.store
		p.Bars = append(p.Bars, chart.Bar{
			Label: r.name, Ours: r.ours, Parts: []float64{app, store},
			Text: fmt.Sprintf("%.0f + %.0f", app, store),
		})
	}
	return p
}
