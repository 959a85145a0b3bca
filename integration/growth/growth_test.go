package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// TestMain lets the test binary be the points, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == pointRole {
		measure.Exit("growth", servePoint(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func TestEveryQuantityGrowsAlone(t *testing.T) {
	most := 1_000_000
	ends := map[string]int{
		"sessions": most, "sticky": most, "attributes": 1000, "size": 900_000,
		"nodes": 64, "nodes32": 64, "copies": 3, "clients": 1024,
	}
	for _, q := range quantities(most) {
		if last := q.values[len(q.values)-1]; last != ends[q.file] {
			t.Errorf("%s: ends with %d, want %d", q.name, last, ends[q.file])
		}
		for _, v := range q.values {
			c := q.at(v)
			if c.Sessions < c.Clients || c.Copies > c.Nodes || c.Sessions*c.Size > 2*memory {
				t.Errorf("%s %d: cannot be: %s", q.name, v, c)
			}
		}
	}
	if got := len(quantities(10_000)[0].values); got != 2 {
		t.Errorf("%d points with at most 10,000 sessions, want 2", got)
	}
}

// TestAPointMeasuresRequests: the sizes and counts of its config show in what its
// requests take.
func TestAPointMeasuresRequests(t *testing.T) {
	measure.NeedMemcached(t)
	q := quantity{
		name: "size", file: "size", label: kilobytes, values: []int{100, 400_000},
		set: func(c *config, v int) { c.Size, c.Sessions, c.Clients, c.Sticky = v, 4, 2, false },
	}
	c, err := measureOne(t.Context(), plan{rounds: 1, slice: 30 * time.Millisecond}, q)
	if err != nil {
		t.Fatal(err)
	}
	small, large := c.points[0].samples["/change"][0], c.points[1].samples["/change"][0]
	if small.App <= 0 || small.Allocs < 5 || large.App < 2*small.App {
		t.Errorf("a change of a session of 100 bytes took %+v, of one of 400 KB %+v", small, large)
	}
}

func TestAPointThatCannotBeTellsWhy(t *testing.T) {
	measure.NeedMemcached(t)
	c := usual()
	c.Nodes, c.Copies = 1, 2
	if p, err := startPoint(t.Context(), c); err == nil || !strings.Contains(err.Error(), "2 copies on 1 nodes") {
		t.Errorf("got %v, %v", p, err)
	}
}

func TestTheReportAndItsPlots(t *testing.T) {
	q := quantities(10_000)[0]
	c := curve{quantity: q}
	for i, v := range q.values {
		s := func(n int) measure.Sample {
			d := time.Duration(n*(i+1)) * time.Microsecond
			return measure.Sample{App: d, Store: d / 2, Allocs: float64(n)}
		}
		c.points = append(c.points, &point{value: v, samples: map[string][]measure.Sample{
			"/read": {s(10), s(90), s(20)}, "/change": {s(40)},
		}})
	}
	dir := t.TempDir()
	if err := publish(dir, "a machine", brief, []curve{c}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "growth.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"a machine; medians of 3 rounds",
		"| 1,000 | 20.0 | 10.0 | 20 | 40.0 | 20.0 | 40 |\n", "| 10,000 | 40.0 | 20.0 | 20 | 80.0 | 40.0 | 40 |\n",
		"From 1,000 to 10,000: read 2.00 times the app server's time", "at most 1.3 times", "![Sessions](growth-sessions.svg)",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	svg, err := os.ReadFile(filepath.Join(dir, "growth-sessions.svg"))
	if err != nil || !strings.Contains(string(svg), "40.0 + 20.0") || !strings.Contains(string(svg), ">10,000<") {
		t.Errorf("the plot is %s, %v", svg, err)
	}
}

func TestNumbersAreReadable(t *testing.T) {
	for v, want := range map[int]string{7: "7", 999: "999", 1000: "1,000", 12_034: "12,034", 1_000_000: "1,000,000"} {
		if got := thousands(v); got != want {
			t.Errorf("%d is written %s, want %s", v, got, want)
		}
	}
	if got := kilobytes(500); got != "0.5 KB" {
		t.Errorf("500 bytes are %s", got)
	}
}

func TestNothingIsMeasuredAfterAFailure(t *testing.T) {
	measure.NeedMemcached(t)
	q := quantity{name: "copies", values: []int{2}, label: thousands, set: func(c *config, v int) { c.Nodes, c.Copies = 1, v }}
	if _, err := measureAll(t.Context(), brief, []quantity{q}, io.Discard); err == nil || !strings.HasPrefix(err.Error(), "copies: ") {
		t.Errorf("got %v", err)
	}
}
