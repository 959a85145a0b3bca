package placement_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func TestUnknownIDIsLookedForOnceInAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		c := newCluster(t, s)
		for range 100 {
			wantUnfound(t, c, id)
		}
		time.Sleep(5*time.Second - time.Millisecond)
		wantUnfound(t, c, id)
		if got := s.count(""); got != 1 {
			t.Errorf("%d operations, want 1", got)
		}
		if st := c.Stats(); st.UnknownIDs != 101 || st.UnknownRepeated != 100 {
			t.Errorf("counted %d, of these %d from memory; want 101 and 100", st.UnknownIDs, st.UnknownRepeated)
		}
		time.Sleep(15 * time.Second)
		wantUnfound(t, c, id)
		if got := s.count(""); got != 2 {
			t.Errorf("%d operations after a while, want 2", got)
		}
	})
}

func TestUnknownIDIsRememberedForFiveSeconds(t *testing.T) {
	for phase := time.Duration(0); phase < 10*time.Second; phase += 490 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			s := newFaulty()
			c := newCluster(t, s)
			time.Sleep(phase)
			wantUnfound(t, c, id)
			for range 49 {
				time.Sleep(100 * time.Millisecond)
				wantUnfound(t, c, newID)
			}
			before := s.count("")
			wantUnfound(t, c, id)
			if s.count("") != before {
				t.Errorf("first asked for %v after the start: forgotten within 4.9 s", phase)
			}
		})
	}
}

func TestUnknownIDIsForgottenAlsoWhileOthersAreAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		c := newCluster(t, s)
		wantUnfound(t, c, id)
		for i := range 15 {
			time.Sleep(time.Second)
			wantUnfound(t, c, fmt.Sprint("other", i))
		}
		before := s.count("")
		wantUnfound(t, c, id)
		if got := s.count("") - before; got != 1 {
			t.Errorf("after 15 s it was looked for %d times, want 1", got)
		}
	})
}

func TestWhatCouldNotBeAskedIsNotRemembered(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	create(t, newCluster(t, s.Store), id)
	s.meet = script(refused, answerLost)
	for range 2 {
		_, err := c.Load(t.Context(), id, "")
		wantError(t, "Load", err, store.ErrUnavailable)
	}
	load(t, c, id)
}

func TestCreatedAndRenewedIDsAreFoundAtOnceAmongUnknownOnes(t *testing.T) {
	c := newCluster(t, newFaulty())
	wantUnfound(t, c, otherNewID)
	v := create(t, c, id)
	load(t, c, id)
	commit(t, c, id, v, renewal("r", newID))
	load(t, c, newID)
	load(t, c, id)
}
