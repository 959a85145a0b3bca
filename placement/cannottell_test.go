package placement_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// away is the fate of everything while the node does not answer.
func away(context.Context, operation) fate { return refused }

// use calls everything that a request can do with the session of base.
func use(ctx context.Context, c *placement.Cluster, base *store.View) map[string]error {
	errs := map[string]error{}
	_, errs["Load"] = c.Load(ctx, id, "")
	_, errs["Commit"] = c.Commit(ctx, id, base, increment("a"))
	_, errs["creation"] = c.Commit(ctx, id, nil, increment("a"))
	_, errs["renewal"] = c.Commit(ctx, id, base, renewal("r", newID))
	_, errs["login"] = c.Commit(ctx, id, base, login("ada", newID))
	errs["Destroy"] = c.Destroy(ctx, base)
	return errs
}

func TestOutageIsNeverAbsenceAndChangesNothing(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	base := create(t, c, id)
	for what, meet := range map[string]func(context.Context, operation) fate{
		"the node refuses": away,
		"reads get no answer": func(_ context.Context, op operation) fate {
			if op.verb == "get" {
				return answerLost
			}
			return refused
		},
	} {
		s.meet = meet
		for name, err := range use(t.Context(), c, base) {
			wantError(t, what+": "+name, err, store.ErrUnavailable)
			if over(err) || errors.Is(err, store.ErrUnknownOutcome) {
				t.Errorf("%s: %s: got %v, want only that it is unavailable", what, name, err)
			}
		}
		s.meet = nil
		if v := load(t, c, id); v.Record.Revision != 1 || s.Len() != 1 {
			t.Errorf("%s: afterwards revision %d and %d items", what, v.Record.Revision, s.Len())
		}
	}
	if got := c.Stats().Unavailable; got == 0 {
		t.Error("nothing was counted")
	}
}

func TestNobodyIsLoggedOutWhenTheNodeReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		c := newCluster(t, s)
		commit(t, c, id, nil, settings(idle30, time.Time{}))
		s.meet = away
		for range 10 {
			time.Sleep(time.Minute)
			_, err := c.Load(t.Context(), id, "")
			wantError(t, "Load", err, store.ErrUnavailable)
		}
		s.meet = nil
		load(t, c, id)
	})
}

// unreadable are bytes that this program does not understand, and a later or
// another one may.
func unreadable(t *testing.T) map[string][]byte {
	good := newCodec(t).Append(nil, &record.Record{Epoch: 1, Revision: 1}, key(id))
	later := bytes.Clone(good)
	later[2]++
	damaged := bytes.Clone(good)
	damaged[len(damaged)-1] ^= 1
	return map[string][]byte{
		"of a later format":      later,
		"damaged":                damaged,
		"cut off":                good[:len(good)-5],
		"empty":                  {},
		"of somebody else":       []byte("hello"),
		"encrypted":              newCodec(t, bytes.Repeat([]byte{7}, record.KeySize)).Append(nil, &record.Record{}, key(id)),
		"moved from another key": newCodec(t).Append(nil, &record.Record{Epoch: 1, Revision: 1}, key(newID)),
	}
}

func TestUnreadableRecordIsReportedAndKept(t *testing.T) {
	for name, value := range unreadable(t) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFaulty()
				c := newCluster(t, s)
				base := create(t, c, id)
				put := store.Item{Value: value, Flags: 7, TTL: time.Hour}
				version, err := s.Put(t.Context(), key(id), put, store.Any)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(30 * time.Minute)
				for what, err := range use(t.Context(), c, base) {
					wantError(t, what, err, record.ErrUnreadable)
					if over(err) || errors.Is(err, store.ErrUnavailable) {
						t.Errorf("%s: got %v, want only that it is unreadable", what, err)
					}
				}
				synctest.Wait()
				item, err := s.Get(t.Context(), key(id), store.Whole)
				if err != nil || item.Version != version || item.TTL != 30*time.Minute || !bytes.Equal(item.Value, value) {
					t.Errorf("it became %+v, error %v", item, err)
				}
				if c.Stats().Unreadable == 0 {
					t.Error("it was not counted")
				}
			})
		})
	}
}

// What may have happened stays unknown, also when what stands there now cannot be read.
func TestUnreadableAfterAnUnknownOutcome(t *testing.T) {
	s := newFaulty()
	c := newCluster(t, s)
	base := create(t, c, id)
	ch := uncertain(t, s, c, base, answerLost)
	if _, err := s.Put(t.Context(), key(id), store.Item{Value: []byte("hello")}, store.Any); err != nil {
		t.Fatal(err)
	}
	_, err := c.Commit(t.Context(), id, base, ch)
	wantError(t, "Commit", err, record.ErrUnreadable)
	wantError(t, "Commit", err, store.ErrUnknownOutcome)
}

// Expiry is decided by what was read, so a node that does not answer after that
// can change nothing about it; what was written since is not replaced.
func TestExpiryReplacesOnlyWhatItHasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty()
		c := newCluster(t, s)
		base := commit(t, c, id, nil, settings(time.Minute, time.Time{}))
		time.Sleep(time.Minute + 5*time.Second)
		s.meet = func(ctx context.Context, op operation) fate {
			if op.verb == "put" { // the tombstone; a commit is faster
				s.meet = nil
				commit(t, newCluster(t, s.Store), id, base, increment("a"))
			}
			return happens
		}
		wantGone(t, c, record.Idle, false)
		if r := mustBeStored(t, s, key(id)); r.Kind != record.Session || count(r, "a") != 1 {
			t.Errorf("stored is kind %d", r.Kind)
		}
	})
}
