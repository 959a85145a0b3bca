package placement_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A login meets another renewal, and the outcome is unknown at first: the alias
// that decides is the second one on the way.
func TestLoginThroughTheFormerIDGivenAgain(t *testing.T) {
	for _, f := range []fate{answerLost, writeLost, late} {
		t.Run(string(f), func(t *testing.T) {
			s := newFaulty()
			c := newCluster(t, s)
			base := create(t, c, id)
			commit(t, c, id, base, renewal("r", newID))
			ch := login("ada", otherNewID)
			// The write under the new key, the alias in the place of base, which meets the
			// other renewal; a read of both; then the same in the new place.
			s.meet = script(happens, happens, happens, happens, happens, f, refused)
			_, err := c.Commit(t.Context(), id, base, ch)
			s.meet = nil
			wantError(t, "Commit", err, store.ErrUnknownOutcome)
			s.landAll()
			if v := commit(t, c, id, base, ch); v.Aliased {
				t.Error("the login is its own, and the view says aliased")
			}
			if got := load(t, c, otherNewID); count(got.Record, "ada") != 1 || got.Record.Login != 1 {
				t.Errorf("logged in %d times", count(got.Record, "ada"))
			}
		})
	}
}

// The alias is sent and gets no answer; the old place is read and has the
// session still; the alias happens; somebody follows it and commits. Neither the
// renewal's next try nor the one that is given again may write over that.
func TestRenewalNeverOverwritesWhatWasCommittedUnderTheNewID(t *testing.T) {
	for name, giveUp := range map[string]bool{"at once": false, "given again": true} {
		t.Run(name, func(t *testing.T) {
			s := newFaulty()
			c := newCluster(t, s)
			base := create(t, c, id)
			puts := 0
			s.meet = func(ctx context.Context, op operation) fate {
				switch op.verb {
				case "put":
					if puts++; puts == 2 { // the alias
						return late
					}
					if puts == 3 { // the next try under the new key
						s.landAll()
						follow(t, s)
					}
				case "get":
					if giveUp && s.count("get") == 1 {
						return refused
					}
				}
				return happens
			}
			ch := renewal("r", newID)
			v, err := c.Commit(t.Context(), id, base, ch)
			if giveUp {
				wantError(t, "Commit", err, store.ErrUnknownOutcome)
				v, err = c.Commit(t.Context(), id, base, ch)
			}
			if err != nil || v.Aliased {
				t.Fatalf("Commit: %v, error %v", v, err)
			}
			if r := load(t, c, newID).Record; count(r, "r") != 1 || count(r, "follower") != 1 {
				t.Errorf("r=%d follower=%d, want 1 and 1", count(r, "r"), count(r, "follower"))
			}
		})
	}
}

// follow commits through the former id, as another server does.
func follow(t *testing.T, s *faulty) {
	t.Helper()
	c := newCluster(t, s.Store)
	v := load(t, c, id)
	if !v.Aliased {
		t.Error("the alias does not stand")
	}
	commit(t, c, id, v, increment("follower"))
}

// A renewal that failed for certain may have left a record under the new id.
// Another change to the same new id must not take it for its own.
func TestNewIDOfAFailedRenewalCanBeUsedAgain(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	base := create(t, c, id)
	s.meet = script(happens, refused, refused, refused) // new key; alias, read, clearing away
	_, err := c.Commit(t.Context(), id, base, login("ada", newID))
	s.meet = nil
	if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrUnknownOutcome) {
		t.Fatalf("Commit: got %v, want an error that is certain", err)
	}
	if stored(t, s, key(newID)) == nil {
		t.Fatal("nothing was left under the new id: this test tests nothing")
	}
	commit(t, c, id, base, login("ada", newID))
	wantUnfound(t, c, id)
	if r := load(t, c, newID).Record; count(r, "ada") != 1 || r.Login != 1 {
		t.Errorf("logged in %d times", count(r, "ada"))
	}
}

// A change went through the former id and got no answer. It can be settled after
// the grace too: else it would be told ErrRenewed, and could happen yet.
func TestChangeThroughTheFormerIDIsSettledAfterTheGrace(t *testing.T) {
	for name, to := range map[string]string{"change": newID, "login": otherNewID} {
		for _, f := range []fate{answerLost, writeLost, late} {
			t.Run(name+" "+string(f), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newFaulty()
					c := newCluster(t, s)
					base := create(t, c, id)
					commit(t, c, id, base, renewal("r", newID))
					ch := increment("a")
					if name == "login" {
						ch = login("a", to)
					}
					s.meet = func(_ context.Context, op operation) fate {
						switch {
						case op == operation{"put", key(newID)}:
							return f
						case op == operation{"get", key(newID)} && s.count("get") > 2:
							return refused
						}
						return happens
					}
					_, err := c.Commit(t.Context(), id, base, ch)
					s.meet = nil
					wantError(t, "Commit", err, store.ErrUnknownOutcome)
					time.Sleep(grace)
					commit(t, c, id, base, ch)
					s.landAll()
					if r := load(t, c, to).Record; count(r, "a") != 1 || count(r, "r") != 1 {
						t.Errorf("a=%d r=%d, want 1 and 1", count(r, "a"), count(r, "r"))
					}
				})
			})
		}
	}
}

// A node that evicts the record under the new key before the alias stands: the
// session is still in its old place.
func TestRenewalWhoseNewRecordIsLostWritesItAgain(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	base := create(t, c, id)
	commit(t, c, id, base, increment("a"))
	puts := 0
	s.meet = func(ctx context.Context, op operation) fate {
		if op.verb == "put" {
			if puts++; puts == 3 { // the new key again, after the alias met a conflict
				_ = s.Store.Delete(ctx, key(newID), store.Any)
			}
		}
		return happens
	}
	commit(t, c, id, base, renewal("r", newID))
	if r := load(t, c, newID).Record; count(r, "r") != 1 || count(r, "a") != 1 {
		t.Errorf("r=%d a=%d, want 1 and 1", count(r, "r"), count(r, "a"))
	}
}

// The alias stands and its answer was lost, others have committed under the new
// id, and then the node evicts the record there: the session is lost. To give the
// renewal again must not bring back an old state of it.
func TestRenewalGivenAgainDoesNotBringBackALostSession(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	base := create(t, c, id)
	ch := renewal("r", newID)
	s.meet = script(happens, answerLost, refused)
	_, err := c.Commit(t.Context(), id, base, ch)
	s.meet = nil
	wantError(t, "Commit", err, store.ErrUnknownOutcome)
	follow(t, s)
	if err := s.Delete(t.Context(), key(newID), store.Any); err != nil {
		t.Fatal(err)
	}
	_, err = c.Commit(t.Context(), id, base, ch)
	wantError(t, "Commit", err, store.ErrNotFound)
	if stored(t, s, key(newID)) != nil {
		t.Error("the session is back")
	}
}

func TestRenewalAnswersWithTheStateThatItMade(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	base := create(t, c, id)
	ch := renewal("r", newID)
	s.meet = script(happens, answerLost, refused)
	_, err := c.Commit(t.Context(), id, base, ch)
	s.meet = nil
	wantError(t, "Commit", err, store.ErrUnknownOutcome)
	follow(t, s)
	v := commit(t, c, id, base, ch)
	if got := count(v.Record, sum); v.Aliased || got != 1 {
		t.Errorf("the answer has %d changes, aliased: %t; want 1, false", got, v.Aliased)
	}
}

func TestAliasesInACircleEnd(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	for from, to := range map[string]string{id: newID, newID: id} {
		alias := &record.Record{Kind: record.Alias, Target: key(to), Until: time.Now().Add(time.Hour)}
		item := store.Item{Value: newCodec(t).Append(nil, alias, key(from))}
		if _, err := s.Put(t.Context(), key(from), item, store.Any); err != nil {
			t.Fatal(err)
		}
	}
	wantUnfound(t, c, id)
}
