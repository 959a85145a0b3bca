package placement_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// SettleAlias. The alias of a renewal stands at its home alone when the server that
// renewed dies. Another commits through it, and then the home is lost: the copy must lead
// to that change too.
func TestAnAliasIsSettledBeforeAnybodyCommitsThroughIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		dying, other := all.server(t, "dying", 2, placement.Options{}), all.server(t, "other", 2, placement.Options{})
		id, before := createAt(t, dying, "n1")
		var dead atomic.Bool
		for i, n := range all {
			n.Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
				if call.Client != "dying" {
					return next()
				}
				alias := call.Verb == "put" && call.Key == key(id)
				if dead.Load() || alias && i == 1 {
					return store.ErrUnavailable
				}
				dead.Store(alias)
				return next()
			})
		}
		if _, err := dying.Commit(t.Context(), id, before, renewal("dying", newID)); err == nil {
			t.Fatal("the renewal was acknowledged")
		}
		commit(t, other, id, load(t, other, id), increment("other"))
		all[0].Kill()
		if got := load(t, other, id).Record; count(got, "other") != 1 {
			t.Errorf("other=%d after the home of the alias was lost, want 1", count(got, "other"))
		}
	})
}
