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

func (f *farm) empty() {
	for _, n := range f.nodes {
		n.Empty()
	}
}

// Its server asks the nodes because it does not know what became of a change.
func TestAReadOfASessionThatTheNodesHaveLostStoresItAgain(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		inModes(t, 2, nodes, func(t *testing.T, f *farm, _ bool) {
			a, b := f.servers[0], f.servers[1]
			a.begin(id)
			a.mustAdd(id, "app1")
			a.flush()
			f.mute()
			ctx, cancel := a.within(timeout / 5)
			defer cancel()
			if _, err := a.commitSync(ctx, id, a.mustLoad(id, "app1"), oneMore()); !errors.Is(err, store.ErrUnknownOutcome) {
				t.Fatalf("Commit: %v, want that its outcome is unknown", err)
			}
			f.unmute()
			f.empty()
			a.wantTotal(id, "app1", 1)
			b.wantTotal(id, "app1", 1)
			if a.Stats().Revived == 0 {
				t.Error("it was not counted")
			}
		})
	}
}

// The server that had it last may have ended it.
func TestAnOldCopyOfASessionThatTheNodesHaveLostIsNotServed(t *testing.T) {
	for _, route := range []string{"", "app2"} {
		inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
			a := f.servers[0]
			a.begin(id)
			a.flush()
			f.empty()
			if _, err := a.load(id, route); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("Load with route %q: %v, want not found", route, err)
			}
			a.wantGone(id)
		})
	}
}

// The nodes turn out to be empty just when a change is made in memory.
func TestAChangeDuringALossIsMadeOnWhatIsInMemory(t *testing.T) {
	inFarm(t, 2, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.mustAdd(id, "app1")
		a.flush()
		time.Sleep(11 * time.Second)
		f.empty()
		slow(f.nodes[0], 50*time.Millisecond, never)
		v := a.mustLoad(id, "app1") // with a check behind it
		time.Sleep(10 * time.Millisecond)
		if err := a.addTo(id, v); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		a.wantTotal(id, "app1", 2)
		got := b.mustLoad(id, "")
		if total(got.Record) != 2 || got.Record.IdleTimeout != 30*time.Minute {
			t.Errorf("another server reads %d, with an idle timeout of %v", total(got.Record), got.Record.IdleTimeout)
		}
	})
}

// readOnly has nodes refuse what one server writes.
func (f *farm) readOnly(name string) {
	for _, n := range f.nodes {
		n.Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			if call.Client == name && call.Verb == "put" {
				return store.ErrUnavailable
			}
			return next()
		})
	}
}

// What a server cannot send is not there for others; it must not seem to be lost for
// who has made it.
func TestAReadFromTheNodesFailsWhileSomethingCannotBeSent(t *testing.T) {
	for name, read := range map[string]func(*server, *store.View) error{
		"by the id": func(s *server, _ *store.View) error {
			_, err := s.load(newID, "app2")
			return err
		},
		"by the former id": func(s *server, _ *store.View) error {
			_, err := s.load(id, "")
			return err
		},
		"of who changes it there": func(s *server, _ *store.View) error {
			ctx, cancel := s.within(timeout)
			defer cancel()
			_, err := s.commitSync(ctx, newID, s.mustLoad(newID, "app1"), oneMore())
			return err
		},
		"of who changes it by the former id": func(s *server, former *store.View) error {
			ctx, cancel := s.within(timeout)
			defer cancel()
			_, err := s.Commit(ctx, id, former, oneMore())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			inFarm(t, 2, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
				a := f.servers[0]
				a.begin(id)
				a.mustRenew(id, "app1")
				former := a.mustLoadAliased(id, "app1")
				f.readOnly("app1")
				a.mustAdd(newID, "app1")
				time.Sleep(time.Second)
				if err := read(a, former); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrUnknownOutcome) {
					t.Errorf("%v, want unavailable", err)
				}
				f.unmute()
				a.flush()
				a.wantTotal(newID, "app2", 1)
				f.servers[1].wantTotal(newID, "app1", 1)
			})
		})
	}
}

// What is unknown of a change that was sent behind its request says nothing of the next.
func TestAChangeThatWaitsInVainForAnUnknownOneDidNotHappen(t *testing.T) {
	inFarm(t, 1, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		v := a.begin(id)
		f.cutAtWrite("app1", true)
		a.mustAdd(id, "app1")
		time.Sleep(time.Second)
		ctx, cancel := a.within(timeout)
		defer cancel()
		if _, err := a.commitSync(ctx, id, v, oneMore()); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrUnknownOutcome) {
			t.Errorf("Commit: %v, want unavailable", err)
		}
		f.mend("app1")
		a.flush()
		a.wantTotal(id, "app1", 1)
	})
}

// loseWrite has the nodes lose the answer to one write, and not answer the next call.
func (f *farm) loseWrite(name string, happens bool) {
	for _, n := range f.nodes {
		lost := 0
		n.Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			switch {
			case call.Client != name || !ofSession(call) || lost == 2:
				return next()
			case lost == 1:
				lost++
				return fmt.Errorf("%w: connection lost", store.ErrUnavailable)
			case call.Verb == "put":
				lost++
				if happens {
					_ = next()
				}
				return fmt.Errorf("%w: connection lost", store.ErrUnknownOutcome)
			}
			return next()
		})
	}
}

func TestAChangeOfUnknownOutcomeIsSentAgain(t *testing.T) {
	for _, happens := range []bool{true, false} {
		t.Run(fmt.Sprint("happens ", happens), func(t *testing.T) {
			inFarm(t, 2, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
				a, b := f.servers[0], f.servers[1]
				a.begin(id)
				f.loseWrite("app1", happens)
				a.mustAdd(id, "app1")
				time.Sleep(time.Second)
				if got := a.Stats(); got.Unsent != 0 || got.Dropped != 0 {
					t.Errorf("%d sessions are unsent and %d changes were counted as dropped, want none", got.Unsent, got.Dropped)
				}
				a.wantTotal(id, "app1", 1)
				b.wantTotal(id, "app1", 1)
			})
		})
	}
}
