package lock_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/lock"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

func TestALockThatNobodyElseWantsCostsTwoCalls(t *testing.T) {
	inScene(t, func(s *scene) {
		l := s.server("app1")
		k := s.take(l)
		s.wantKeys(0, onNode)
		k.Release()
		k.Release()
		s.wantKeys(0)
		s.wantKeys(1)
		if got := s.nodes[0].Calls(); got != 2 {
			s.t.Errorf("%d calls, want 2", got)
		}
		s.wantStats(l, lock.Stats{Taken: 1})
	})
}

func TestOneHoldsItAtATime(t *testing.T) {
	inScene(t, func(s *scene) {
		servers := []*lock.Locks{s.server("app1"), s.server("app2"), s.server("app3")}
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				if err := s.inTurn(servers[i%3], 50*time.Millisecond); err != nil {
					s.t.Error(err)
				}
			})
		}
		all.Wait()
		if s.most != 1 {
			s.t.Errorf("%d held the lock at once", s.most)
		}
		s.wantKeys(0)
		for i, l := range servers {
			if got := l.Stats(); got.Taken != 20 || got.Waited < 19 || got.Timeouts+got.Lost != 0 {
				s.t.Errorf("server %d: %+v", i+1, got)
			}
		}
	})
}

func TestALongHolderKeepsIt(t *testing.T) {
	inScene(t, func(s *scene) {
		k := s.take(s.server("app1"))
		other := s.serverWith("app2", lock.Options{Wait: 10 * lease})
		s.refused(other, lock.ErrTimeout, 10*lease)
		s.wantLost(k, false)
		k.Release()
		s.take(other).Release()
	})
}

func TestOneServerServesInOrder(t *testing.T) {
	inScene(t, func(s *scene) {
		l := s.server("app1")
		first := s.take(l)
		var order []int
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				k := s.take(l)
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				k.Release()
			})
			synctest.Wait() // it waits now
		}
		first.Release()
		all.Wait()
		if !slices.IsSorted(order) {
			s.t.Errorf("served in the order %v", order)
		}
	})
}

func TestServersServeInTheOrderInWhichTheyCame(t *testing.T) {
	inScene(t, func(s *scene) {
		first := s.take(s.server("app0"))
		names := []string{"app1", "app2", "app3", "app4"}
		var order []string
		var mu sync.Mutex
		var all sync.WaitGroup
		for _, name := range names {
			all.Go(func() {
				k := s.take(s.server(name))
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				time.Sleep(time.Second)
				k.Release()
			})
			time.Sleep(100 * time.Millisecond)
		}
		first.Release()
		all.Wait()
		if !slices.Equal(order, names) {
			s.t.Errorf("served in the order %v", order)
		}
	})
}

// A server with a hundred requests does not keep one of another server waiting.
func TestServersTakeTurns(t *testing.T) {
	inScene(t, func(s *scene) {
		busy, other := s.server("app1"), s.server("app2")
		first := s.take(busy)
		var served atomic.Int64
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if s.inTurn(busy, 10*time.Millisecond) == nil {
					served.Add(1)
				}
			})
		}
		synctest.Wait()
		all.Go(func() {
			if err := s.inTurn(other, 0); err != nil {
				s.t.Error(err)
			}
			if n := served.Load(); n > 2 {
				s.t.Errorf("%d others were served before", n)
			}
		})
		time.Sleep(100 * time.Millisecond)
		first.Release()
		all.Wait()
	})
}

func TestWaitingIsBounded(t *testing.T) {
	inScene(t, func(s *scene) {
		k := s.take(s.server("app1"))
		other := s.server("app2")
		s.refused(other, lock.ErrTimeout, wait)
		s.wantStats(other, lock.Stats{Timeouts: 1})
		k.Release()
		s.wantKeys(0) // also of who gave up
	})
}

func TestTheNumberThatWaitsIsBounded(t *testing.T) {
	inScene(t, func(s *scene) {
		l := s.serverWith("app1", lock.Options{MaxWaiting: 3})
		k := s.take(l)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { s.take(l).Release() })
		}
		synctest.Wait()
		s.refused(l, lock.ErrTimeout, 0)
		k.Release()
		all.Wait()
		s.take(l).Release()
		s.wantStats(l, lock.Stats{Taken: 5, Waited: 3, Timeouts: 1})
	})
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	inScene(t, func(s *scene) {
		k := s.take(s.server("app1"))
		for _, l := range []*lock.Locks{s.server("app2"), s.server("app3")} {
			ctx, cancel := context.WithTimeout(s.t.Context(), time.Second)
			_, err := l.Take(ctx, key, 0)
			cancel()
			if !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, lock.ErrTimeout) {
				s.t.Errorf("Take: %v, want ErrUnavailable and why", err)
			}
			s.wantStats(l, lock.Stats{})
		}
		k.Release()
		s.wantKeys(0)
	})
}

func TestKeysHaveTheirOwnLocks(t *testing.T) {
	inScene(t, func(s *scene) {
		l := s.server("app1")
		defer s.take(l).Release()
		k, err := l.Take(s.t.Context(), "another", 0)
		if err != nil {
			s.t.Fatal(err)
		}
		k.Release()
		s.wantKeys(0, onNode)
	})
}

// Who waited before, for another lock, has what is left.
func TestWhatWasWaitedBeforeCounts(t *testing.T) {
	for name, c := range map[string]struct {
		left   time.Duration
		freeze bool
	}{
		"much is left":                             {wait / 2, false},
		"nothing is left":                          {0, false},
		"too little for one answer":                {timeout / 2, true},
		"more was waited, by a server that stalls": {-time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			inScene(t, func(s *scene) {
				k := s.take(s.server("app1"))
				if c.freeze {
					s.nodes[0].Freeze()
				}
				other := s.serverWith("app2", lock.Options{Behind: behind})
				began, calls := time.Now(), s.nodes[0].Calls()
				if k, err := other.Take(s.t.Context(), key, wait-c.left); !errors.Is(err, lock.ErrTimeout) {
					s.t.Errorf("Take: %v, want ErrTimeout", err)
					if err == nil {
						defer k.Release()
					}
				}
				if took := time.Since(began); took != max(c.left, 0) {
					s.t.Errorf("it took %v, want %v", took, c.left)
				}
				s.wantStats(other, lock.Stats{Timeouts: 1})
				synctest.Wait()
				if asked := s.nodes[0].Calls() - calls; c.left <= 0 && asked > 0 {
					s.t.Errorf("the node was asked %d times", asked)
				}
				s.nodes[0].Thaw()
				k.Release()
				time.Sleep(timeout)
				s.wantKeys(0)
			})
		})
	}
}

func behind(work func()) { go work() }

// The wait is over when it is over, however long the node takes to hear of it.
func TestNobodyWaitsToLeaveTheQueue(t *testing.T) {
	inScene(t, func(s *scene) {
		k := s.take(s.server("app1"))
		began := time.Now()
		s.nodes[0].Intercept(func(ctx context.Context, _ faultstore.Call, next func() error) error {
			if time.Since(began) < wait {
				return next()
			}
			select {
			case <-time.After(timeout / 10):
				return next()
			case <-ctx.Done():
				return store.ErrUnavailable
			}
		})
		other := s.serverWith("app2", lock.Options{Behind: behind})
		if _, err := other.Take(s.t.Context(), key, 0); !errors.Is(err, lock.ErrTimeout) {
			s.t.Errorf("Take: %v, want ErrTimeout", err)
		}
		if took := time.Since(began); took != wait {
			s.t.Errorf("it took %v, want %v", took, wait)
		}
		k.Release()
		time.Sleep(timeout)
		s.wantKeys(0) // also of who gave up
	})
}
