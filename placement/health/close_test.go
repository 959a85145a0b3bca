package health_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement/health"
)

func TestCloseEndsWhateverIsUnderWay(t *testing.T) {
	cases := []struct {
		name    string
		prepare func(n *watched)
		want    health.State
	}{
		{"nothing", func(*watched) {}, health.Up},
		{"a hanging probe", func(n *watched) {
			n.nowDoes(hang)
			n.Refused(errRefused)
		}, health.Suspect},
		{"the pause of a node that is Down", func(n *watched) { n.goneFor(time.Minute) }, health.Down},
		{"a quarantine", func(n *watched) {
			n.goneFor(time.Second)
			n.nowDoes(answer)
			n.until(health.Returning)
		}, health.Returning},
		{"a hanging Return", func(n *watched) {
			n.nowDoes(answer)
			n.deliver = hang
			n.TimedOut(errTimeout)
		}, health.Returning},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, answer, func(t *testing.T, n *watched) {
				c.prepare(n)
				n.wants(c.want)
				begun := time.Now()
				n.Close()
				if took := time.Since(begun); took > 0 {
					t.Errorf("Close took %v, want no time", took)
				}
				n.wants(c.want) // nothing is blamed on the node
				n.staysSilent()
			})
		})
	}
}

// staysSilent fails the test if a closed monitor still does something.
func (n *watched) staysSilent() {
	n.t.Helper()
	before, changes := n.probeCount(), n.changeCount()
	n.Refused(errRefused)
	n.TimedOut(errTimeout)
	time.Sleep(time.Minute)
	n.wantsProbes(before)
	if got := n.changeCount(); got != changes {
		n.t.Errorf("a closed monitor tells of %d changes", got-changes)
	}
}

func TestCloseCancelsTheProbeAndWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		m := health.New(health.Options{Probe: func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(10 * time.Second) // slow to give up
			if ctx.Err() != context.Canceled {
				t.Errorf("the probe's context ended with %v, want %v", ctx.Err(), context.Canceled)
			}
			ended = true
			return ctx.Err()
		}})
		m.Refused(errRefused)
		synctest.Wait()
		atOnce(2, m.Close) // twice does no harm
		if !ended {
			t.Error("Close did not wait for the probe")
		}
	})
}

func TestCloseTellsTheLastChange(t *testing.T) {
	inBubble(t, hang, func(t *testing.T, n *watched) {
		n.Refused(errRefused)
		synctest.Wait()
		n.TimedOut(errTimeout)
		n.Close()
		n.wantsChanges("suspect", "down")
	})
}

func TestCloseMeetsReports(t *testing.T) {
	inBubble(t, sometimes, func(t *testing.T, n *watched) {
		go atOnce(100, func() {
			time.Sleep(rand.N(100 * time.Millisecond))
			report(n)
		})
		time.Sleep(rand.N(100 * time.Millisecond))
		n.Close()
		n.staysSilent()
	})
}
