package sticky_test

import "testing"

// Its server asks the nodes because it has just taken the session over.
func TestASessionThatWasJustTakenOverAndThatTheNodesHaveLostIsStoredAgain(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		inModes(t, 3, nodes, func(t *testing.T, f *farm, _ bool) {
			a, b, c := f.servers[0], f.servers[1], f.servers[2]
			a.begin(id)
			a.mustAdd(id, "app1")
			a.flush()
			b.mustLoad(id, "app1")
			f.empty()
			b.wantTotal(id, "app2", 1)
			c.wantTotal(id, "app2", 1)
			if got := b.Stats().Revived; got != 1 {
				t.Errorf("%d sessions were counted as stored again, want 1", got)
			}
		})
	}
}
