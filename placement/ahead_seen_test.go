package placement_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// The copy took a change that the home had refused, and its server is no more. The next
// change sees that, and then reaches the home alone: its revision must be above both, or
// nobody would find out what the copy lacks.
func TestACopyThatWasAheadIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		dying, other := all.server(t, "dying", 2, placement.Options{}), all.server(t, "other", 2, placement.Options{})
		id, before := createAt(t, dying, "n1")
		takenByCopyAlone(t, all, dying, id, before)
		v := load(t, other, id)
		hang(all[1], "other", "put")
		commit(t, other, id, v, increment("other"))
		all[1].Intercept(nil)
		wantCopyMended(t, all, other, id)
	})
}

// As above, but whoever made that change dies as well. Once it was read it stays.
func TestAChangeBesideACopyThatIsAheadStaysOnceItIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		dying, next := all.server(t, "dying", 2, placement.Options{}), all.server(t, "next", 2, placement.Options{})
		other := all.server(t, "other", 2, placement.Options{})
		id, before := createAt(t, dying, "n1")
		takenByCopyAlone(t, all, dying, id, before)
		v := load(t, next, id)
		hang(all[1], "next", "put")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := next.Commit(ctx, id, v, increment("other")); !errors.Is(err, store.ErrUnknownOutcome) {
			t.Fatalf("the change that only the home took: %v", err)
		}
		all[1].Intercept(nil)
		wantCopyMended(t, all, other, id)
	})
}

// The home took one change and the copy another, made of the same state: nothing but
// what they say tells the two apart. The first is found at home while the copy does not
// answer, and acknowledged: the copy must be seen to lack it when it is back.
func TestACopyThatTookAnotherChangeIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		dying, other := all.server(t, "dying", 2, placement.Options{}), all.server(t, "other", 2, placement.Options{})
		id, before := createAt(t, dying, "n1")
		v := load(t, other, id)
		takenByCopyAlone(t, all, dying, id, before)
		hang(all[1], "other", "get")
		commit(t, other, id, v, increment("other"))
		all[1].Intercept(nil)
		wantCopyMended(t, all, other, id)
	})
}

// Whoever reads touches only those that have the truth: a copy that is ahead, whose
// writer is no more, would expire, and then the home is alone.
func TestACopyThatIsAheadLivesAsLongAsTheSessionIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		dying, other := all.server(t, "dying", 2, placement.Options{}), all.server(t, "other", 2, placement.Options{})
		id, before := createAt(t, dying, "n1")
		const idle = 30 * time.Minute
		before = commit(t, dying, id, before, settings(idle, time.Time{}))
		takenByCopyAlone(t, all, dying, id, before)
		for range 8 {
			time.Sleep(idle / 4)
			load(t, other, id)
		}
		all[0].Empty()
		load(t, other, id)
	})
}

// Where it cannot be written again the others live on at least.
func TestACopyThatIsAheadAndCannotBeMendedEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(3)
		strict := placement.Options{RefuseDegraded: true, Copies: 3}
		dying, other := all.server(t, "dying", 3, strict), all.server(t, "other", 3, strict)
		id, before := createAt(t, dying, "n1")
		const idle = 30 * time.Minute
		before = commit(t, dying, id, before, settings(idle, time.Time{}))
		refuse(all[2], map[string]int{"dying": 0})
		takenByCopyAlone(t, all, dying, id, before)
		all[2].Kill()
		for range 8 {
			time.Sleep(idle / 4)
			load(t, other, id)
		}
	})
}

// takenByCopyAlone makes a change of which the home, n1, hears nothing and n2 takes the
// write; its server does no more.
func takenByCopyAlone(t *testing.T, all nodes, dying *placement.Cluster, id string, before *store.View) {
	t.Helper()
	refuse(all[0], map[string]int{"dying": 0})
	refuse(all[1], map[string]int{"dying": 1})
	if _, err := dying.Commit(t.Context(), id, before, increment("dying")); !errors.Is(err, store.ErrUnknownOutcome) {
		t.Fatalf("the change that only the copy took: %v", err)
	}
}

// wantCopyMended: after a few uses the copy has what other was told is stored.
func wantCopyMended(t *testing.T, all nodes, other *placement.Cluster, id string) {
	t.Helper()
	for range 3 {
		time.Sleep(10 * time.Second)
		load(t, other, id)
	}
	all[0].Kill()
	if got := load(t, other, id).Record; count(got, "other") != 1 {
		t.Errorf("other=%d after the home was lost, want 1: the copy was never mended", count(got, "other"))
	}
}

// hang lets calls of one client to a node wait in vain.
func hang(node *faultstore.Node, client, verb string) {
	node.Intercept(func(ctx context.Context, call faultstore.Call, next func() error) error {
		if call.Client == client && call.Verb == verb {
			<-ctx.Done()
			return errors.Join(store.ErrUnavailable, ctx.Err())
		}
		return next()
	})
}
