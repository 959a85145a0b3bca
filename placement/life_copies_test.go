package placement_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
)

// A copy that ended sooner would be made again by a read, but the home can die before.
func TestAUseExtendsTheLifeOnEveryMember(t *testing.T) {
	const idle = 30 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		c := all.server(t, "a", 2, placement.Options{})
		commit(t, c, id, nil, settings(idle, time.Time{}))
		for range 12 {
			time.Sleep(5 * time.Minute)
			load(t, c, id)
			synctest.Wait()
			for i, n := range all {
				if left := timeLeft(t, n.Client("test"), key(id)); left < idle {
					t.Fatalf("after a use n%d keeps it for %v more, want at least %v", i+1, left, idle)
				}
			}
		}
	})
}
