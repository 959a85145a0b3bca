package sticky_test

import (
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
)

// onTop is one more, which notes whether it was made on the very state of v.
func onTop(v *store.View) (ch *store.Change, onIt *bool) {
	onIt, ch = new(bool), oneMore()
	add := ch.Apply
	ch.Apply = func(r *record.Record) error {
		*onIt = r.SameState(v.Record)
		return add(r)
	}
	return ch, onIt
}

// What was changed is sent between a request's read and its change: the nodes then have
// the state that it has read, under another revision, and nobody else was faster.
func TestASendingIsNoChangeBetweenAReadAndAChange(t *testing.T) {
	for name, between := range map[string]int{"nothing else": 0, "somebody's change": 1} {
		t.Run(name, func(t *testing.T) {
			inFarm(t, 2, 2, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
				a, b := f.servers[0], f.servers[1]
				a.begin(id)
				slow(f.nodes[0], 10*time.Millisecond, never)
				slow(f.nodes[1], 10*time.Millisecond, never)
				a.mustAdd(id, "app1")
				v := a.mustLoad(id, "app1")
				a.flush()
				for range between {
					a.mustAdd(id, "app1")
				}
				ch, onIt := onTop(v)
				made, err := a.Commit(t.Context(), id, v, ch)
				if err != nil {
					t.Fatal(err)
				}
				if want := between == 0; *onIt != want {
					t.Errorf("made on the state that was read: %v, want %v", *onIt, want)
				}
				if got, want := total(made.Record), 2+between; got != want {
					t.Errorf("total %d, want %d", got, want)
				}
				a.flush()
				if replayed := a.Stats().Dropped; replayed != 0 {
					t.Errorf("%d changes were dropped", replayed)
				}
				b.wantTotal(id, "app1", 2+between)
			})
		})
	}
}
