package placement_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

func TestDestroyedSessionIsGoneForGood(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	v := create(t, c, id)
	before := s.count("")
	if err := c.Destroy(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if got := s.count("") - before; got != 1 {
		t.Errorf("it took %d operations, want 1", got)
	}
	_, err := c.Load(t.Context(), id, "")
	if gone, ok := errors.AsType[*store.GoneError](err); !ok || gone.Reason != record.Logout || gone.Ended != nil {
		t.Errorf("Load: got %v, want that it ended by logout", err)
	}
	_, err = c.Commit(t.Context(), id, v, increment("a"))
	wantError(t, "Commit of a request under way", err, store.ErrDestroyed)
	if err := c.Destroy(t.Context(), v); err != nil {
		t.Errorf("destroying it again: %v", err)
	}
	if r := mustBeStored(t, s, key(id)); r.Kind != record.Tombstone || len(r.Attributes()) > 0 {
		t.Errorf("stored is kind %d with %d attributes, want a tombstone with none", r.Kind, len(r.Attributes()))
	}
}

// An error that does not match ErrUnknownOutcome promises that the session lives.
func TestUncertainDestruction(t *testing.T) {
	for name, c := range map[string]struct {
		fates []fate
		want  error
	}{
		"given up at once":           {[]fate{late, refused}, store.ErrUnknownOutcome},
		"given up when full":         {[]fate{late, happens, full}, store.ErrUnknownOutcome},
		"given up after a conflict":  {[]fate{late, happens, collides, refused}, store.ErrUnknownOutcome},
		"refused":                    {[]fate{refused, refused}, store.ErrUnavailable},
		"found to have happened":     {[]fate{answerLost}, nil},
		"repeated":                   {[]fate{writeLost}, nil},
		"repeated, and twice in all": {[]fate{late}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFaulty()
			cl := newCluster(t, s)
			v := create(t, cl, id)
			s.meet = script(c.fates...)
			err := cl.Destroy(t.Context(), v)
			s.meet = nil
			wantError(t, "Destroy", err, c.want)
			if unknown := errors.Is(err, store.ErrUnknownOutcome); unknown != (c.want == store.ErrUnknownOutcome) {
				t.Errorf("got %v", err)
			}
			s.landAll()
			if c.want == nil {
				wantUnfound(t, cl, id)
			}
		})
	}
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

// The same, when at first the alias got no answer: that the session was destroyed
// says that it cannot stand any more, so nothing is left behind then either.
func TestDestroyAfterAnUncertainAlias(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	base := create(t, c, id)
	s.meet = func(ctx context.Context, op operation) fate {
		switch {
		case op.verb == "get" && s.count("get") == 1:
			if err := newCluster(t, s.Store).Destroy(ctx, base); err != nil {
				t.Error(err)
			}
		case op.verb == "put" && s.count("put") == 3: // the creation, the new key, the alias
			return late
		}
		return happens
	}
	_, err := c.Commit(t.Context(), id, base, renewal("r", newID))
	wantError(t, "Commit", err, store.ErrDestroyed)
	s.landAll()
	wantUnfound(t, c, id)
	if stored(t, s, key(newID)) != nil {
		t.Error("the record under the new id was left behind")
	}
}

func TestTombstoneLivesAsLongAsACopyCould(t *testing.T) {
	for _, c := range []struct{ idle, want time.Duration }{
		{30 * time.Minute, 37*time.Minute + 30*time.Second},
		{25 * day, 30 * day},
		{0, 30 * day},
		{60 * day, 30 * day},
	} {
		t.Run(c.idle.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFaulty()
				cl := newCluster(t, s)
				v := commit(t, cl, id, nil, settings(c.idle, time.Time{}))
				if err := cl.Destroy(t.Context(), v); err != nil {
					t.Fatal(err)
				}
				for range 5 { // reads must not make it longer, nor shorter
					_, _ = newCluster(t, s).Load(t.Context(), id, "")
					synctest.Wait()
				}
				if got := timeLeft(t, s, key(id)); got != c.want {
					t.Errorf("the tombstone has %v left, want %v", got, c.want)
				}
			})
		})
	}
}

// The session was read when its nodes answered. The third one cannot end it for them.
func TestALogoutIsNotAcknowledgedByANodeThatNeverHadTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(3)
		c, other := all.server(t, "app", 3, placement.Options{}), all.server(t, "other", 3, placement.Options{})
		id, _ := createAt(t, other, "n1")
		v := load(t, c, id)
		for i, n := range all {
			if slices.Contains(v.Record.Members, fmt.Sprint("n", i+1)) {
				n.Cut("app")
			}
		}
		_, _ = c.Load(t.Context(), newID, "") // finds out
		time.Sleep(time.Second)
		if err := c.Destroy(t.Context(), v); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("got %v, want unavailable: whoever reaches its nodes still has the session", err)
		}
		commit(t, other, id, load(t, other, id), increment("a"))
	})
}
