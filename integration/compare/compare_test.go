package main

import (
	"os"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// TestMain lets the test binary be the app servers, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == appRole {
		measure.Exit("compare", serveApp(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// TestAllContestantsDoTheWork runs all phases with tiny counts. What it holds them to is
// what makes the figures comparable: every answer is right, and each costs the nodes at
// least what it must.
func TestAllContestantsDoTheWork(t *testing.T) {
	measure.NeedMemcached(t)
	tiny := plan{
		rounds: 1, slice: 20 * time.Millisecond, connections: 3, visitors: 2,
		stored: 50, increments: 60, tries: 2, hold: 10 * time.Millisecond,
	}
	all, err := compare(t.Context(), tiny, contestants(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all.rows {
		if r.wrong > 0 {
			t.Errorf("%s: %d of %d answers are wrong: %v", r.name, r.wrong, r.requests, r.example)
		}
		for _, k := range kinds() {
			if s := r.typical(k); s.rate <= 0 || s.app <= 0 || s.p99 < s.p50 || s.allocs <= 0 {
				t.Errorf("%s: session %s: %+v", r.name, k, s)
			}
		}
		checkCosts(t, r)
		checkKeeping(t, r)
		checkWeight(t, r)
	}
}

// checkCosts: more waits than these are those of a slow machine.
func checkCosts(t *testing.T, r *result) {
	t.Helper()
	want := map[string]map[kind]cost{
		"scs, memcached":               {unused: {1, 1}, read: {1, 1}, change: {2, 2}, begin: {1, 1}, destroy: {2, 2}},
		"scs, memcached, IdleTimeout":  {unused: {2, 2}, read: {2, 2}, change: {2, 2}, begin: {1, 1}, destroy: {2, 2}},
		"Holdfast, sticky, async":      {change: {0, 2}, begin: {1, 2}, destroy: {1, 2}},
		"Holdfast, sticky, sync":       {change: {1, 2}, begin: {1, 2}, destroy: {1, 2}},
		"Holdfast, one copy":           {read: {1, 1}, change: {2, 2}, begin: {1, 1}, destroy: {2, 2}},
		"Holdfast, two copies":         {read: {1, 2}, change: {2, 4}, begin: {1, 2}, destroy: {2, 4}},
		"Holdfast, two copies, locked": {read: {3, 4}, change: {4, 6}, begin: {1, 2}, destroy: {3, 5}},
	}[r.name]
	for _, k := range kinds() {
		got := r.costs[k]
		if got.waits < want[k].waits || got.commands < want[k].commands {
			t.Errorf("%s: session %s: %d waits and %d commands, want at least %+v", r.name, k, got.waits, got.commands, want[k])
		}
		if r.nodes == 0 && got != (cost{}) {
			t.Errorf("%s has no nodes: %+v", r.name, got)
		}
	}
}

// checkKeeping: ours keep all they accepted, but for what lies on one node.
func checkKeeping(t *testing.T, r *result) {
	t.Helper()
	all := share{6, 6}
	none := share{0, 6}
	if r.ours && (r.parallel.kept != r.parallel.of || r.parallel.of < 50) {
		t.Errorf("%s: parallel changes: %s, %d refused", r.name, r.parallel, r.refused)
	}
	want := map[string][2]share{
		bare: {}, "scs, memory": {none}, "gorilla, cookie store": {all},
		"Holdfast, sticky, async": {all, all}, "Holdfast, sticky, sync": {all, all},
		"Holdfast, two copies": {all, all}, "Holdfast, two copies, locked": {all, all},
	}
	after, known := want[r.name]
	if !known {
		after = [2]share{all, none} // one node
	}
	if got := [2]share{r.appDeath, r.nodeDeath}; got != after {
		t.Errorf("%s: after the deaths of the app server and a node: %v, want %v", r.name, got, after)
	}
}

func checkWeight(t *testing.T, r *result) {
	t.Helper()
	copies := float64(r.nodes)
	if r.weight.store < copies*textSize || r.weight.store > copies*3*textSize {
		t.Errorf("%s: a session takes %.0f bytes on %d nodes", r.name, r.weight.store, r.nodes)
	}
}

func TestAnAppServerNeedsAContestant(t *testing.T) {
	for _, args := range [][]string{nil, {"unheard of"}} {
		if err := serveApp(args); err == nil {
			t.Errorf("serveApp(%q) serves", args)
		}
	}
}

func TestContestantsAreChosenByName(t *testing.T) {
	for _, c := range []struct {
		expression string
		want       int
	}{{"", len(contestants())}, {"^scs", 3}, {"locked$", 1}, {"unheard of", 0}, {"(", 0}} {
		list, err := contestantsLike(c.expression)
		if len(list) != c.want || (err != nil) != (c.want == 0) {
			t.Errorf("%q: %d contestants, %v, want %d", c.expression, len(list), err, c.want)
		}
	}
}
