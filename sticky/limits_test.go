package sticky_test

import (
	"context"
	"errors"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// Which shard has how many is chance, so a few of those may be among them.
func TestAboveMaxBytesThoseLeaveThatWereNotUsedForLongest(t *testing.T) {
	const sessions, recent, most = 3200, 320, 2 << 20
	inFarm(t, 1, 1, sticky.Options{MaxBytes: most}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		for i := range sessions {
			a.begin(nameOf(i))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		if got := a.Stats(); got.Bytes > most || got.Bytes < most/2 || got.Sessions+int64(got.Swapped) != sessions {
			t.Errorf("%d sessions of %d bytes are in memory and %d have left, with a bound of %d bytes", got.Sessions, got.Bytes, got.Swapped, most)
		}
		left := f.calls(func() {
			for i := range recent {
				a.mustLoad(nameOf(sessions-1-i), "app1")
			}
		})
		if left > recent/20 {
			t.Errorf("%d of the %d sessions that were used last have left memory", left, recent)
		}
	})
}

func TestMemoryIsCountedByWhatASessionHolds(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		v := a.begin(id)
		before := a.Stats().Bytes
		if _, err := a.Commit(t.Context(), id, v, set("big", string(make([]byte, 10_000)))); err != nil {
			t.Fatal(err)
		}
		if got := a.Stats().Bytes - before; got < 10_000 || got > 12_000 {
			t.Errorf("an attribute of 10000 bytes counts %d", got)
		}
	})
}

// Its user may go on only when it is there.
func TestAChangeThatIsSyncIsOnTheNodesWhenItIsAnswered(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		v := a.begin(id)
		for _, n := range f.nodes {
			n.Freeze()
		}
		ctx, cancel := a.within(timeout / 5)
		defer cancel()
		if _, err := a.commitSync(ctx, id, v, oneMore()); !errors.Is(err, store.ErrUnknownOutcome) {
			t.Errorf("Commit while the nodes hang: %v, want that its outcome is unknown", err)
		}
		for _, n := range f.nodes {
			n.Thaw()
		}
		f.cut("app1")
		time.Sleep(2 * time.Second)
		if _, err := a.commitSync(t.Context(), id, v, oneMore()); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("Commit while no node answers: %v, want unavailable", err)
		}
	})
}

// A private attribute goes with every change; that must not hide what became of it.
func TestAnUnknownOutcomeIsToldAlsoWithPrivateAttributes(t *testing.T) {
	o := sticky.Options{Filter: regexp.MustCompile(`^n$`)}
	inModesWith(t, o, func(t *testing.T, f *farm) {
		a := f.servers[0]
		v, ch := a.begin(id), oneMore()
		f.mute()
		ctx, cancel := a.within(timeout / 5)
		defer cancel()
		if _, err := a.commitSync(ctx, id, v, ch); !errors.Is(err, store.ErrUnknownOutcome) {
			t.Errorf("Commit: %v, want that its outcome is unknown", err)
		}
		f.unmute()
		if got := a.answer(id, v, ch); got != 1 {
			t.Errorf("given again it is answered with %d, want 1", got)
		}
	})
}

// What certainly did not happen is no reason to ask the nodes.
func TestAfterAChangeThatDidNotHappenAReadAsksNobody(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		v := a.begin(id)
		f.readOnly("app1")
		ctx, cancel := a.within(timeout)
		defer cancel()
		_, err := a.commitSync(ctx, id, v, oneMore())
		if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrUnknownOutcome) {
			t.Fatalf("Commit: %v, want unavailable", err)
		}
		f.silence()
		a.wantTotal(id, "app1", 0)
	})
}

// silence has all nodes fail in what concerns sessions.
func (f *farm) silence() {
	for _, n := range f.nodes {
		n.Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			if ofSession(call) {
				return store.ErrUnavailable
			}
			return next()
		})
	}
}

// The function of a change that fails has changed nothing, and its error is the user's.
func TestAChangeThatFailsChangesNothing(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		v := a.begin(id)
		var runs atomic.Int64
		refusal := errors.New("not today")
		ch := oneMore()
		add := ch.Apply
		ch.Apply = func(r *record.Record) error {
			runs.Add(1)
			return errors.Join(add(r), refusal)
		}
		calls := f.calls(func() {
			if _, err := a.Commit(context.Background(), id, v, ch); !errors.Is(err, refusal) {
				t.Errorf("Commit: %v, want %v", err, refusal)
			}
		})
		if calls != 0 || runs.Load() != 1 {
			t.Errorf("its function ran %d times, with %d calls to the nodes; want once without any", runs.Load(), calls)
		}
		a.wantTotal(id, "app1", 0)
		if got := a.Stats(); got.Unsent != 0 || got.Dropped != 0 {
			t.Errorf("%d sessions are unsent and %d changes were counted as dropped", got.Unsent, got.Dropped)
		}
	})
}

// Nobody knows what the nodes have, and they do not answer.
func TestWhileNoNodeAnswersWhatIsInMemoryIsServed(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		inModes(t, 2, nodes, func(t *testing.T, f *farm, _ bool) {
			a, b := f.servers[0], f.servers[1]
			v := a.begin(id)
			b.begin(otherID)
			b.flush()
			a.mustLoad(otherID, "app2") // taken over just now
			f.mute()
			ctx, cancel := a.within(timeout / 5)
			defer cancel()
			_, _ = a.commitSync(ctx, id, v, oneMore())
			f.unmute()
			f.cut("app1")
			time.Sleep(2 * time.Second)
			for _, id := range []string{id, otherID} {
				a.wantTotal(id, "app1", 0)
				a.mustAdd(id, "app1")
				a.wantTotal(id, "app1", 1)
			}
			f.mend("app1")
			time.Sleep(10 * time.Second)
			b.wantTotal(id, "app1", 2) // with the one whose outcome was unknown
			b.wantTotal(otherID, "app1", 1)
		})
	}
}
