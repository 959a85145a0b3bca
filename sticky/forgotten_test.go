package sticky_test

import (
	"testing"
	"time"

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
