package sticky_test

import (
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/sticky"
)

// A cookie from before the session went elsewhere brings a change to a memory that is
// older than what a record remembers; the answer of its first write is lost. It was
// answered, so it must not be given up.
func TestAChangeMadeOnAnOldMemoryIsNotForgotten(t *testing.T) {
	for _, happens := range []bool{true, false} {
		for _, nodes := range []int{1, 2, 3} {
			inFarm(t, 2, nodes, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
				a, b := f.servers[0], f.servers[1]
				a.begin(id)
				b.mustLoad(id, "app1")
				for range 20 {
					b.mustAdd(id, "app2")
					b.flush()
				}
				time.Sleep(time.Second)
				f.cutAtWrite("app1", happens)
				a.mustAdd(id, "app1")
				time.Sleep(time.Second)
				f.mend("app1")
				time.Sleep(10 * time.Second)
				b.wantTotal(id, "app1", 21)
				if got := a.Stats(); got.Dropped != 0 || got.Unsent != 0 {
					t.Errorf("%d nodes, happens %v: %d changes were dropped, %d sessions are unsent, want none", nodes, happens, got.Dropped, got.Unsent)
				}
			})
		}
	}
}

// The nodes know of a use to within a while. What memory knows better counts for a
// change that is compared before it is sent: here its own use is the only late one.
func TestAChangeJustBeforeItsSessionIsIdleForTooLong(t *testing.T) {
	inFarm(t, 2, 2, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		time.Sleep(111 * time.Second)
		a.mustLoad(id, "app1") // checked: too early to extend its life
		time.Sleep(9500 * time.Millisecond)
		v := a.mustLoad(id, "app1") // too early to be checked
		time.Sleep(30*time.Minute - 1500*time.Millisecond)
		if err := a.addTo(id, v); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got := a.Stats(); got.Dropped != 0 || got.Unsent != 0 {
			t.Errorf("%d changes were dropped, %d sessions are unsent, want none", got.Dropped, got.Unsent)
		}
		f.servers[1].wantTotal(id, "", 1)
	})
}

// An eviction shows in what operators watch, whoever finds it.
func TestAnEvictionThatASendingMeetsIsCounted(t *testing.T) {
	inFarm(t, 1, 2, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		time.Sleep(2 * time.Second)
		for _, n := range f.nodes {
			n.Evict(placement.StorageKey("", id))
		}
		a.mustAdd(id, "app1")
		time.Sleep(100 * time.Millisecond)
		if got := a.cluster.Stats().LostInStore; got != 1 {
			t.Errorf("%d sessions are counted as lost by the nodes, want 1", got)
		}
		a.wantTotal(id, "app1", 1)
	})
}
