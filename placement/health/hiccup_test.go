package health_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement/health"
)

func TestAHiccupIsForgivenAtOnce(t *testing.T) {
	inBubble(t, answer, func(t *testing.T, n *watched) {
		begun := time.Now()
		n.TimedOut(errTimeout)
		n.wants(health.Up)
		n.wantsChanges("down", "returning", "up")
		n.wantsProbes(1)
		if !n.Since().Equal(begun) {
			t.Errorf("up %v after the hiccup, want at once", n.Since().Sub(begun))
		}
		if n.returns != 1 {
			t.Errorf("Return ran %d times, want 1: a tombstone may have missed the node", n.returns)
		}
	})
}

func TestAfterAFailedProbeItIsNoHiccup(t *testing.T) {
	inBubble(t, hang, func(t *testing.T, n *watched) {
		n.TimedOut(errTimeout)
		time.Sleep(probeTimeout)
		synctest.Wait()
		n.nowDoes(answer)
		n.until(health.Returning)
		time.Sleep(quarantine - time.Millisecond)
		n.wants(health.Returning)
	})
}

func TestTheThirdHiccupWithinTenSecondsIsNotForgiven(t *testing.T) {
	cases := []struct {
		name  string
		apart time.Duration
		want  []health.State // after each
	}{
		{"close", 4 * time.Second, []health.State{health.Up, health.Up, health.Returning, health.Returning}},
		{"far apart", 5 * time.Second, []health.State{health.Up, health.Up, health.Up, health.Up}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, answer, func(t *testing.T, n *watched) {
				for _, want := range c.want {
					n.TimedOut(errTimeout)
					n.wants(want)
					time.Sleep(c.apart)
				}
				n.wants(health.Up)
			})
		})
	}
}

func TestTheUnforgivenHiccupWaitsOutTheQuarantine(t *testing.T) {
	inBubble(t, answer, func(t *testing.T, n *watched) {
		for range 2 {
			n.TimedOut(errTimeout)
			n.wants(health.Up)
			time.Sleep(probeTimeout) // the patience of requests
		}
		n.TimedOut(errTimeout)
		time.Sleep(quarantine - time.Millisecond)
		n.wants(health.Returning)
		n.until(health.Up)
	})
}

// All requests under way when this process was stopped report when it goes on,
// the last ones after the node has come back.
func TestLateWaitsInVainAreOneHiccup(t *testing.T) {
	inBubble(t, answer, func(t *testing.T, n *watched) {
		for range 1000 {
			n.TimedOut(errTimeout)
			n.wants(health.Up)
		}
		time.Sleep(probeTimeout - 1)
		n.TimedOut(errTimeout)
		n.wantsChanges("down", "returning", "up")
		n.wantsProbes(1)
	})
}

func TestAWaitInVainBegunAfterTheNodeCameBackCounts(t *testing.T) {
	inBubble(t, answer, func(t *testing.T, n *watched) {
		n.TimedOut(errTimeout)
		n.wants(health.Up)
		time.Sleep(probeTimeout)
		n.nowDoes(hang)
		n.TimedOut(errTimeout)
		n.wants(health.Down)
	})
}

func TestALateRefusalCostsOneProbe(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, n *watched) {
		n.goneFor(time.Second)
		n.nowDoes(answer)
		n.until(health.Up)
		before := n.probeCount()
		n.Refused(errRefused)
		if !n.Usable() {
			t.Error("not usable after a late report")
		}
		n.wants(health.Up)
		n.wantsProbes(before + 1)
	})
}
