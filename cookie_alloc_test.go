//go:build !race

package holdfast

import "testing"

// The race detector makes sync.Pool forget, so it does not count here.
func TestAllocationsOfTokensAndCookies(t *testing.T) {
	tok := someToken(newTestMACs(t, false, ringKey(1)))
	value := tok.value()
	plainRead, plainSet := cookieWork(t)
	ringRead, ringSet := cookieWork(t, ringKey(2), ringKey(1))
	for _, c := range []struct {
		name string
		work func()
		most float64
	}{
		{"parsing a token", func() { parseToken(value) }, 0},
		{"writing a token", func() { _ = tok.value() }, 1},
		{"reading a cookie", plainRead, 0},
		{"reading a cookie with a MAC", ringRead, 0},
		{"setting a cookie", plainSet, 3},
		{"setting a cookie with a MAC", ringSet, 4},
	} {
		if got := testing.AllocsPerRun(100, c.work); got > c.most {
			t.Errorf("%s has %v allocations, want at most %v", c.name, got, c.most)
		}
	}
}
