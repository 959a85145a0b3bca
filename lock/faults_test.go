package lock_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/lock"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

func TestADeadServersLockEndsWithItsLease(t *testing.T) {
	inScene(t, func(s *scene) {
		dead := s.take(s.server("app1"))
		s.kill("app1")
		began := time.Now()
		k := s.take(s.server("app2"))
		if took := time.Since(began); took < lease || took > lease+timeout {
			s.t.Errorf("it took %v, want %v", took, lease)
		}
		s.wantLost(dead, true)
		s.wantLost(k, false)
		dead.Release()
		s.wantKeys(0, onNode)
		k.Release()
		s.wantKeys(0)
	})
}

// Each waits for less than a lease, so none of them sees it end from the beginning.
func TestADeadServersLockEndsAlsoForTheImpatient(t *testing.T) {
	inScene(t, func(s *scene) {
		dead := s.take(s.server("app1"))
		s.kill("app1")
		impatient := s.serverWith("app2", lock.Options{Wait: lease / 3})
		began := time.Now()
		for {
			k, err := impatient.Take(s.t.Context(), key, 0)
			if err == nil {
				k.Release()
				break
			}
			if time.Since(began) > 2*lease {
				s.t.Fatalf("still not: %v", err)
			}
		}
		dead.Release()
	})
}

// A process that was stopped for longer than its lease knows it at once, and cannot
// release what somebody else has.
func TestAHolderThatStoodStillHasLostIt(t *testing.T) {
	inScene(t, func(s *scene) {
		l := s.server("app1")
		stopped := newStop(s, "app1")
		frozen := s.take(l)
		stopped.begin()
		k := s.take(s.server("app2"))
		s.wantLost(frozen, true)
		stopped.end()
		s.wantLost(frozen, true)
		frozen.Release()
		s.wantKeys(0, onNode)
		s.wantLost(k, false)
		s.refused(s.server("app3"), lock.ErrTimeout, wait)
		k.Release()
		s.wantStats(l, lock.Stats{Taken: 1, Lost: 1})
	})
}

// A stop is the time in which one app server's calls stand still.
type stop struct {
	mu sync.Mutex
	on chan struct{} // closed when it goes on; nil: it runs; guarded by mu
}

func newStop(s *scene, name string) *stop {
	p := new(stop)
	s.nodes[0].Intercept(func(_ context.Context, c faultstore.Call, next func() error) error {
		p.mu.Lock()
		on := p.on
		p.mu.Unlock()
		if c.Client == name && on != nil {
			<-on
		}
		return next()
	})
	return p
}

func (p *stop) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on = make(chan struct{})
}

func (p *stop) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.on)
	p.on = nil
}

// A renewal that arrives late, when somebody else has the lock, changes nothing.
func TestALateRenewalIsRefused(t *testing.T) {
	inScene(t, func(s *scene) {
		frozen := s.take(s.server("app1"))
		stopped := newStop(s, "app1")
		stopped.begin()
		time.Sleep(lease / 2) // a renewal hangs now
		k := s.take(s.server("app2"))
		stopped.end()
		synctest.Wait()
		s.wantLost(k, false)
		time.Sleep(3 * lease)
		s.wantLost(k, false)
		s.wantLost(frozen, true)
		frozen.Release()
		k.Release()
	})
}

func TestAShortStopLosesNothing(t *testing.T) {
	inScene(t, func(s *scene) {
		k := s.take(s.server("app1"))
		stopped := newStop(s, "app1")
		stopped.begin()
		time.Sleep(lease * 3 / 4)
		stopped.end()
		time.Sleep(lease)
		s.wantLost(k, false)
		k.Release()
	})
}

func TestAWaiterThatDiesHoldsUpNobodyForLong(t *testing.T) {
	inScene(t, func(s *scene) {
		k := s.take(s.server("app1"))
		ctx, cancel := context.WithCancel(s.t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := s.server("app2").Take(ctx, key, 0); err == nil {
				s.t.Error("a dead server got the lock")
			}
		})
		time.Sleep(100 * time.Millisecond)
		all.Go(func() { s.take(s.server("app3")).Release() })
		time.Sleep(100 * time.Millisecond)
		s.kill("app2")
		cancel()
		k.Release()
		began := time.Now()
		all.Wait()
		if took := time.Since(began); took > time.Second+timeout {
			s.t.Errorf("the next one waited %v", took)
		}
	})
}

func TestANodeThatWasEmptiedKeepsTheLock(t *testing.T) {
	inScene(t, func(s *scene) {
		k := s.take(s.server("app1"))
		s.nodes[0].Empty()
		time.Sleep(lease / 2)
		s.wantLost(k, false)
		s.refused(s.server("app2"), lock.ErrTimeout, wait)
		k.Release()
		s.wantKeys(0)
	})
}

func TestOnANodeThatWasEmptiedTheFirstHasIt(t *testing.T) {
	inScene(t, func(s *scene) {
		former := s.take(s.server("app1"))
		s.nodes[0].Empty()
		k := s.take(s.server("app2")) // now both, for a moment
		time.Sleep(lease / 2)
		s.wantLost(former, true)
		s.wantLost(k, false)
		former.Release()
		s.wantKeys(0, onNode)
		k.Release()
	})
}

func TestADeadNodesLocksMoveToTheNext(t *testing.T) {
	inScene(t, func(s *scene) {
		k := s.take(s.server("app1"))
		s.nodes[0].Kill()
		s.markDown(0)
		time.Sleep(lease / 2)
		s.wantLost(k, false)
		s.wantKeys(1, onNode)
		s.refused(s.server("app2"), lock.ErrTimeout, wait)
		time.Sleep(2 * lease)
		s.wantLost(k, false)
		k.Release()
		s.wantKeys(1)
	})
}

func TestOnTheNextNodeTheFirstHasIt(t *testing.T) {
	inScene(t, func(s *scene) {
		former := s.take(s.server("app1"))
		s.nodes[0].Kill()
		k := s.take(s.server("app2"))
		s.wantKeys(1, onNode)
		s.markDown(0)
		time.Sleep(lease / 2)
		s.wantLost(former, true)
		s.wantLost(k, false)
		former.Release()
		k.Release()
		s.wantKeys(1)
	})
}

func TestANodeThatHangsCostsTwoCallsAtMost(t *testing.T) {
	inScene(t, func(s *scene) {
		s.nodes[0].Freeze()
		began := time.Now()
		k := s.take(s.server("app1"))
		if took := time.Since(began); took != 2*timeout {
			s.t.Errorf("it took %v, want %v", took, 2*timeout)
		}
		k.Release()
		s.nodes[0].Thaw()
		s.wantKeys(1)
	})
}

func TestWithoutNodesThereIsNoLock(t *testing.T) {
	inScene(t, func(s *scene) {
		l := s.server("app1")
		s.nodes[0].Kill()
		s.nodes[1].Kill()
		s.refused(l, store.ErrUnavailable, 0)
		s.markDown(0)
		s.markDown(1)
		s.refused(l, store.ErrUnavailable, 0)
		s.wantStats(l, lock.Stats{})
	})
}

// An answer that got lost, of a call that was done or not.
func TestALostAnswer(t *testing.T) {
	for _, verb := range []string{"put", "get", "delete"} {
		for _, done := range []bool{true, false} {
			for nth := 1; nth <= 4; nth++ {
				t.Run(fmt.Sprintf("%s %d, done %v", verb, nth, done), func(t *testing.T) {
					inScene(t, func(s *scene) {
						s.lose(verb, done, nth)
						s.take(s.server("app1")).Release()
						holder := s.take(s.server("app1"))
						var all sync.WaitGroup
						all.Go(func() {
							if err := s.inTurn(s.server("app2"), time.Second); err != nil {
								s.t.Error(err)
							}
						})
						s.count(1)
						time.Sleep(lease / 2)
						s.wantLost(holder, false)
						s.count(-1)
						holder.Release()
						all.Wait()
						if s.most > 1 {
							s.t.Error("two held the lock")
						}
					})
				})
			}
		}
	}
}

// lose loses the answer to the nth call.
func (s *scene) lose(verb string, done bool, nth int) {
	var mu sync.Mutex
	calls := 0
	s.nodes[0].Intercept(func(_ context.Context, c faultstore.Call, next func() error) error {
		mu.Lock()
		if c.Verb == verb {
			calls++
		}
		hit := c.Verb == verb && calls == nth
		mu.Unlock()
		if !hit {
			return next()
		}
		if done {
			_ = next()
		}
		if verb == "get" {
			return store.ErrUnavailable
		}
		return fmt.Errorf("%w: connection lost", store.ErrUnknownOutcome)
	})
}

func TestWhatIsNoLockIsWaitedFor(t *testing.T) {
	inScene(t, func(s *scene) {
		other := s.nodes[0].Client("other")
		for _, value := range []string{"", "locked", "\x01short"} {
			if _, err := other.Put(s.t.Context(), onNode, store.Item{Value: []byte(value)}, store.Any); err != nil {
				s.t.Fatal(err)
			}
			k := s.take(s.server("app1")) // on the next node
			s.wantKeys(1, onNode)
			k.Release()
			if item, err := other.Get(s.t.Context(), onNode, store.Whole); err != nil || string(item.Value) != value {
				s.t.Errorf("what lay there is now %q, %v", item.Value, err)
			}
		}
		s.markDown(1)
		if _, err := s.server("app1").Take(s.t.Context(), key, 0); !errors.Is(err, store.ErrUnavailable) {
			s.t.Errorf("Take: %v, want ErrUnavailable", err)
		}
	})
}

// Faults of one kind after the other, while three servers use the lock: it is never
// lost for good, and whoever is told that it has it has it alone, or knows better
// within a third of a lease.
func TestLocksGoOnWhateverHappens(t *testing.T) {
	inScene(t, func(s *scene) {
		servers := []*lock.Locks{s.server("app1"), s.server("app2"), s.server("app3")}
		var all sync.WaitGroup
		done := make(chan struct{})
		for _, l := range servers {
			for range 4 {
				all.Go(func() {
					for {
						select {
						case <-done:
							return
						default:
						}
						if k, err := l.Take(s.t.Context(), key, 0); err == nil {
							time.Sleep(20 * time.Millisecond)
							k.Release()
						}
					}
				})
			}
		}
		n := s.nodes[0]
		for _, fault := range []func(){
			n.Empty, n.Reset, func() { n.Cut("app1") }, func() { n.Mend("app1") }, n.Freeze, n.Thaw, n.Kill, n.Revive,
			func() { n.Evict(onNode) },
		} {
			fault()
			time.Sleep(2 * lease)
		}
		before := servers[0].Stats().Taken
		time.Sleep(2 * lease)
		if after := servers[0].Stats().Taken; after < before+50 {
			s.t.Errorf("%d locks taken in %v after the last fault", after-before, 2*lease)
		}
		close(done)
		all.Wait()
		s.wantKeys(0)
		s.wantKeys(1)
	})
}
