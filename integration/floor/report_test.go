package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

func TestTheReportTellsTheMedianOfTheRounds(t *testing.T) {
	us := func(n int) measure.Sample {
		d := time.Duration(n) * time.Microsecond
		return measure.Sample{App: d, Store: 2 * d, P50: 3 * d, Allocs: float64(n)}
	}
	r := &row{
		operation: operations()[3], clients: 32, overHTTP: true,
		bare:  []measure.Sample{us(1), us(3), us(2)},
		floor: []measure.Sample{us(10), us(20), us(40)},
		ours:  []measure.Sample{us(25), us(30), us(44)}, // 2.5, 1.5 and 1.1 times
	}
	var text strings.Builder
	if err := writeReport(&text, "a machine", []*row{r}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a machine; medians of 3 rounds", "32 clients, over HTTP:", "| two copies: change | 2.0 | 20.0 | 30.0 | 1.50, 1.10 to 2.50 | 40.0, 60.0 | 2, 30 | 60, 90 |\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, text.String())
		}
	}
}

const traces = `File: floor
Type: cpu
Duration: 2s, Total samples = 30000000ns
-----------+-------------------------------------------------------
10000000ns   runtime.lock2
             runtime.lock (inline)
             runtime.mcall
-----------+-------------------------------------------------------
20000000ns   runtime.mallocgc
             github.com/holdfast-sessions/holdfast/record.(*Record).Clone
             github.com/holdfast-sessions/holdfast.(*Session).commitGated
-----------+-------------------------------------------------------
`

func TestStacksAreReadFromWhatPprofPrints(t *testing.T) {
	costs, err := parseTraces([]byte(traces))
	if err != nil {
		t.Fatal(err)
	}
	if len(costs) != 2 || costs[0].amount != 10_000 || costs[1].amount != 20_000 ||
		!slices.Equal(costs[0].stack, []string{"runtime.lock2", "runtime.lock", "runtime.mcall"}) {
		t.Errorf("got %+v", costs)
	}
	if _, err := parseTraces([]byte("File: floor\n")); err == nil {
		t.Error("nothing is taken for a profile")
	}
}

func TestStationOfAStack(t *testing.T) {
	const root, module = "github.com/holdfast-sessions/holdfast.", "github.com/holdfast-sessions/holdfast/"
	where := newStations()
	for want, stack := range map[string][]string{
		"middleware: session":         {"runtime.mallocgc", root + "(*Manager).serve", "main.page.func1"},
		"load: parse":                 {module + "record.(*decoder).uvarint", module + "record.(*Codec).Parse", module + "placement.(*op).getFrom"},
		"load: system calls":          {"syscall.write", "net.(*conn).Write", module + "store/memcachedstore.(*conn).submit", root + "(*Session).fetch", root + "Key[int].Update"},
		"commit: clone":               {"runtime.mallocgc", module + "record.(*Record).Clone", root + "(*Session).commitGated", root + "(*response).Write"},
		"commit: client":              {module + "store/memcachedstore.(*conn).submit", module + "placement.(*op).putTo"},
		"handler: session":            {root + "Key[go.shape.int].Update", "main.change", root + "(*Manager).serve"},
		"header: session":             {root + "(*response).WriteString", root + "(*Manager).serve"},
		"client's own goroutines":     {"internal/poll.(*FD).Read", module + "store/memcachedstore.(*conn).reader"},
		"bare handler":                {"net/http.(*ServeMux).ServeHTTP", "main.page.func1"},
		"collector":                   {"runtime.scanObject", "runtime.gcBgMarkWorker"},
		"scheduler":                   {"runtime.futex", "runtime.schedule", "runtime.mcall"},
		"commit: contexts, deadlines": {"time.AfterFunc", module + "deadline.(*Context).watch", module + "placement.(*op).putTo"},
	} {
		if got := where.of(stack); got != want {
			t.Errorf("%q: got %q, want %q", stack, got, want)
		}
	}
}

func TestATollTableHasASum(t *testing.T) {
	columns := []map[string]toll{{"commit: client": {1, 2}, "middleware": {3, 4}, "nothing": {0.01, 0.01}}}
	got := tollTable("station", []int{1}, columns, inTravelOrder)
	want := "| station | clients 1: µs | allocations |\n| --- | ---: | ---: |\n" +
		"| middleware | 3.0 | 4.0 |\n| commit: client | 1.0 | 2.0 |\n| all | 4.0 | 6.0 |\n"
	if got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	if s := sum(maps.Values(columns[0])); s.microseconds != 4.01 {
		t.Errorf("the sum is %v", s)
	}
}
