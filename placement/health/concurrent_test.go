package health_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement/health"
)

func TestReportsJoinOneProbe(t *testing.T) {
	inBubble(t, hang, func(t *testing.T, n *watched) {
		atOnce(1000, func() { n.Refused(errRefused) })
		n.wantsProbes(1)
		n.wantsChanges("suspect")
		atOnce(1000, func() { n.TimedOut(errTimeout) })
		n.wantsProbes(1)
		n.wants(health.Down)
		time.Sleep(probeTimeout)
		n.wantsProbes(2) // the first was of a Suspect node
		n.wantsChanges("down")
	})
}

func TestReportsOfADownNodeDoNothing(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, n *watched) {
		n.goneFor(30 * time.Second)
		since, before := n.Since(), n.probeCount()
		atOnce(1000, func() { n.Refused(errRefused) })
		atOnce(1000, func() { n.TimedOut(errTimeout) })
		n.wantsProbes(before)
		n.wantsChanges("suspect", "down")
		if !n.Since().Equal(since) {
			t.Error("a report of a node that is Down began the state anew")
		}
	})
}

func TestReportsOfAReturningNodeDoNothing(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, n *watched) {
		n.goneFor(time.Second)
		n.nowDoes(answer)
		n.until(health.Returning)
		before := n.probeCount()
		atOnce(1000, func() { n.Refused(errRefused) })
		atOnce(1000, func() { n.TimedOut(errTimeout) })
		n.wants(health.Returning)
		n.wantsProbes(before)
		n.until(health.Up)
		n.wantsChanges("suspect", "down", "returning", "up")
	})
}

func TestBackoffGrowsWithinItsBounds(t *testing.T) {
	inBubble(t, refuse, func(t *testing.T, n *watched) {
		n.Refused(errRefused)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		n.mu.Lock()
		defer n.mu.Unlock()
		most, distinct := 50*time.Millisecond, map[time.Duration]bool{}
		for i := range len(n.probes) - 1 {
			pause := n.probes[i+1].Sub(n.probes[i])
			distinct[pause] = true
			if pause < most/2 || pause > most {
				t.Errorf("pause %d is %v, want %v to %v", i, pause, most/2, most)
			}
			most = min(2*most, 2*time.Second)
		}
		if len(distinct) < 100 {
			t.Errorf("%d different pauses in %d, want jitter", len(distinct), len(n.probes))
		}
	})
}

// A Changed that is slow, and itself reports, is told all in order, one at a time.
func TestChangesAreToldInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var again sync.Once
		n := &watched{t: t}
		n.Monitor = health.New(health.Options{
			Probe:    answer,
			Patience: time.Nanosecond,
			Changed: func(from, to health.State, why error) {
				time.Sleep(rand.N(100 * time.Millisecond))
				n.changed(from, to, why)
				if to == health.Up {
					again.Do(func() { n.Refused(errRefused) })
				}
			},
		})
		defer n.Close()
		for range 20 {
			n.Refused(errRefused)
			time.Sleep(rand.N(200 * time.Millisecond))
			n.TimedOut(errTimeout)
			time.Sleep(rand.N(200 * time.Millisecond))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n.last != health.Up || n.changeCount() < 20 {
			t.Errorf("told of %d changes, the last to %v", n.changeCount(), n.last)
		}
	})
}

// Nobody closes these: synctest fails the test if a goroutine is left.
func TestANodeThatIsUpCostsNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := health.New(health.Options{Probe: answer, Quarantine: quarantine})
		m.Refused(errRefused)
		synctest.Wait()
		m.TimedOut(errTimeout)
		time.Sleep(time.Minute)
		if got := m.State(); got != health.Up {
			t.Errorf("state is %v, want %v", got, health.Up)
		}
	})
}

func TestRandomReportsOfAHealthyNodeEndInUp(t *testing.T) {
	for name, behave := range map[string]func(context.Context) error{
		"healthy":       answer,
		"healthy later": sometimes,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, behave, func(t *testing.T, n *watched) {
				atOnce(8, func() {
					for range 500 {
						report(n)
						time.Sleep(rand.N(20 * time.Millisecond))
					}
				})
				n.nowDoes(answer)
				n.until(health.Up)
				if n.last != health.Up {
					t.Errorf("Changed was last told of %v, want %v", n.last, health.Up)
				}
			})
		})
	}
}

func report(n *watched) {
	switch rand.N(4) {
	case 0:
		n.TimedOut(errTimeout)
	case 1:
		n.Refused(errRefused)
	case 2:
		n.Usable()
	case 3:
		n.Since()
	}
}

// sometimes answers at once, late, or not at all.
func sometimes(ctx context.Context) error {
	switch rand.N(5) {
	case 0:
		return errRefused
	case 1:
		return hang(ctx)
	case 2:
		time.Sleep(rand.N(probeTimeout / 2))
	}
	return nil
}

func atOnce(count int, f func()) {
	var all sync.WaitGroup
	for range count {
		all.Go(f)
	}
	all.Wait()
}
