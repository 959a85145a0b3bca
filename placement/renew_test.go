package placement_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

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

func TestFormerIDTellsWhetherALoginWasLately(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, newFaulty())
		commit(t, c, id, create(t, c, id), login("ada", newID))
		for _, lately := range []bool{true, false} {
			_, err := c.Load(t.Context(), id, "")
			gone, ok := errors.AsType[*store.GoneError](err)
			if !ok || gone.Reason != 0 || gone.Lately != lately {
				t.Errorf("Load: got %#v, want that it was renewed, lately: %t", err, lately)
			}
			time.Sleep(grace)
		}
	})
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
