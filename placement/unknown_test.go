package placement_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// uncertain returns a change whose only write had the fate f, and then nothing
// more could be asked: it ended with ErrUnknownOutcome.
func uncertain(t *testing.T, s *faulty, c *placement.Cluster, base *store.View, f fate) *store.Change {
	t.Helper()
	ch := increment("a")
	s.meet = script(f, refused)
	_, err := c.Commit(t.Context(), id, base, ch)
	s.meet = nil
	wantError(t, "Commit", err, store.ErrUnknownOutcome)
	wantError(t, "Commit", err, store.ErrUnavailable)
	return ch
}

func TestUncertainChangeGivenAgainHappensOnce(t *testing.T) {
	for _, f := range []fate{answerLost, writeLost, late} {
		for _, meanwhile := range []int{0, 1, 5} {
			t.Run(fmt.Sprintf("it %s, %d changes later", f, meanwhile), func(t *testing.T) {
				s := newFaulty()
				c := newCluster(t, s)
				base := create(t, c, id)
				ch := uncertain(t, s, c, base, f)
				v := load(t, c, id)
				for range meanwhile {
					v = commit(t, c, id, v, increment("b"))
				}
				s.landAll()
				told := commit(t, c, id, base, ch)
				s.landAll()
				got := load(t, c, id).Record
				if count(got, "a") != 1 || count(got, "b") != meanwhile {
					t.Errorf("got a=%d b=%d, want 1 and %d", count(got, "a"), count(got, "b"), meanwhile)
				}
				if count(told.Record, "a") != 1 {
					t.Error("the answer does not have the change")
				}
				if f == answerLost && count(told.Record, sum) != 1 {
					t.Errorf("the answer has %d changes, the change made the first", count(told.Record, sum))
				}
				commit(t, c, id, told, increment("next"))
				if r := load(t, c, id).Record; count(r, sum) != meanwhile+2 {
					t.Errorf("a commit after it made the sum %d, want %d", count(r, sum), meanwhile+2)
				}
			})
		}
	}
}

// Base is older than the state that the uncertain write was to replace.
func TestUncertainChangeGivenAgainWithAnOldBase(t *testing.T) {
	for _, f := range []fate{answerLost, writeLost, late} {
		t.Run(string(f), func(t *testing.T) {
			s := newFaulty()
			c := newCluster(t, s)
			base := create(t, c, id)
			commit(t, c, id, base, increment("b"))
			ch := increment("a")
			s.meet = script(happens, happens, f, refused) // a conflict, a read, the write, a read
			_, err := c.Commit(t.Context(), id, base, ch)
			s.meet = nil
			wantError(t, "Commit", err, store.ErrUnknownOutcome)
			commit(t, c, id, base, ch)
			s.landAll()
			if got := load(t, c, id).Record; count(got, "a") != 1 || count(got, "b") != 1 {
				t.Errorf("got a=%d b=%d, want 1 and 1", count(got, "a"), count(got, "b"))
			}
		})
	}
}

func TestUncertainChangeIsNeverRepeatedWhenItsCommitIDMayBeForgotten(t *testing.T) {
	for _, f := range []fate{answerLost, writeLost} {
		for meanwhile := range 2 * record.MaxCommits {
			s := newFaulty()
			c := newCluster(t, s)
			base := create(t, c, id)
			ch := uncertain(t, s, c, base, f)
			v := load(t, c, id)
			for range meanwhile {
				v = commit(t, c, id, v, increment("b"))
			}
			_, err := c.Commit(t.Context(), id, base, ch)
			happened := 0
			if f == answerLost || err == nil {
				happened = 1
			}
			if got := count(load(t, c, id).Record, "a"); got != happened {
				t.Errorf("it %s, %d changes later: applied %d times, error %v", f, meanwhile, got, err)
			}
			if toldApart := meanwhile < record.MaxCommits || f == writeLost && meanwhile == record.MaxCommits; toldApart != (err == nil) {
				t.Errorf("it %s, %d changes later: got error %v", f, meanwhile, err)
			}
			if err != nil {
				wantError(t, "Commit", err, store.ErrUnknownOutcome)
			}
		}
	}
}

// With many changes at the same time one that had an unknown outcome early may
// be refused more often than a record remembers commits. Each READ in between
// tells that it has not happened.
func TestChangeKnownNotToHaveHappenedIsUncertainNoMore(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	v := create(t, c, id)
	ch, rivals := increment("a"), 0
	puts := 0
	s.meet = func(ctx context.Context, op operation) fate {
		if op.verb != "put" {
			return happens
		}
		if puts++; puts == 1 {
			return writeLost
		}
		if rivals < 2*record.MaxCommits { // somebody else is faster
			rivals++
			var err error
			if v, err = newCluster(t, s.Store).Commit(ctx, id, v, increment("b")); err != nil {
				t.Error(err)
			}
		}
		return happens
	}
	got := commit(t, c, id, v, ch).Record
	if count(got, "a") != 1 || count(got, "b") != rivals {
		t.Errorf("got a=%d b=%d, want 1 and %d", count(got, "a"), count(got, "b"), rivals)
	}
}

// An error that does not match ErrUnknownOutcome is a promise: the change has
// not happened and will not. Whatever ends a commit, while an earlier write of
// it may still happen it is not given.
func TestNoErrorHidesThatAnEarlierWriteMayStillHappen(t *testing.T) {
	refusal := errors.New("no")
	for name, c := range map[string]struct {
		fates []fate
		apply func(times int) error
	}{
		"the server is full":       {[]fate{late, happens, full}, nil},
		"the server is away":       {[]fate{late, happens, refused, refused}, nil},
		"the function refuses":     {[]fate{late, happens}, func(times int) error { return map[int]error{2: refusal}[times] }},
		"the answer does not come": {[]fate{late, refused}, nil},
	} {
		for _, renewTo := range []string{"", newID} {
			t.Run(name+" "+renewTo, func(t *testing.T) {
				s := newFaulty()
				cl := newCluster(t, s)
				base := create(t, cl, id)
				ch, times := increment("a"), 0
				apply := ch.Apply
				ch.RenewTo = renewTo
				ch.Apply = func(r *record.Record) error {
					if times++; c.apply != nil && c.apply(times) != nil {
						return c.apply(times)
					}
					return apply(r)
				}
				if renewTo != "" { // the fates are of what follows the write under the new key
					s.meet = script(append([]fate{happens}, c.fates...)...)
				} else {
					s.meet = script(c.fates...)
				}
				_, err := cl.Commit(t.Context(), id, base, ch)
				wantError(t, "Commit", err, store.ErrUnknownOutcome)
				if c.apply != nil {
					wantError(t, "Commit", err, refusal)
				}
			})
		}
	}
}

// The change is given again with its old base, whose write can never happen, and
// that write gets no answer either: the one that may still happen is another.
func TestSecondUnknownOutcomeDoesNotHideTheFirst(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	base := create(t, c, id)
	commit(t, c, id, base, increment("b"))
	ch := increment("a")
	for _, fates := range [][]fate{
		{happens, happens, late, refused}, // a conflict, a read, the write, a read
		{writeLost, happens, refused, refused},
	} {
		s.meet = script(fates...)
		_, err := c.Commit(t.Context(), id, base, ch)
		wantError(t, "Commit", err, store.ErrUnknownOutcome)
	}
}

// Creation that had an unknown outcome does not become "the store has lost it".
func TestUncertainCreation(t *testing.T) {
	for _, f := range []fate{answerLost, writeLost, late} {
		t.Run(string(f), func(t *testing.T) {
			s := newFaulty()
			c := newCluster(t, s)
			ctx, cancel := context.WithCancel(t.Context())
			s.meet = func(_ context.Context, op operation) fate {
				if op.verb == "get" {
					cancel() // after this last answer there is no time left
					return happens
				}
				return f
			}
			ch := increment("a")
			_, err := c.Commit(ctx, id, nil, ch)
			wantError(t, "Commit", err, store.ErrUnknownOutcome)
			s.meet = nil
			commit(t, c, id, nil, ch)
			s.landAll()
			if got := count(load(t, c, id).Record, "a"); got != 1 {
				t.Errorf("made %d times", got)
			}
		})
	}
}

// A creation whose session came, ended and left a tombstone is over.
func TestUncertainCreationGivenAgainAfterTheSessionEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		c := newCluster(t, s)
		s.meet = script(answerLost, refused)
		ch := settings(time.Minute, time.Time{})
		_, err := c.Commit(t.Context(), id, nil, ch)
		wantError(t, "Commit", err, store.ErrUnknownOutcome)
		s.meet = nil
		time.Sleep(time.Minute + 6*time.Second)
		wantGone(t, c, record.Idle, true)
		before := s.count("")
		_, err = c.Commit(t.Context(), id, nil, ch)
		wantError(t, "Commit", err, store.ErrNotFound)
		if got := s.count("") - before; got != 1 {
			t.Errorf("it took %d operations, want a read", got)
		}
	})
}
