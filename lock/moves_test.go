package lock_test

import (
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/lock"
	"github.com/holdfast-sessions/holdfast/store"
)

// Node 1 is out of reach, the lock moves; node 2 is out of reach, the lock moves back to
// where the holder's own ticket still lies.
func TestLockThatMovesBackIsKept(t *testing.T) {
	inScene(t, func(s *scene) {
		k := s.take(s.server("app1"))
		s.nodes[0].Cut("app1")
		s.markDown(0)
		time.Sleep(lease / 2)
		s.wantLost(k, false)
		s.wantKeys(1, onNode)
		s.nodes[0].Mend("app1")
		s.mu.Lock()
		s.away[0], s.away[1] = false, true
		s.mu.Unlock()
		s.nodes[1].Kill()
		time.Sleep(lease / 2)
		s.wantLost(k, false)
		k.Release()
	})
}

// A hung node is not "others have the lock".
func TestHungNodeIsNoTimeout(t *testing.T) {
	inScene(t, func(s *scene) {
		s.nodes[0].Freeze()
		l := s.serverWith("app1", lock.Options{Wait: timeout / 2})
		_, err := l.Take(s.t.Context(), key, 0)
		t.Logf("%v %+v", err, l.Stats())
		if l.Stats().Timeouts != 0 {
			t.Errorf("Take: %v: nobody has the lock", err)
		}
	})
}

// Who waits for the lock of a server that has just died, with the defaults, gets it when
// the lease is over, as docs/locks.md says.
func TestDefaultsOutwaitALease(t *testing.T) {
	inScene(t, func(s *scene) {
		stores := func(name string) func(string) []store.Store {
			c := s.nodes[0].Client(name)
			return func(string) []store.Store { return []store.Store{c} }
		}
		lock.New(lock.Options{Stores: stores("app1")}).Take(s.t.Context(), key, 0)
		s.kill("app1")
		k, err := lock.New(lock.Options{Stores: stores("app2")}).Take(s.t.Context(), key, 0)
		if err != nil {
			t.Errorf("Take: %v", err)
		} else {
			k.Release()
		}
		time.Sleep(time.Minute) // ends what app1 left
	})
}
