package sticky_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/holdfast-sessions/holdfast/sticky"
)

// The session is read from the nodes as soon as they answer, before anything else was
// sent to them.
func TestAReadFromTheNodesShowsWhatWasNotSentBefore(t *testing.T) {
	for _, route := range []string{"", "app2"} {
		for _, renewed := range []bool{false, true} {
			t.Run(fmt.Sprintf("route %q, renewed %v", route, renewed), func(t *testing.T) {
				inFarm(t, 2, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
					a, b := f.servers[0], f.servers[1]
					a.begin(id)
					a.flush()
					if renewed {
						b.mustRenew(id, "app1")
					}
					f.cut("app1")
					a.mustAdd(id, "app1")
					synctest.Wait() // it could not be sent
					f.mend("app1")
					a.wantTotal(id, route, 1)
					a.flush()
					b.wantTotal(id, "", 1)
				})
			})
		}
	}
}
