package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// writeReport writes everything as Markdown, with a picture above each of the tables
// that has one.
func writeReport(w io.Writer, all *results, pictures []plot) error {
	var b strings.Builder
	writeHead(&b, all)
	for _, p := range pictures {
		fmt.Fprintf(&b, "![%s](%s)\n\n", p.alt, p.file)
	}
	for _, k := range kinds() {
		writeSpeed(&b, all, k)
	}
	writeMemory(&b, all)
	writeKeeping(&b, all)
	writeNotes(&b, all)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeHead(b *strings.Builder, all *results) {
	fmt.Fprintf(b, "# Session managers side by side\n\n")
	fmt.Fprintf(b, "%s, %s/%s, %d processors, memcached %s. %d connections with one request at a time each; "+
		"a session is a user's name, a number and a text, %d bytes in all. "+
		"All contestants in one run of %s, in turns: %d rounds of %s for each kind of request; the figures are medians.\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), all.memcached, all.plan.connections,
		textSize+len("u0000001")+len("1234567890"), all.took.Round(time.Second), all.plan.rounds, all.plan.slice)
	if all.busy != "" {
		fmt.Fprintf(b, "The machine's load averages before were %s: above 0.5 it had other work to do, "+
			"and the figures, requests/s, p50 and p99 most of all, are worse than they could be.\n\n", all.busy)
	}
}

func writeSpeed(b *strings.Builder, all *results, k kind) {
	fmt.Fprintf(b, "## Session %s\n\n", k)
	b.WriteString("| | requests/s | p50 ms | p99 ms | app µs | store µs | allocations | waits / commands |\n")
	b.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, r := range all.rows {
		s, c := r.typical(k), r.costs[k]
		fmt.Fprintf(b, "| %s | %.0f | %.2f | %.1f | %.1f | %.1f | %.0f | %d / %d |\n", r.name,
			s.rate, milliseconds(s.p50), milliseconds(s.p99), microseconds(s.app), microseconds(s.store), s.allocs, c.waits, c.commands)
	}
	b.WriteString("\n")
}

func writeMemory(b *strings.Builder, all *results) {
	fmt.Fprintf(b, "## Memory for one session\n\nOf %d sessions.\n\n", all.plan.stored)
	b.WriteString("| | app, bytes of heap | store, bytes of items |\n| --- | ---: | ---: |\n")
	for _, r := range all.rows {
		fmt.Fprintf(b, "| %s | %.0f | %.0f |\n", r.name, max(r.weight.app, 0), r.weight.store)
	}
	b.WriteString("\n")
}

func writeKeeping(b *strings.Builder, all *results) {
	b.WriteString("## What is kept\n\n")
	b.WriteString("| | of parallel changes of one session that were accepted | refused | of sessions, when the app server is killed | and then one memcached |\n")
	b.WriteString("| --- | ---: | ---: | ---: | ---: |\n")
	for _, r := range all.rows {
		if r.name == bare {
			continue
		}
		fmt.Fprintf(b, "| %s | %s | %d | %s | %s |\n", r.name, r.parallel, r.refused, r.appDeath, r.nodeDeath)
	}
	b.WriteString("\n")
}

// String is "–" where there was nothing to lose.
func (s share) String() string {
	if s.of == 0 {
		return "–"
	}
	return fmt.Sprintf("%d of %d", s.kept, s.of)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
