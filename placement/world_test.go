package placement_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
)

// A world is one session and the requests that use it at the same time. It
// knows what each of them was told, and judges at the end whether that is so.
type world struct {
	t         testing.TB
	store     *faulty
	cluster   *placement.Cluster
	base      *store.View // the session as it was before all requests
	actors    map[string]func(context.Context)
	told      map[string]*answer // by actor
	login     bool               // one of them logs in
	slept     bool               // so long that a grace is over
	faultless bool               // in this run nothing failed
}

// An answer is what an actor was told in the end.
type answer struct {
	kind string // "change", "read" or "destroy"
	err  error
	view *store.View
	to   string // RenewTo of a change
}

func newWorld(t testing.TB) *world {
	s := newFaulty()
	w := &world{
		t: t, store: s, cluster: openCluster(t, s, newCodec(t)),
		actors: map[string]func(context.Context){}, told: map[string]*answer{},
	}
	w.base = create(t, w.cluster, id)
	return w
}

func (w *world) actor(name, kind string, act func(context.Context, *answer)) {
	a := &answer{kind: kind}
	w.told[name] = a
	w.actors[name] = func(ctx context.Context) { act(ctx, a) }
}

// tries is how often an actor gives a change whose outcome is unknown: the
// last one meets no fault.
const tries = 4

// changes adds a request that loaded the session before all others and now commits ch.
func (w *world) changes(name string, ch *store.Change) {
	w.actor(name, "change", func(ctx context.Context, a *answer) { w.give(ctx, a, w.base, ch) })
}

// loadsAndChanges adds a request that loads the session and commits ch.
func (w *world) loadsAndChanges(name string, ch *store.Change) {
	w.actor(name, "change", func(ctx context.Context, a *answer) {
		var v *store.View
		if v, a.err = w.cluster.Load(ctx, id, ""); a.err == nil {
			w.give(ctx, a, v, ch)
		}
	})
}

// changesStubbornly adds a request that, when its change did not happen for
// certain, commits another one that does the same, as a handler may.
func (w *world) changesStubbornly(name string, ch *store.Change) {
	w.actor(name, "change", func(ctx context.Context, a *answer) {
		for range tries {
			next := *ch
			next.Commit = rand.Uint64()
			w.give(ctx, a, w.base, &next)
			if !certainlyNot(a.err) {
				return
			}
		}
	})
}

func (w *world) give(ctx context.Context, a *answer, base *store.View, ch *store.Change) {
	a.to = ch.RenewTo
	for range tries {
		a.view, a.err = w.cluster.Commit(ctx, id, base, ch)
		if !errors.Is(a.err, store.ErrUnknownOutcome) {
			return
		}
	}
}

func (w *world) destroys(name string) {
	w.actor(name, "destroy", func(ctx context.Context, a *answer) {
		for range tries {
			if a.err = w.cluster.Destroy(ctx, w.base); !errors.Is(a.err, store.ErrUnavailable) {
				return
			}
		}
	})
}

func (w *world) reads(name string) {
	w.actor(name, "read", func(ctx context.Context, a *answer) {
		a.view, a.err = w.cluster.Load(ctx, id, "")
	})
}
