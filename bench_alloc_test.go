//go:build !race

package holdfast_test

import "testing"

// What a session costs a request that uses it, in allocations, where that is the same
// each time. One more is no defect, but should be somebody's decision.
func TestAllocationsOfARequestThatUsesItsSession(t *testing.T) {
	most := map[string]float64{
		"non-sticky, read": 8, "non-sticky, change": 16, "non-sticky, new session": 23,
		"non-sticky two copies, read": 9, "non-sticky two copies, change": 19,
		"sticky, read": 6, "sticky, change": 18,
		"sticky async, read": 6, // a change is sent behind its request, with others or alone
	}
	for _, mode := range benchModes {
		for _, c := range costs[3:] {
			name := mode.name + ", " + c.name
			serveOnce := c.prepare(t, mode.nodes, mode.options)
			serveOnce()
			got := min(testing.AllocsPerRun(100, serveOnce), testing.AllocsPerRun(100, serveOnce)) // whatever goes on behind counts too
			if most[name] > 0 && got > most[name] {
				t.Errorf("%s: %v allocations above the bare handler, want at most %v", name, got, most[name])
			}
		}
	}
}
