package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// writeReport writes a table for each number of clients and each way in.
func writeReport(w io.Writer, machine string, rows []*row) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; medians of %d rounds.\n", machine, len(rows[0].ours))
	title := ""
	for _, r := range rows {
		if t := r.title(); t != title {
			title = t
			fmt.Fprintf(&b, "\n%s:\n\n", title)
			b.WriteString("| request | bare µs | floor µs | ours µs | times: median, all rounds | nodes: floor, ours µs | allocations: bare, ours | p50: floor, ours µs |\n")
			b.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
		}
		r.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *row) title() string {
	way := "in process"
	if r.overHTTP {
		way = "over HTTP"
	}
	if r.clients == 1 {
		return "One client, " + way
	}
	return fmt.Sprintf("%d clients, %s", r.clients, way)
}

func (r *row) write(b *strings.Builder) {
	bare, floor, ours := measure.Typical(r.bare), measure.Typical(r.floor), measure.Typical(r.ours)
	fmt.Fprintf(b, "| %s | %.1f | %.1f | %.1f | %s | %.1f, %.1f | %.0f, %.0f | %.0f, %.0f |\n", r.name,
		measure.Microseconds(bare.App), measure.Microseconds(floor.App), measure.Microseconds(ours.App), quotients(r.times()),
		measure.Microseconds(floor.Store), measure.Microseconds(ours.Store), bare.Allocs, ours.Allocs, measure.Microseconds(floor.P50), measure.Microseconds(ours.P50))
}

// quotients are their median and, of several, the smallest and the largest.
func quotients(sorted []float64) string {
	median := measure.Median(sorted)
	if len(sorted) < 2 {
		return fmt.Sprintf("%.2f", median)
	}
	return fmt.Sprintf("%.2f, %.2f to %.2f", median, sorted[0], sorted[len(sorted)-1])
}
