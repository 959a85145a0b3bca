package main

import (
	"encoding/json"
	"fmt"
	"regexp"
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
	for _, figures := range append(modesOf(got), got) {
		for _, key := range drillKeys {
			if _, ok := figures[key].(float64); !ok {
				t.Errorf("%s: got %v in %s, want a number", key, figures[key], last)
			}
		}
	}
	return got
}

// modesOf are the figures of each mode that was played, in their order.
func modesOf(got map[string]any) (all []map[string]any) {
	modes, _ := got["modes"].(map[string]any)
	for _, name := range []string{"non_sticky", "sticky_sync", "sticky_async"} {
		if figures, ok := modes[name].(map[string]any); ok {
			all = append(all, figures)
		}
	}
	return all
}

func TestDrillKeepsItsPromises(t *testing.T) {
	got := drillFigures(t, start(t, "demo", "--drill", "--seconds=3"), exitOK)
	modes := modesOf(got)
	if len(modes) != 3 {
		t.Fatalf("got %d modes, want 3", len(modes))
	}
	for i, figures := range append(modes, got) {
		for _, key := range drillKeys {
			wantNone := slices.Contains([]string{"lost_sessions", "lost_updates", "resurrected"}, key) || key == "takeovers" && i == 0
			if key != "failed" && key != "unsent_lost" && (figures[key] == 0.0) != wantNone {
				t.Errorf("%s of mode %d: got %v", key, i, figures[key])
			}
		}
	}
}

// The control: what finds nothing here would find nothing ever.
func TestDrillFindsTheSessionsThatOneCopyLoses(t *testing.T) {
	r := start(t, "demo", "--drill", "--seconds=1", "--copies=1")
	got := drillFigures(t, r, exitFailed)
	if lost, _ := modesOf(got)[0]["lost_sessions"].(float64); lost == 0 || !strings.Contains(r.stderr.String(), fmt.Sprintf("non_sticky: %v sessions were lost\n", lost)) {
		t.Errorf("got %v lost sessions and %q, want some, and so said", lost, r.stderr)
	}
}

func TestDrillStopsWhenItIsTold(t *testing.T) {
	r := start(t, "demo", "--drill", "--seconds=600")
	r.stdout.wait(t, "kill of a node: n1")
	r.stop()
	drillFigures(t, r, exitFailed)
	r.stderr.wait(t, "stopped before the end")
}

func TestDemoServesItsPageAndEndsCleanly(t *testing.T) {
	r := start(t, "demo", "--listen=127.0.0.1:0", "--copies=3")
	base, client := "http://"+r.address(), newClient()
	defer client.CloseIdleConnections()
	if got := read(t, client, newRequest(t, "GET", base+"/", nil)); !strings.Contains(got, "<title>Holdfast demo</title>") {
		t.Errorf("page: got %s", got)
	}
	form := strings.NewReader("colour=teal")
	if got := read(t, client, newRequest(t, "POST", base+"/session", form)); !strings.HasPrefix(got, "200 ") || !strings.Contains(got, `"colour":"teal"`) {
		t.Errorf("POST /session: got %s", got)
	}
	got := read(t, client, newRequest(t, "GET", base+"/session", nil))
	if !regexp.MustCompile(`"node":"n\d".*"copies":\["n\d","n\d"\].*"colour":"teal"`).MatchString(got) {
		t.Errorf("GET /session: got %s, want it on three nodes", got)
	}
	if got := read(t, client, newRequest(t, "POST", base+"/demo/load", strings.NewReader("on=true"))); !strings.HasPrefix(got, "204 ") {
		t.Errorf("POST /demo/load: got %s", got)
	}
	r.stop()
	r.wantEnd(exitOK)
	if log := r.stderr.String(); log != "" {
		t.Errorf("standard error: got %s, want nothing", log)
	}
}

func TestDemoThatCannotRunSaysWhy(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"demo", "--listen=127.0.0.1:0", "--copies=4"}, `4 copies on 3 nodes`},
		{[]string{"demo", "--listen=127.0.0.1:0", "--memcached"}, `memcached is not installed here`},
		{[]string{"demo", "--drill", "--copies=4"}, `4 copies on 3 nodes`},
		{[]string{"demo", "--drill", "--memcached"}, `memcached is not installed here`},
	} {
		r := start(t, row.args...)
		r.stderr.wait(t, row.want)
		r.wantEnd(exitFailed)
	}
}
