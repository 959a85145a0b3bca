package sticky_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// cutAtWrite cuts a server off with its next write, which happens or does not: in
// either case no answer comes.
func (f *farm) cutAtWrite(name string, happens bool) {
	for _, n := range f.nodes {
		n.Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			if call.Client != name || !ofSession(call) || call.Verb != "put" {
				return next()
			}
			n.Intercept(nil)
			if happens {
				_ = next()
			}
			n.Cut(name)
			return fmt.Errorf("%w: connection lost", store.ErrUnknownOutcome)
		})
	}
}

// ofSession: not of what a server puts there to look after the node.
func ofSession(call faultstore.Call) bool { return len(call.Key) == 43 }

// mute has all nodes do what is written, and not answer.
func (f *farm) mute() {
	for _, n := range f.nodes {
		n.Intercept(func(ctx context.Context, call faultstore.Call, next func() error) error {
			if call.Verb != "put" || !ofSession(call) {
				return next()
			}
			_ = next()
			<-ctx.Done()
			return fmt.Errorf("%w: %w", store.ErrUnknownOutcome, ctx.Err())
		})
	}
}

func (f *farm) unmute() {
	for _, n := range f.nodes {
		n.Intercept(nil)
	}
}

func TestAChangeWhoseAnswerWasLostIsMadeOnce(t *testing.T) {
	for _, happens := range []bool{true, false} {
		for _, nodes := range []int{1, 2} {
			t.Run(fmt.Sprintf("%d nodes, happens %v", nodes, happens), func(t *testing.T) {
				inFarm(t, 2, nodes, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
					a, b := f.servers[0], f.servers[1]
					a.begin(id)
					a.flush()
					f.cutAtWrite("app1", happens)
					a.mustAdd(id, "app1")
					time.Sleep(time.Second)
					if got := a.Stats().Unsent; got != 1 {
						t.Errorf("%d sessions are unsent, want 1", got)
					}
					f.mend("app1")
					a.flush()
					a.wantTotal(id, "app1", 1)
					b.wantTotal(id, "app1", 1)
					if got := a.Stats().Dropped; got != 0 {
						t.Errorf("%d changes were counted as dropped, want none", got)
					}
				})
			})
		}
	}
}

// The nodes remember which changes they have, but not for ever. Then a change that
// may be among them is given up: who makes it again may make it twice.
func TestAChangeThatNobodyCanTellOfAnyMoreIsGivenUp(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		t.Run(fmt.Sprint(nodes, " nodes"), func(t *testing.T) {
			inFarm(t, 2, nodes, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
				a, b := f.servers[0], f.servers[1]
				a.begin(id)
				a.flush()
				f.cutAtWrite("app1", true)
				a.mustAdd(id, "app1")
				time.Sleep(time.Second)
				for range 20 {
					b.mustAdd(id, "app1")
				}
				b.wantTotal(id, "app1", 21)
				f.mend("app1")
				time.Sleep(10 * time.Second)
				if got := a.Stats(); got.Unsent != 0 || got.Dropped != 1 {
					t.Errorf("%d sessions are unsent and %d changes were counted as dropped, want 0 and 1", got.Unsent, got.Dropped)
				}
				a.wantTotal(id, "app1", 21)
				a.mustAdd(id, "app1")
				a.flush()
				b.wantTotal(id, "app1", 22)
			})
		})
	}
}

// The nodes stay up, so nobody else looks after the session.
func TestAReadAfterAnUnknownOutcomeAsksTheNodes(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.begin(id)
		a.flush()
		v := a.mustLoad(id, "app1")
		ctx, cancel := a.within(timeout / 5)
		defer cancel()
		f.mute()
		if _, err := a.commitSync(ctx, id, v, oneMore()); !errors.Is(err, store.ErrUnknownOutcome) {
			t.Fatalf("Commit: %v, want that its outcome is unknown", err)
		}
		f.unmute()
		a.wantTotal(id, "app1", 1)
	})
}

func TestAReadAfterALogoutWithUnknownOutcomeAsksTheNodes(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.begin(id)
		a.flush()
		v := a.mustLoad(id, "app1")
		ctx, cancel := a.within(timeout / 5)
		defer cancel()
		f.mute()
		if err := a.Destroy(ctx, v); !errors.Is(err, store.ErrUnknownOutcome) {
			t.Fatalf("Destroy: %v, want that its outcome is unknown", err)
		}
		f.unmute()
		if _, err := a.load(id, "app1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Load after the logout: %v, want not found", err)
		}
	})
}
