package health_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement/health"
)

func TestARefusedRequestMakesSuspectAndAnAnswerUp(t *testing.T) {
	inBubble(t, answerSoon, func(t *testing.T, n *watched) {
		n.Refused(errRefused)
		if got := n.State(); got != health.Suspect {
			t.Errorf("state after Refused is %v, want %v", got, health.Suspect)
		}
		n.until(health.Up)
		n.wantsChanges("suspect", "up")
		n.wantsProbes(1)
		if n.whys[0] != errRefused || n.whys[1] != nil {
			t.Errorf("reasons: %v, want the request's error, then none", n.whys)
		}
	})
}

func TestASuspectNodeIsAskedUntilItsProbeFails(t *testing.T) {
	for name, behave := range map[string]func(context.Context) error{"refuse": refuse, "hang": hang} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, behave, func(t *testing.T, n *watched) {
				begun := time.Now()
				n.Refused(errRefused)
				n.until(health.Down)
				n.wantsChanges("suspect", "down")
				if n.lastWhy() == nil {
					t.Error("Down without a reason")
				}
				if took := time.Since(begun); took > probeTimeout {
					t.Errorf("Down after %v, want one probe's time, %v, at most", took, probeTimeout)
				}
			})
		})
	}
}

func TestAWaitInVainMakesDownAtOnce(t *testing.T) {
	inBubble(t, hang, func(t *testing.T, n *watched) {
		n.TimedOut(errTimeout)
		if n.Usable() {
			t.Error("usable after TimedOut: the next request would wait, too")
		}
		n.wantsProbes(1)
		n.wantsChanges("down")
		if why := n.lastWhy(); why != errTimeout {
			t.Errorf("reason: %v, want the request's error", why)
		}
	})
}

func TestAWaitInVainMakesASuspectNodeDown(t *testing.T) {
	inBubble(t, hang, func(t *testing.T, n *watched) {
		n.Refused(errRefused)
		n.wants(health.Suspect)
		n.TimedOut(errTimeout)
		n.wants(health.Down)
	})
}

// What the probe of a suspect node found may be older than the wait in vain.
func TestAnAnswerFromBeforeTheWaitInVainDoesNotCount(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, n *watched) {
		release := make(chan error)
		n.nowDoes(func(context.Context) error { return <-release })
		n.Refused(errRefused)
		synctest.Wait()
		n.TimedOut(errTimeout)
		n.nowDoes(hang)
		release <- nil
		n.wantsProbes(2) // the second at once
		n.wants(health.Down)
		n.wantsChanges("suspect", "down")
	})
}

func TestAnAnswerAfterItsTimeIsNone(t *testing.T) {
	late := func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	}
	inBubble(t, late, func(t *testing.T, n *watched) {
		n.Refused(errRefused)
		time.Sleep(probeTimeout)
		n.wants(health.Down)
	})
}

func TestANodeThatWasDownIsAskedAfterItsQuarantine(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, n *watched) {
		n.goneFor(10 * time.Second)
		n.nowDoes(answer)
		n.until(health.Returning)
		answered := n.Since()
		n.until(health.Up)
		got := n.Since().Sub(answered)
		if got < quarantine || got > quarantine+100*time.Millisecond {
			t.Errorf("asked %v after its first answer, want %v to 100ms more", got, quarantine)
		}
		n.wantsChanges("suspect", "down", "returning", "up")
		if n.returns != 1 {
			t.Errorf("Return ran %d times, want 1", n.returns)
		}
	})
}

func TestAReturningNodeIsProbedEvery100Milliseconds(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, n *watched) {
		n.goneFor(time.Second)
		n.nowDoes(answer)
		n.until(health.Returning)
		first := n.probeCount()
		n.until(health.Up)
		if got := n.probeCount() - first; got < 20 || got > 41 {
			t.Errorf("%d probes in a quarantine of %v, want one each 50 to 100ms", got, quarantine)
		}
	})
}

func TestAFailedProbeInQuarantineMakesDown(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, n *watched) {
		n.goneFor(time.Minute)
		n.nowDoes(answer)
		n.until(health.Returning)
		time.Sleep(quarantine / 2)
		n.nowDoes(refuse)
		n.until(health.Down)

		failed, before := time.Now(), n.probeCount()
		for n.probeCount() == before {
			time.Sleep(time.Millisecond)
			synctest.Wait()
		}
		if pause := time.Since(failed); pause < time.Second {
			t.Errorf("next probe after %v: the back-off began anew, want it to go on with 1 to 2s", pause)
		}
		n.nowDoes(answer)
		n.until(health.Returning)
		time.Sleep(quarantine - time.Millisecond)
		n.wants(health.Returning) // a whole quarantine again
		n.until(health.Up)
		n.wantsChanges("suspect", "down", "returning", "down", "returning", "up")
	})
}

func TestTheBackoffBeginsAnewAfterTheNodeWasUp(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, n *watched) {
		n.goneFor(time.Minute)
		n.nowDoes(answer)
		n.until(health.Up)
		before := n.probeCount()
		n.goneFor(time.Second)
		if got := n.probeCount() - before; got < 4 {
			t.Errorf("%d probes in the first second of an outage, want 4 or more", got)
		}
	})
}

func TestAFailingReturnKeepsTheNodeDown(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, n *watched) {
		errReturn := errors.New("the node refused a tombstone")
		n.deliver = func(context.Context) error { return errReturn }
		n.goneFor(time.Second)
		n.nowDoes(answer)
		n.until(health.Returning)
		n.until(health.Down)
		if why := n.lastWhy(); !errors.Is(why, errReturn) {
			t.Errorf("reason: %v, want the error of Return", why)
		}
		time.Sleep(time.Minute)
		n.Close()
		if slices.Contains(n.changes, "up") {
			t.Errorf("up without a Return that succeeded: %v", n.changes)
		}
	})
}

func TestReturnIsTriedAgain(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, n *watched) {
		n.deliver = func(ctx context.Context) error {
			if n.returns == 1 {
				return hang(ctx) // until its time is over
			}
			return nil
		}
		n.goneFor(time.Second)
		n.nowDoes(answer)
		n.until(health.Up)
		n.wantsChanges("suspect", "down", "returning", "down", "returning", "up")
		if n.returns != 2 {
			t.Errorf("Return ran %d times, want 2", n.returns)
		}
	})
}

func TestWithoutReturnChangedAndQuarantine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &watched{t: t, behave: refuse}
		m := health.New(health.Options{Probe: n.probe})
		defer m.Close()
		m.Refused(errRefused)
		synctest.Wait()
		if got := m.State(); got != health.Down {
			t.Fatalf("state is %v, want %v", got, health.Down)
		}
		n.nowDoes(answer)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := m.State(); got != health.Up {
			t.Errorf("state is %v, want %v", got, health.Up)
		}
	})
}

func TestStateNames(t *testing.T) {
	for state, want := range map[health.State]string{
		health.Up: "up", health.Suspect: "suspect", health.Down: "down", health.Returning: "returning", 9: "State(9)",
	} {
		if got := state.String(); got != want {
			t.Errorf("State(%d).String() = %q, want %q", uint8(state), got, want)
		}
	}
}

func BenchmarkUsable(b *testing.B) {
	m := health.New(health.Options{Probe: answer})
	defer m.Close()
	b.ReportAllocs()
	for b.Loop() {
		if !m.Usable() {
			b.Fatal("not usable")
		}
	}
}
