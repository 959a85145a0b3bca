package placement_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// Each of these went wrong once.

// createAt creates a session whose home is the node called home.
func createAt(t *testing.T, c *placement.Cluster, home string) (string, *store.View) {
	t.Helper()
	for i := range 1000 {
		id := fmt.Sprintf("EXAMPLEEXAMPLEEXAMPLE%05d", i)
		if v := create(t, c, id); v.Record.Members[0] == home {
			return id, v
		}
	}
	t.Fatalf("no session has its home at %s", home)
	return "", nil
}

func TestDrainedMembersAreLeft(t *testing.T) {
	for _, drained := range []string{"n1", "n2"} {
		t.Run(drained, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newNodes(3).server(t, "app", 3, placement.Options{})
				id, _ := createAt(t, c, "n1")
				if err := c.Drain(drained); err != nil {
					t.Fatal(err)
				}
				v := commit(t, c, id, load(t, c, id), increment("a"))
				if slices.Contains(v.Record.Members, drained) {
					t.Errorf("the session lies on %v, and %s is drained", v.Record.Members, drained)
				}
			})
		})
	}
}

// Load finds both nodes; one of them hangs and another request finds that out; only
// then the session is destroyed.
func TestNodeThatWentDownSinceTheReadIsOwedTheTombstone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		c := all.server(t, "app", 2, placement.Options{})
		id, _ := createAt(t, c, "n1")
		otherID, other := createAt(t, c, "n2")
		v := load(t, c, id)
		all[1].Freeze()
		commit(t, c, otherID, other, increment("a"))
		if err := c.Destroy(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		if got := c.Stats().EndsOwed; got != 1 {
			t.Errorf("%d ends owed, want 1", got)
		}
		all[1].Thaw()
		time.Sleep(time.Minute)
		all[0].Kill()
		wantUnfound(t, c, id)
	})
}

func TestDestroyIsNotAcknowledgedWhileNoNodeAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		c := all.server(t, "app", 2, placement.Options{})
		v := create(t, c, id)
		for _, n := range all {
			n.Freeze()
		}
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		_, err := c.Load(ctx, id, "")
		wantError(t, "Load", err, store.ErrUnavailable)
		wantError(t, "Destroy", c.Destroy(t.Context(), v), store.ErrUnavailable)
	})
}

func TestTombstoneOutlivesTheRecordThatItReplaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		c := all.server(t, "app", 2, placement.Options{})
		base := commit(t, c, id, nil, settings(time.Minute, time.Time{}))
		commit(t, c, id, load(t, c, id), change(func(r *record.Record) { r.IdleTimeout = time.Hour }))
		if err := c.Destroy(t.Context(), base); err != nil {
			t.Fatal(err)
		}
		for i, n := range all {
			if got := timeLeft(t, n.Client("looker"), key(id)); got <= time.Hour {
				t.Errorf("n%d: the tombstone has %v left, and copies live longer than an hour", i+1, got)
			}
		}
	})
}

// The answers of a creation are lost, so it is given again, perhaps to other nodes.
func TestCreationGivenAgainIsOneSession(t *testing.T) {
	for range 30 {
		synctest.Test(t, func(t *testing.T) {
			all := newNodes(4)
			c := all.server(t, "app", 4, placement.Options{})
			for _, n := range all {
				n.Intercept(func(ctx context.Context, call faultstore.Call, next func() error) error {
					err := next()
					if call.Verb == "put" {
						<-ctx.Done()
						return fmt.Errorf("%w: %w", store.ErrUnknownOutcome, ctx.Err())
					}
					return err
				})
			}
			ch := settings(0, time.Time{})
			ctx, cancel := context.WithTimeout(t.Context(), timeout/4)
			_, err := c.Commit(ctx, id, nil, ch)
			cancel()
			wantError(t, "creation", err, store.ErrUnknownOutcome)
			for _, n := range all {
				n.Intercept(nil)
			}
			commit(t, c, id, commit(t, c, id, nil, ch), increment("a"))
			for _, hint := range []string{"n1", "n2", "n3", "n4"} {
				got, err := c.Load(t.Context(), id, hint)
				if err != nil || count(got.Record, "a") != 1 {
					t.Errorf("with the hint %s: %+v, error %v", hint, got, err)
				}
			}
		})
	}
}

// While the alias of a renewal is on its way the list grows, and another server
// moves the session to nodes that the renewal did not know when it began.
func TestNodesAddedDuringARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(4)
		c := all.server(t, "app", 2, placement.Options{})
		other := all.server(t, "other", 4, placement.Options{})
		id, v := createAt(t, c, "n1")
		var once sync.Once
		all[0].Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			if call.Client == "app" && call.Verb == "put" && call.Key == key(id) {
				once.Do(func() {
					if err := errors.Join(c.SetNodes(all.list("app", 4)), other.SetNodes(all.list("other", 4)[2:])); err != nil {
						t.Error(err)
					}
					for range 3 {
						commit(t, other, id, load(t, other, id), increment("b"))
					}
				})
			}
			return next()
		})
		if got := commit(t, c, id, v, renewal("r", newID)); count(got.Record, "b") != 3 || count(got.Record, "r") != 1 {
			t.Errorf("b=%d r=%d, want 3 and 1", count(got.Record, "b"), count(got.Record, "r"))
		}
	})
}

// A full node answers, takes nothing, and drops what it had.
func TestFullNodeStopsNothing(t *testing.T) {
	for _, size := range []int{2, 3} {
		t.Run(fmt.Sprint(size, " nodes"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := newNodes(size)
				c := all.server(t, "app", size, placement.Options{})
				_, leaving := createAt(t, c, "n1")
				id, v := createAt(t, c, "n2")
				all[1].Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
					if call.Verb == "put" {
						return store.ErrFull
					}
					return next()
				})
				v = commit(t, c, id, v, increment("a"))
				commit(t, c, id, v, renewal("r", otherNewID))
				create(t, c, newID)
				if err := c.Destroy(t.Context(), leaving); err != nil {
					t.Error(err)
				}
				before := all[1].Calls()
				time.Sleep(time.Minute)
				if got := all[1].Calls() - before; got > 3000 {
					t.Errorf("%d calls to the full node in a minute", got)
				}
				for _, n := range c.Nodes() {
					if n.State != "up" {
						t.Errorf("%s is %s", n.Name, n.State)
					}
				}
			})
		})
	}
}

func TestOneNodeStaysAlone(t *testing.T) {
	all := newNodes(2)
	c := all.server(t, "app", 1, placement.Options{})
	if err := c.SetNodes(all.list("app", 2)); err == nil {
		t.Error("a second node was taken, which nobody would watch")
	}
}

// A node is drained, and a server starts with a list without it while it still
// stands in a session's record as leaving.
func TestNodeThatASessionHasLeftNeedNotBeKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(3)
		c := all.server(t, "a", 3, placement.Options{})
		id, _ := createAt(t, c, "n1")
		if err := c.Drain("n2"); err != nil {
			t.Fatal(err)
		}
		v := commit(t, c, id, load(t, c, id), increment("a"))
		if !slices.Contains(v.Record.Leaving, "n2") {
			t.Fatalf("leaving %v, want n2", v.Record.Leaving)
		}
		list := slices.Delete(all.list("b", 3), 1, 2)
		fresh, err := placement.New(list, placement.Options{Codec: newCodec(t), Timeout: timeout})
		if err != nil {
			t.Fatal(err)
		}
		defer fresh.Close()
		if got := commit(t, fresh, id, load(t, fresh, id), increment("a")); count(got.Record, "a") != 2 || len(got.Record.Leaving) != 0 {
			t.Errorf("a=%d, leaving %v", count(got.Record, "a"), got.Record.Leaving)
		}
	})
}
