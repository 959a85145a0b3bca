package staging

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestStandstillsAreNoted(t *testing.T) {
	var p pulse
	for _, at := range []time.Duration{50, 110, 600, 2600, 2650} {
		p.beat(at * time.Millisecond)
	}
	if want := (Standstill{At: .6, Lasted: 2}); len(p.stills) != 1 || p.stills[0] != want {
		t.Errorf("got %v, want %v alone", p.stills, want)
	}
}

func TestAMachineThatRunsStandsStillNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &check{began: time.Now()}
		time.Sleep(time.Minute) // servers and nodes are started
		ctx, end := context.WithTimeout(t.Context(), time.Minute)
		defer end()
		c.feel(ctx)
		if len(c.pulse.stills) != 0 {
			t.Errorf("got %v", c.pulse.stills)
		}
	})
}

func TestAStandstillIsToldBesideAViolationAlone(t *testing.T) {
	r := sampleReport()
	r.Stood = nil
	if got := r.Caveat(); got != "" {
		t.Errorf("without a standstill: %q", got)
	}
	r = sampleReport()
	r.Wrong = nil
	if got := r.Caveat(); got != "" {
		t.Errorf("without a violation: %q", got)
	}
	if r = sampleReport(); r.Err() == nil {
		t.Error("a standstill excuses a violation")
	}
}
