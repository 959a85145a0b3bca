package placement_test

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// A scenario is a set of requests of one session at the same time. Every
// operation on the store may come in any order, and a few may fail in any way.
type scenario struct {
	name     string
	requests []func(*world)
	faults   int
	grace    bool // it may pass meanwhile
	runs     int  // 0: all there are; else so many, at random
}

// TestInterleavings plays them all. HOLDFAST_DEEP=1 adds a fault to each, and
// plays many more at random; that takes long.
func TestInterleavings(t *testing.T) {
	for _, s := range scenarios() {
		if os.Getenv("HOLDFAST_DEEP") != "" {
			s.faults++
			s.runs *= 200
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, s.explore)
		})
	}
}

// explore plays run after run.
func (s scenario) explore(t *testing.T) {
	all := &choices{}
	for run := 0; ; run++ {
		d := &director{faults: s.faults, idle: s.grace, choose: all.choose}
		if s.runs > 0 {
			d.choose = atRandom(uint64(run))
		}
		s.play(t, d)
		if t.Failed() {
			t.Fatalf("in run %d:\n%s", run, d.story())
		}
		if run+1 == s.runs || s.runs == 0 && !all.another() {
			t.Logf("%d runs", run+1)
			return
		}
	}
}

// play judges the end of a run, and again after the last late write.
func (s scenario) play(t *testing.T, d *director) {
	w := newWorld(t)
	defer w.cluster.Close()
	for _, add := range s.requests {
		add(w)
	}
	d.store = w.store
	d.play(context.Background(), w.actors)
	w.slept, w.faultless = s.grace && !d.idle, d.faults == s.faults
	w.judge()
	if w.store.held() > 0 {
		w.store.landAll()
		w.judge()
	}
}

func scenarios() []scenario {
	change := func(w *world) { w.changes("a", increment("a")) }
	another := func(w *world) { w.loadsAndChanges("b", increment("b")) }
	renews := func(w *world) { w.changes("renewer", renewal("renewer", newID)) }
	renewsToo := func(w *world) { w.changes("other renewer", renewal("other renewer", otherNewID)) }
	logsIn := func(w *world) { w.login = true; w.changes("user", login("user", newID)) }
	logsInToo := func(w *world) { w.login = true; w.changes("other user", login("other user", otherNewID)) }
	stubborn := func(w *world) { w.changesStubbornly("renewer", renewal("renewer", newID)) }
	stubbornUser := func(w *world) { w.login = true; w.changesStubbornly("user", login("user", newID)) }
	destroys := func(w *world) { w.destroys("destroyer") }
	reads := func(w *world) { w.reads("reader") }
	aged := func(w *world) { // a read will write it, to extend its life
		w.base = commit(w.t, w.cluster, id, w.base, settings(60*day, time.Time{}))
		time.Sleep(5 * day)
	}
	type all = []func(*world)
	return []scenario{
		{"a change", all{another}, 3, false, 0},
		{"a destruction", all{destroys}, 3, false, 0},
		{"a renewal", all{renews}, 2, false, 0},
		{"a login", all{logsIn}, 2, false, 0},
		{"a renewal that another change tries again", all{stubborn}, 2, false, 0},
		{"a login that another change tries again", all{stubbornUser}, 2, false, 0},

		{"two changes", all{change, another}, 1, false, 0},
		{"change and destruction", all{change, destroys}, 1, false, 0},
		{"renewal and change", all{renews, change}, 1, false, 0},
		{"renewal and read", all{renews, reads}, 1, true, 0},
		{"renewal and destruction", all{renews, destroys}, 1, false, 0},
		{"login and change", all{logsIn, change}, 1, false, 0},
		{"login and read", all{logsIn, reads}, 1, false, 0},
		{"login and destruction", all{logsIn, destroys}, 1, false, 0},
		{"two renewals", all{renews, renewsToo}, 1, false, 0},
		{"two logins", all{logsIn, logsInToo}, 1, false, 0},
		{"renewal and login", all{renews, logsInToo}, 1, false, 0},
		{"change and a read that writes", all{aged, reads, change}, 1, false, 0},
		{"renewal and a read that writes", all{aged, reads, renews}, 1, false, 0},
		{"destruction and a read that writes", all{aged, reads, destroys}, 1, false, 0},

		{"three changes at random", all{change, another, func(w *world) { w.changes("c", increment("c")) }}, 2, false, 300},
		{"renewal and change at random", all{renews, another}, 2, true, 300},
		{"renewal, change and destruction at random", all{renews, change, destroys}, 2, true, 300},
		{"login, change and destruction at random", all{logsIn, another, destroys}, 2, false, 300},
		{"two renewals and a change at random", all{renews, renewsToo, another}, 2, true, 300},
		{"renewal, login and change at random", all{renews, logsInToo, change}, 2, true, 300},
		{"renewal, login and destruction at random", all{renews, logsInToo, destroys}, 2, false, 300},
		{"everything at random", all{renews, logsInToo, change, another, reads, destroys}, 2, true, 300},
	}
}
