package sticky_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// A server that hangs is given up by the balancer, does not know, and goes on.
func TestAServerThatHasStoodStillAsksWhatOthersHaveChanged(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.flush()
		b.mustAdd(id, "app1")
		b.flush()
		a.StandStill(2 * time.Second)
		a.wantTotal(id, "app1", 1)
		for i := range 4 { // requests that were sent before it went on
			time.Sleep(time.Second)
			b.mustAdd(id, "app2")
			b.flush()
			a.wantTotal(id, "app1", i+2)
		}
	})
}

func TestAServerThatHasStoodStillHasChangesMeetThoseOfOthers(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.flush()
		v := a.mustLoad(id, "app1")
		b.mustAdd(id, "app1")
		b.flush()
		a.StandStill(2 * time.Second)
		if got := a.answer(id, v, oneMore()); got != 2 {
			t.Errorf("the change is answered with %d, want 2", got)
		}
	})
}

func TestAServerThatHasStoodStillFindsOutAboutALogout(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.flush()
		if err := b.Destroy(t.Context(), b.mustLoad(id, "app1")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond) // no use, so it is not compared
		a.StandStill(2 * time.Second)
		if _, err := a.load(id, "app1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Load after the logout: %v, want not found", err)
		}
	})
}

// Behind its requests it tells the nodes, which a busy machine does late.
func TestAfterAStandstillAUseCountsThatTheNodesHaveNotHeardOf(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.begin(id)
		a.flush()
		for _, n := range f.nodes {
			n.Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
				if call.Verb == "touch" {
					return nil
				}
				return next()
			})
		}
		time.Sleep(20 * time.Minute)
		a.mustLoad(id, "app1")
		time.Sleep(12*time.Minute + 15*time.Second) // the idle timeout is 30 minutes, and a sixteenth
		a.StandStill(2 * time.Second)
		if v := a.mustLoad(id, "app1"); time.Since(v.LastAccessed).Round(time.Minute) != 12*time.Minute {
			t.Errorf("used last %v ago, want 12 minutes", time.Since(v.LastAccessed))
		}
	})
}

func TestAWhileAfterAStandstillAReadAsksNobody(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.begin(id)
		a.flush()
		a.StandStill(2 * time.Second)
		a.mustLoad(id, "app1")
		time.Sleep(6 * time.Second)
		a.mustLoad(id, "app1") // once more
		if got := f.calls(func() { a.mustLoad(id, "app1") }); got != 0 {
			t.Errorf("a read made %d calls to the nodes", got)
		}
	})
}
