package sticky_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// beginFor begins a session with that idle timeout.
func (s *server) beginFor(idle time.Duration) *store.View {
	s.t.Helper()
	v, err := s.Commit(s.t.Context(), id, nil, change(func(r *record.Record) {
		r.Created, r.IdleTimeout = time.Now(), idle
	}))
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// It is still in memory, and on the nodes.
func TestASessionWhoseTimeIsOverIsNotServedFromMemory(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.beginFor(3 * time.Second)
		time.Sleep(2 * time.Second)
		a.mustLoad(id, "app1")
		time.Sleep(2 * time.Second)
		a.mustLoad(id, "app1")      // that use counts
		time.Sleep(5 * time.Second) // the nodes know its last use to within a second or so
		if _, err := a.load(id, "app1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Load after the idle timeout: %v, want not found", err)
		}
		if got := a.Stats(); got.Revived != 0 {
			t.Errorf("%d sessions were stored again", got.Revived)
		}
	})
}

// The nodes have forgotten it, and this server has not looked after its memory yet.
func TestASessionWhoseTimeIsOverIsNotStoredAgain(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.beginFor(2 * time.Second)
		time.Sleep(9 * time.Second)
		for _, s := range []*server{a, b} {
			if _, err := s.load(id, "app1"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: Load after the idle timeout: %v, want not found", s.name, err)
			}
		}
		if got := a.Stats(); got.Revived != 0 {
			t.Errorf("%d sessions were stored again", got.Revived)
		}
	})
}

func TestAReadTellsTheUseBeforeIt(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		began := time.Now()
		a.begin(id)
		last := time.Duration(0)
		for _, at := range []time.Duration{2 * time.Second, 5 * time.Second, 6 * time.Second} {
			time.Sleep(time.Until(began.Add(at)))
			if got := a.mustLoad(id, "app1").LastAccessed.Sub(began); got != last {
				t.Errorf("after %v the last use was after %v, want %v", at, got, last)
			}
			last = at
		}
	})
}

// A lasting cookie is sent again with each.
func TestASixteenthOfTheIdleTimeoutExtendsOnce(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.beginFor(32 * time.Second)
		var extended []int
		for i := range 6 {
			if a.mustLoad(id, "app1").Extended {
				extended = append(extended, i)
			}
			time.Sleep(time.Second)
		}
		if len(extended) != 2 || extended[0] != 2 || extended[1] != 4 {
			t.Errorf("reads extended the session after %v seconds, want 2 and 4", extended)
		}
	})
}

func TestASessionIsComparedWithTheNodesOnceEachTenSeconds(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.begin(id)
		a.flush()
		for range 2 {
			time.Sleep(11 * time.Second)
			calls := f.calls(func() {
				for range 5 {
					a.mustLoad(id, "app1")
				}
				synctest.Wait()
			})
			if calls != 2 {
				t.Errorf("five reads made %d calls to the nodes, want one to each", calls)
			}
		}
	})
}

// Each use is in memory; the nodes have to hear of them in time.
func TestASessionInUseLivesOnTheNodesToo(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.beginFor(8 * time.Second)
		for range 30 {
			time.Sleep(time.Second)
			a.mustLoad(id, "app1")
		}
		if got := a.Stats(); got.Revived != 0 {
			t.Errorf("the nodes have lost it %d times", got.Revived)
		}
		b.mustLoad(id, "app1")
	})
}

// The nodes do not answer in time; that is no reason to doubt what is in memory.
func TestACheckThatFailsLeavesTheSessionInMemory(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.begin(id)
		a.mustAdd(id, "app1")
		a.flush()
		time.Sleep(11 * time.Second)
		for _, n := range f.nodes {
			n.Freeze()
		}
		a.mustLoad(id, "app1") // with a check behind it
		time.Sleep(2 * timeout)
		a.wantTotal(id, "app1", 1)
		for _, n := range f.nodes {
			n.Thaw()
		}
	})
}

// What the server that takes over remembers of it is of long before.
func TestATakeOverTellsWhenTheOtherServerUsedIt(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.flush()
		time.Sleep(10 * time.Minute)
		b.mustLoad(id, "app1")
		time.Sleep(10 * time.Minute)
		b.mustLoad(id, "app2")
		time.Sleep(time.Minute)
		if v := a.mustLoad(id, "app2"); time.Since(v.LastAccessed) > 3*time.Minute {
			t.Errorf("used last %v ago, want 1 minute, or a sixteenth of 30 more", time.Since(v.LastAccessed))
		}
	})
}
