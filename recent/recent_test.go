package recent_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/recent"
)

func TestWhatWasPutIsRememberedForAWhile(t *testing.T) {
	for _, c := range []struct {
		name       string
		keep       time.Duration
		passed     time.Duration
		remembered bool
	}{
		{"at once", time.Minute, 0, true},
		{"as long as it was made for", time.Minute, time.Minute, true},
		{"not three times as long", time.Minute, 3 * time.Minute, false},
		{"without a time for ever", 0, 1000 * time.Hour, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := recent.New[string, int](10, c.keep)
				time.Sleep(c.keep / 2)
				m.Put("a", 1)
				time.Sleep(c.passed)
				if got, ok := m.Get("a"); ok != c.remembered || ok && got != 1 {
					t.Errorf("got %d, %t, want it remembered: %t", got, ok, c.remembered)
				}
				if _, ok := m.Get("b"); ok {
					t.Error("what was never put is remembered")
				}
			})
		})
	}
}

func TestWhatIsPutAgainIsTheLast(t *testing.T) {
	m := recent.New[string, int](2, 0)
	m.Put("a", 1)
	m.Put("b", 2)
	m.Put("a", 3) // in the next generation
	if got, _ := m.Get("a"); got != 3 {
		t.Errorf("got %d, want 3", got)
	}
	if got, _ := m.Get("b"); got != 2 {
		t.Errorf("of the elder generation: got %d, want 2", got)
	}
}

func TestNoMoreIsRememberedThanItWasMadeFor(t *testing.T) {
	const most = 100
	m := recent.New[int, bool](most, time.Hour)
	for i := range 10 * most {
		m.Put(i, true)
		if n := m.Len(); n > 2*most {
			t.Fatalf("%d are remembered, want at most %d", n, 2*most)
		}
	}
	for i := 9 * most; i < 10*most; i++ {
		if ok, _ := m.Get(i); !ok {
			t.Fatalf("%d of the last %d is forgotten", i, most)
		}
	}
}
