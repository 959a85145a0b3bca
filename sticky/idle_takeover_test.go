package sticky_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func TestASessionThatWasTakenOverKeepsItsIdleTimeout(t *testing.T) {
	const idle = 30 * time.Second
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.beginFor(idle)
		a.flush()
		if got := b.mustLoad(id, "app1").Record.IdleTimeout; got != idle {
			t.Errorf("taken over with an idle timeout of %v, want %v", got, idle)
		}
		b.mustAdd(id, "app2")
		b.flush()
		time.Sleep(2 * idle)
		for _, s := range []*server{b, a} {
			if _, err := s.load(id, "app2"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: Load after the idle timeout: %v, want not found", s.name, err)
			}
		}
	})
}
