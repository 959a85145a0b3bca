package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// A plot is a chart and the file that it goes to.
type plot struct {
	file, alt string
	chart     chart
}

// publish writes the report and its plots to dir.
func publish(dir string, all *results) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	pictures := plots(all)
	for _, p := range pictures {
		if err := os.WriteFile(filepath.Join(dir, p.file), []byte(p.chart.svg()), 0o644); err != nil {
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
		{"compare-cpu.svg", "Processor time for one request", chart{
			title: "Processor time for one request, µs (less is better)", parts: []string{"app server", "memcached"},
			panels: byKind(all, func(s sample) (string, []float64) {
				app, store := microseconds(s.app), microseconds(s.store)
				return fmt.Sprintf("%.1f + %.1f", app, store), []float64{app, store}
			}),
		}},
		{"compare-rate.svg", "Requests per second", chart{
			title: "Requests per second (more is better)",
			panels: byKind(all, func(s sample) (string, []float64) {
				return fmt.Sprintf("%.0f", s.rate), []float64{s.rate}
			}),
		}},
		{"compare-latency.svg", "Time to the answer", chart{
			title: "Time to the answer under full load, ms (less is better)", parts: []string{"p50", "p99"},
			panels: byKind(all, func(s sample) (string, []float64) {
				p50, p99 := milliseconds(s.p50), milliseconds(s.p99)
				return fmt.Sprintf("%.2f, %.1f", p50, p99), []float64{p50, p99 - p50}
			}),
		}},
		{"compare-memory.svg", "Memory for one session", chart{
			title: "Memory for one session, bytes (less is better)", parts: []string{"app server", "memcached"},
			panels: []panel{memoryPanel(all)},
		}},
	}
}

// byKind makes a panel for each kind of request.
func byKind(all *results, draw func(sample) (string, []float64)) []panel {
	var panels []panel
	for _, k := range kinds() {
		p := panel{title: "session " + k.String()}
		for _, r := range all.rows {
			text, parts := draw(r.typical(k))
			p.bars = append(p.bars, bar{label: r.name, text: text, ours: r.ours, parts: parts})
		}
		panels = append(panels, p)
	}
	return panels
}

func memoryPanel(all *results) panel {
	p := panel{title: fmt.Sprintf("of %d sessions", all.plan.stored)}
	for _, r := range all.rows {
		app, store := max(r.weight.app, 0), r.weight.store
		p.bars = append(p.bars, bar{
			label: r.name, ours: r.ours, parts: []float64{app, store},
			text: fmt.Sprintf("%.0f + %.0f", app, store),
		})
	}
	return p
}
