package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// drillKeys are what every object of figures has; scripts read them.
var drillKeys = []string{
	"requests", "failed", "lost_sessions", "lost_updates", "unsent_lost", "resurrected", "faults", "in_flight_at_fault",
	"takeovers", "relocations", "conflicts_replayed", "p50_ms", "p99_ms", "max_ms",
}

// drillFigures waits for the end of a drill and returns the object in its last line.
func drillFigures(t *testing.T, r *running, code int) map[string]any {
	t.Helper()
	r.wantEnd(code)
	lines := strings.Split(strings.TrimSuffix(r.stdout.String(), "\n"), "\n")
	last := lines[len(lines)-1]
	var got map[string]any
	if err := json.Unmarshal([]byte(last), &got); err != nil {
		t.Fatalf("last line %q: %v", last, err)
	}
	modes, _ := got["modes"].(map[string]any)
	mode, _ := modes["non_sticky"].(map[string]any)
	for _, figures := range []map[string]any{got, mode} {
		for _, key := range drillKeys {
			if _, ok := figures[key].(float64); !ok {
				t.Errorf("%s: got %v in %s, want a number", key, figures[key], last)
			}
		}
	}
	return got
}

func TestDrillKeepsItsPromises(t *testing.T) {
	got := drillFigures(t, start(t, "demo", "--drill", "--seconds=3"), exitOK)
	for _, key := range drillKeys {
		wantNone := slices.Contains([]string{"lost_sessions", "lost_updates", "unsent_lost", "resurrected", "takeovers"}, key)
		if key != "failed" && (got[key] == 0.0) != wantNone {
			t.Errorf("%s: got %v", key, got[key])
		}
	}
}

// The control: what finds nothing here would find nothing ever.
func TestDrillFindsTheSessionsThatOneCopyLoses(t *testing.T) {
	r := start(t, "demo", "--drill", "--seconds=1", "--copies=1")
	got := drillFigures(t, r, exitFailed)
	if lost, _ := got["lost_sessions"].(float64); lost == 0 || !strings.Contains(r.stderr.String(), fmt.Sprintf("non_sticky: %v sessions were lost\n", lost)) {
		t.Errorf("got %v lost sessions and %q, want some, and so said", got["lost_sessions"], r.stderr)
	}
}

func TestDrillStopsWhenItIsTold(t *testing.T) {
	r := start(t, "demo", "--drill", "--seconds=600")
	r.stdout.wait(t, "kill of a node: n1")
	r.stop()
	drillFigures(t, r, exitFailed)
	r.stderr.wait(t, "stopped before the end")
}

func TestDemoThatCannotRunSaysWhy(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"demo"}, `write holdfast demo --drill`},
		{[]string{"demo", "--drill", "--copies=4"}, `4 copies on 3 nodes`},
		{[]string{"demo", "--drill", "--memcached"}, `memcached is not installed here`},
	} {
		r := start(t, row.args...)
		r.stderr.wait(t, row.want)
		r.wantEnd(exitFailed)
	}
}
