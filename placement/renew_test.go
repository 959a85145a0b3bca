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

func TestRenewedSessionIsFoundUnderItsNewIDAtOnce(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	base := commit(t, c, id, create(t, c, id), increment("a"))
	before := s.count("")
	v := commit(t, c, id, base, renewal("r", newID))
	if got := s.count("") - before; got != 2 {
		t.Errorf("it took %d operations, want 2", got)
	}
	if v.Aliased || v.Key != key(newID) || v.Record.Revision != base.Record.Revision+1 {
		t.Errorf("got a view of revision %d, aliased: %t, want revision %d of the new id", v.Record.Revision, v.Aliased, base.Record.Revision+1)
	}
	got := load(t, c, newID)
	if got.Aliased || count(got.Record, "a") != 1 || count(got.Record, "r") != 1 {
		t.Errorf("under the new id: a=%d r=%d, aliased: %t", count(got.Record, "a"), count(got.Record, "r"), got.Aliased)
	}
	v = commit(t, c, newID, v, increment("b")) // the view that the renewal gave is the newest
	if count(v.Record, "b") != 1 || c.Stats().Conflicts != 0 {
		t.Errorf("the view of the renewal was not that of what it stored")
	}
}

func TestFormerIDIsGoodWithinTheGraceAndDeadAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, newFaulty())
		base := create(t, c, id)
		commit(t, c, id, base, renewal("r", newID))

		time.Sleep(grace - time.Millisecond)
		v := load(t, c, id)
		if !v.Aliased {
			t.Error("a read through the former id does not say so")
		}
		v = commit(t, c, id, base, increment("under way"))
		if !v.Aliased || v.Key != key(newID) {
			t.Error("a commit under way does not say that it went through the former id")
		}
		time.Sleep(time.Millisecond)
		_, err := c.Load(t.Context(), id, "")
		if gone, ok := errors.AsType[*store.GoneError](err); !ok || gone.Reason != 0 {
			t.Errorf("Load after the grace: got %v, want that it was renewed", err)
		}
		_, err = c.Commit(t.Context(), id, base, increment("too late"))
		wantError(t, "Commit after the grace", err, store.ErrRenewed)
		if r := load(t, c, newID).Record; count(r, "under way") != 1 || count(r, "too late") != 0 {
			t.Errorf("got under way=%d, too late=%d, want 1 and 0", count(r, "under way"), count(r, "too late"))
		}
	})
}

func TestNegativeGraceIsNone(t *testing.T) {
	c := newCluster(t, newFaulty())
	base := create(t, c, id)
	ch := renewal("r", newID)
	ch.Grace = -1
	commit(t, c, id, base, ch)
	wantUnfound(t, c, id)
	_, err := c.Commit(t.Context(), id, base, increment("a"))
	wantError(t, "Commit", err, store.ErrRenewed)
}

func TestFormerIDFindsNothingAtOnceAfterALogin(t *testing.T) {
	c := newCluster(t, newFaulty())
	base := create(t, c, id)
	v := commit(t, c, id, base, login("ada", newID))
	if v.Aliased || v.Record.Owner != "ada" {
		t.Errorf("got owner %q, aliased: %t", v.Record.Owner, v.Aliased)
	}
	wantUnfound(t, c, id)
	for _, ch := range []*store.Change{increment("a"), renewal("r", otherNewID), login("eve", otherNewID)} {
		_, err := c.Commit(t.Context(), id, base, ch)
		wantError(t, "Commit of a request under way", err, store.ErrRenewed)
	}
	wantError(t, "Destroy by a request under way", c.Destroy(t.Context(), base), store.ErrRenewed)
	if r := load(t, c, newID).Record; r.Login != 1 || r.Owner != "ada" || count(r, "a") != 0 {
		t.Errorf("got owner %q in login %d with a=%d", r.Owner, r.Login, count(r, "a"))
	}
}

// Who has the session through its former id must not learn the new one: its
// login gets one of its own, and from then on both former ids find nothing.
func TestLoginThroughTheFormerID(t *testing.T) {
	c := newCluster(t, newFaulty())
	commit(t, c, id, create(t, c, id), renewal("r", newID))
	v := commit(t, c, id, load(t, c, id), login("ada", otherNewID))
	if v.Aliased {
		t.Error("the new id of a login is its own, and the view says aliased")
	}
	wantUnfound(t, c, id)
	wantUnfound(t, c, newID)
	if got := load(t, c, otherNewID); got.Aliased || got.Record.Owner != "ada" {
		t.Errorf("got owner %q, aliased: %t", got.Record.Owner, got.Aliased)
	}
}

// The same, when the outcome was unknown at first: the alias that decides is the
// second one on the way.
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

// A view that was reached through the former id stays so when its commit meets a
// conflict. Else the request would be given a cookie with an id of no session.
func TestViewThroughTheFormerIDStaysAliasedOverAConflict(t *testing.T) {
	for name, ch := range map[string]*store.Change{"change": increment("a"), "renewal": renewal("a", otherNewID)} {
		t.Run(name, func(t *testing.T) {
			s := newFaulty()
			c := newCluster(t, s)
			renewed := commit(t, c, id, create(t, c, id), renewal("r", newID))
			aliased := load(t, c, id)
			commit(t, c, newID, renewed, increment("b"))
			v := commit(t, c, id, aliased, ch)
			if !v.Aliased || count(v.Record, "a") != 1 || count(v.Record, "b") != 1 {
				t.Errorf("aliased: %t, a=%d, b=%d; want true, 1, 1", v.Aliased, count(v.Record, "a"), count(v.Record, "b"))
			}
			if stored(t, s, key(otherNewID)) != nil {
				t.Error("the renewal that was not needed left a record")
			}
		})
	}
}

func TestOfTwoRenewalsOneWinsAndTheOtherIsCommitted(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	base := create(t, c, id)
	commit(t, c, id, base, renewal("first", newID))
	v := commit(t, c, id, base, renewal("second", otherNewID))
	if !v.Aliased || v.Key != key(newID) {
		t.Error("the second renewal does not say that it was not needed")
	}
	if r := load(t, c, newID).Record; count(r, "first") != 1 || count(r, "second") != 1 {
		t.Errorf("first=%d second=%d, want 1 and 1", count(r, "first"), count(r, "second"))
	}
	if stored(t, s, key(otherNewID)) != nil {
		t.Error("the loser's record was left behind")
	}
	if got := c.Stats().RenewalsLost; got != 1 {
		t.Errorf("%d lost renewals counted, want 1", got)
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

func TestDestroyFollowsTheSessionToItsNewID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, newFaulty())
		base := create(t, c, id)
		commit(t, c, id, base, renewal("r", newID))
		time.Sleep(24 * time.Hour) // a WebSocket that is open since before the renewal
		if err := c.Destroy(t.Context(), base); err != nil {
			t.Fatal(err)
		}
		wantUnfound(t, c, id)
		wantUnfound(t, c, newID)
	})
}

// DESTROY ends the old place while a renewal has written the new one: the alias
// is refused, and what was written is cleared away.
func TestDestroyBetweenTheTwoWritesOfARenewal(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	base := create(t, c, id)
	puts := 0
	s.meet = func(ctx context.Context, op operation) fate {
		if op.verb == "put" {
			if puts++; puts == 2 {
				if err := newCluster(t, s.Store).Destroy(ctx, base); err != nil {
					t.Error(err)
				}
			}
		}
		return happens
	}
	_, err := c.Commit(t.Context(), id, base, renewal("r", newID))
	wantError(t, "Commit", err, store.ErrDestroyed)
	wantUnfound(t, c, id)
	wantUnfound(t, c, newID)
	if stored(t, s, key(newID)) != nil {
		t.Error("the record under the new id was left behind")
	}
}

func TestRenewedSessionKeepsItsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		c := newCluster(t, s)
		base := commit(t, c, id, nil, settings(idle30, time.Now().Add(time.Hour)))
		commit(t, c, id, base, renewal("r", newID))
		if got, want := timeLeft(t, s, key(newID)), 33*time.Minute+45*time.Second; got != want {
			t.Errorf("the session has %v left, want %v", got, want)
		}
		if got, want := timeLeft(t, s, key(id)), 37*time.Minute+30*time.Second; got != want {
			t.Errorf("the alias has %v left, want %v", got, want)
		}
		time.Sleep(20 * time.Minute)
		load(t, c, newID)
		time.Sleep(30 * time.Minute)
		load(t, c, newID)
		time.Sleep(10 * time.Minute)
		wantUnfound(t, c, newID) // its deadline
	})
}
