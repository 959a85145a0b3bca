//go:build !race

package holdfast

import "testing"

// The race detector makes sync.Pool forget, so it does not count here.
func TestVerifyAllocatesNothing(t *testing.T) {
	m := newTestMACs(t, false, ringKey(2), ringKey(1))
	tok := token{id: someID, mac: m.ring[1].sign(someID)}
	if got := testing.AllocsPerRun(1000, func() { m.verify(tok) }); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}
