package sticky_test

import (
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/sticky"
)

// A check meets what another server did while a change waits here, and makes that
// again on it; just then comes one more.
func TestAChangeIsNotLostWhileOthersAreMadeAgain(t *testing.T) {
	inFarm(t, 2, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.flush()
		b.mustAdd(id, "app1")
		b.flush()
		time.Sleep(11 * time.Second)
		slow(f.nodes[0], 100*time.Millisecond, never)
		v := a.mustLoad(id, "app1") // with a check behind it
		time.Sleep(50 * time.Millisecond)
		if _, err := a.Commit(t.Context(), id, v, oneMoreIn(20*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(40 * time.Millisecond) // now the check has its answer, and is at work for 20 ms
		if err := a.addTo(id, v); err != nil {
			t.Fatal(err)
		}
		a.flush()
		a.wantTotal(id, "app1", 3)
		b.wantTotal(id, "", 3)
	})
}
