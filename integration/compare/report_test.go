package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// example has figures by which each can be told from each.
func example() *results {
	all := &results{plan: brief, took: 90 * time.Second, memcached: "1.6.18", busy: "7.50, 8, 9"}
	for i, c := range contestants() {
		r := newResult(c)
		for _, k := range kinds() {
			n := 100*(i+1) + 10*int(k)
			for _, round := range []int{2, 9, 1} { // the median is the first
				us := time.Duration(n+round) * time.Microsecond
				r.samples[k] = append(r.samples[k], sample{
					rate: float64(n + round), p50: 10 * us, p99: 1000 * us, app: us, store: us / 2, allocs: float64(n + round),
				})
			}
			r.costs[k] = cost{waits: i, commands: 2 * i}
		}
		r.weight = weight{app: float64(i), store: float64(1000 * i)}
		r.parallel, r.appDeath = share{i, 400}, share{512, 512}
		all.rows = append(all.rows, r)
	}
	return all
}

func report(t *testing.T, all *results) string {
	t.Helper()
	var b strings.Builder
	if err := writeReport(&b, all, plots(all)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheReportHasEveryFigure(t *testing.T) {
	text := report(t, example())
	for _, want := range []string{
		"| scs, memcached | 212 | 2.12 | 212.0 | 212.0 | 106.0 | 212 | 1 / 2 |\n", // read: the median of 202+10
		"| Holdfast, two copies | 922 | 9.22 | 922.0 | 922.0 | 461.0 | 922 | 8 / 16 |\n",
		"| Holdfast, sticky, sync | 6 | 6000 |\n",
		"| scs, memory | 3 of 400 | 0 | 512 of 512 | – |\n",
		"memcached 1.6.18", "3 rounds of 450ms", "were 7.50, 8, 9:", "32 connections",
		"![Requests per second](compare-rate.svg)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	for _, c := range contestants() {
		if got := strings.Count(text, "| "+c.name+" |"); got < len(kinds())+2 {
			t.Errorf("%s is in %d tables", c.name, got)
		}
		if !strings.Contains(text, "| "+c.name+" | "+c.loses+" |") {
			t.Errorf("the report does not tell what %s gives up", c.name)
		}
	}
}

func TestTheReportTellsWhatSpoilsIt(t *testing.T) {
	all := example()
	all.rows[1].wrong, all.rows[1].requests, all.rows[1].example = 3, 1000, errors.New("out of luck")
	all.rows[2].evictions = 17
	text := report(t, all)
	for _, want := range []string{"scs, memcached gave 3 wrong answers** to 1000 requests, such as: out of luck", "memcached evicted 17 items"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

func TestTablesHaveAsManyCellsAsTheirHeads(t *testing.T) {
	cells := 0
	for line := range strings.Lines(report(t, example())) {
		switch n := strings.Count(line, "|"); {
		case n == 0:
			cells = 0
		case cells == 0:
			cells = n
		case cells != n:
			t.Errorf("%d instead of %d cells: %s", n, cells, line)
		}
	}
}

func TestPublishWritesWhatTheReportShows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	all := example()
	if err := publish(dir, all); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "compare.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plots(all) {
		if !strings.Contains(string(text), "("+p.file+")") {
			t.Errorf("compare.md does not show %s", p.file)
		}
		picture, err := os.ReadFile(filepath.Join(dir, p.file))
		if err != nil || !strings.HasPrefix(string(picture), "<svg") {
			t.Errorf("%s: %.20q, %v", p.file, picture, err)
		}
	}
}

func TestEveryContestantIsInEveryPlot(t *testing.T) {
	for _, p := range plots(example()) {
		svg := p.chart.SVG()
		for _, c := range contestants() {
			if got, want := strings.Count(svg, ">"+c.name+"<"), len(p.chart.Panels); got != want {
				t.Errorf("%s: %s stands %d times, want %d", p.file, c.name, got, want)
			}
		}
	}
}

func TestTheMiddleIsTaken(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{5, 4, 1, 2, 3}, 3}} {
		var all []sample
		for _, v := range c.values {
			all = append(all, sample{rate: v})
		}
		if got := median(all, func(s sample) float64 { return s.rate }); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.values, got, c.want)
		}
	}
}

func TestPercentiles(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	for p, want := range map[int]time.Duration{0: 1, 50: 50, 99: 99, 100: 100} {
		if got := percentile(hundred, p); got != want {
			t.Errorf("p%d is %d, want %d", p, got, want)
		}
	}
	if got := fmt.Sprint(percentile(hundred[:1], 99)); got != "1ns" {
		t.Errorf("p99 of one is %s", got)
	}
}
