package sticky_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/sticky"
)

// While a node is away, one session in use has all of them checked again and again.
func TestANodeThatIsAwayDoesNotHaveAllSessionsCheckedForEver(t *testing.T) {
	inFarm(t, 1, 2, sticky.Options{}, func(t *testing.T, f *farm) {
		const sessions = 200
		a := f.servers[0]
		a.begin(id)
		for i := range sessions {
			a.begin(fmt.Sprintf("OTHEROTHEROTHEROTHER23%04d", i))
		}
		f.nodes[1].Kill()
		time.Sleep(2 * time.Minute)
		before := a.Stats().Resent
		calls := f.calls(func() {
			for range 20 {
				a.mustAdd(id, "app1")
				time.Sleep(15 * time.Second)
			}
		})
		t.Log("calls in 5 minutes:", calls, "resent:", a.Stats().Resent-before)
		if calls > 20*10+2*sessions {
			t.Errorf("%d calls to the nodes in 5 minutes for 20 changes", calls)
		}
		if got := a.Stats().Resent - before; got > sessions+20 {
			t.Errorf("%d sessions count as sent again", got)
		}
	})
}
