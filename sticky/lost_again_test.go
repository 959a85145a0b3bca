package sticky_test

import (
	"testing"
	"time"
)

// The nodes were found to lack it, and have it again: nobody may go by what he knew before.
func TestASessionThatWasStoredAgainIsFoundByAll(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		inModes(t, 2, nodes, func(t *testing.T, f *farm, _ bool) {
			a, b := f.servers[0], f.servers[1]
			a.begin(id)
			a.mustAdd(id, "app1")
			a.flush()
			time.Sleep(1500 * time.Millisecond)
			f.empty()
			if _, err := b.load(id, "app1"); err == nil {
				t.Fatal("the nodes still have it")
			}
			time.Sleep(time.Second) // by now its server has noticed
			a.wantTotal(id, "app2", 1)
			b.wantTotal(id, "app1", 1)
			time.Sleep(20 * time.Second)
			if got := a.Stats().Revived; got != 1 {
				t.Errorf("%d sessions were counted as stored again, want 1", got)
			}
		})
	}
}
