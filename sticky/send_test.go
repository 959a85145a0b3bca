package sticky_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// slow has a node wait before and lets lost decide about the answers to writes.
func slow(n *faultstore.Node, wait time.Duration, lost func() bool) {
	n.Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
		time.Sleep(wait)
		err := next()
		if call.Verb == "put" && lost() {
			return store.ErrUnknownOutcome
		}
		return err
	})
}

func never() bool { return false }

func TestWhatCameWhileOthersWereSentIsNotForgotten(t *testing.T) {
	inFarm(t, 2, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.flush()
		slow(f.nodes[0], 100*time.Millisecond, never)
		a.mustAdd(id, "app1")
		time.Sleep(50 * time.Millisecond)
		a.mustAdd(id, "app1") // waits until the first is sent
		time.Sleep(100 * time.Millisecond)
		f.cut("app1") // before it arrives
		time.Sleep(time.Second)
		if got := a.Stats().Unsent; got != 1 {
			t.Errorf("%d sessions are unsent, want 1", got)
		}
		f.mend("app1")
		a.flush()
		b.wantTotal(id, "app1", 2)
	})
}

// A change is made here just when a check finds that the session has another id.
func TestWhatWasNotSentFollowsTheSessionToItsNewID(t *testing.T) {
	inFarm(t, 2, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.flush()
		renewal := change(func(*record.Record) {})
		renewal.RenewTo, renewal.Grace = newID, time.Minute
		if _, err := b.Commit(t.Context(), id, b.mustLoad(id, "app1"), renewal); err != nil {
			t.Fatal(err)
		}
		slow(f.nodes[0], 50*time.Millisecond, never)
		time.Sleep(11 * time.Second)
		v := a.mustLoad(id, "app1") // with a check behind it
		time.Sleep(10 * time.Millisecond)
		if err := a.addTo(id, v); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		a.flush()
		b.wantTotal(newID, "", 1)
	})
}

func TestALogoutThatFailsKeepsWhatWasNotSent(t *testing.T) {
	inFarm(t, 2, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.flush()
		f.cut("app1")
		a.mustAdd(id, "app1")
		ctx, cancel := a.within(timeout)
		defer cancel()
		if err := a.Destroy(ctx, a.mustLoad(id, "app1")); !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("Destroy: %v, want unavailable", err)
		}
		f.mend("app1")
		a.flush()
		b.wantTotal(id, "app1", 1)
	})
}

// Whoever gives a change again that may have happened must not learn that it did not,
// only because another request is at work.
func TestAChangeGivenAgainStaysUnknownWhileOthersAreAtWork(t *testing.T) {
	inFarm(t, 1, 1, sticky.Options{}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		v, ch := a.mustLoad(id, "app1"), oneMore()
		give := func(within time.Duration) error {
			ctx, cancel := a.within(within)
			defer cancel()
			_, err := a.Commit(ctx, id, v, ch)
			return err
		}
		f.nodes[0].Freeze()
		if err := give(timeout); !errors.Is(err, store.ErrUnknownOutcome) {
			t.Fatalf("Commit: %v, want that its outcome is unknown", err)
		}
		go func() { _ = a.addTo(id, v) }()
		synctest.Wait()
		if err := give(timeout / 2); !errors.Is(err, store.ErrUnknownOutcome) {
			t.Errorf("Commit given again: %v, want that its outcome is unknown", err)
		}
		f.nodes[0].Thaw()
		time.Sleep(time.Second)
		if err := give(timeout); err != nil {
			t.Errorf("Commit given again later: %v", err)
		}
	})
}

func TestACheckFindsWhatAnotherServerDid(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.flush()
		b.mustAdd(id, "app1")
		b.flush()
		time.Sleep(11 * time.Second)
		a.wantTotal(id, "app1", 0) // by who has kept the old cookie, and the check runs behind it
		synctest.Wait()
		time.Sleep(time.Second)
		a.wantTotal(id, "app1", 1)
	})
}
