package sticky_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
)

// oneMoreIn is oneMore by a function that takes its time.
func oneMoreIn(d time.Duration) *store.Change {
	ch := oneMore()
	add := ch.Apply
	ch.Apply = func(r *record.Record) error {
		time.Sleep(d)
		return add(r)
	}
	return ch
}

// answer is the total with which ch is answered.
func (s *server) answer(id string, v *store.View, ch *store.Change) int {
	s.t.Helper()
	made, err := s.Commit(context.Background(), id, v, ch)
	if err != nil {
		s.t.Errorf("%s: Commit: %v", s.name, err)
		return -1
	}
	return total(made.Record)
}

// Both count; none may be answered with a state that lacks the other's change.
func TestChangesAtTheSameTimeAreAnsweredOneAfterTheOther(t *testing.T) {
	for name, sync := range map[string]bool{"in memory": false, "on the nodes": true} {
		t.Run(name, func(t *testing.T) {
			inFarm(t, 1, 2, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
				a := f.servers[0]
				v := a.begin(id)
				for _, n := range f.nodes {
					slow(n, 50*time.Millisecond, never)
				}
				first := make(chan int, 1)
				go func() {
					ch := oneMoreIn(20 * time.Millisecond)
					ch.Sync = sync
					first <- a.answer(id, v, ch)
				}()
				time.Sleep(10 * time.Millisecond)
				second := a.answer(id, v, oneMore())
				if got := <-first; got+second != 3 {
					t.Errorf("they were answered with %d and %d, want 1 and 2", got, second)
				}
				a.flush()
				a.wantTotal(id, "app1", 2)
			})
		})
	}
}

func TestAChangeAfterAnUnknownOutcomeIsMadeOnWhatTheNodesHave(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		v := a.begin(id)
		f.mute()
		ctx, cancel := a.within(timeout / 5)
		defer cancel()
		_, _ = a.commitSync(ctx, id, v, oneMore())
		f.unmute()
		if got := a.answer(id, v, oneMore()); got != 2 {
			t.Errorf("it was answered with %d, want 2", got)
		}
	})
}

// A read finds what another server did, and just then a change is made here on the
// state before.
func TestAChangeDuringAReadMeetsWhatAnotherServerDid(t *testing.T) {
	inFarm(t, 2, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		v := a.begin(id)
		b.mustAdd(id, "app1")
		b.flush()
		slow(f.nodes[0], 50*time.Millisecond, never)
		read := make(chan error, 1)
		go func() {
			_, err := a.load(id, "app2")
			read <- err
		}()
		time.Sleep(10 * time.Millisecond)
		if err := a.addTo(id, v); err != nil {
			t.Fatal(err)
		}
		if err := <-read; err != nil {
			t.Fatal(err)
		}
		a.wantTotal(id, "app1", 2)
		a.flush()
		b.wantTotal(id, "", 2)
	})
}

// A change that a server makes again may be refused by then. That is counted, and
// those after it are made.
func TestAChangeThatIsRefusedOnANewerStateIsCounted(t *testing.T) {
	inFarm(t, 2, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		v := a.begin(id)
		b.mustAdd(id, "app1")
		b.flush()
		f.cut("app1")
		once := oneMore()
		add := once.Apply
		once.Apply = func(r *record.Record) error {
			r.Set(record.Attribute{Name: "half", Value: []byte("done")})
			if total(r) > 0 {
				return fmt.Errorf("no more than one")
			}
			return add(r)
		}
		if got := a.answer(id, v, once); got != 1 {
			t.Errorf("it was answered with %d, want 1", got)
		}
		a.mustAdd(id, "app1")
		f.mend("app1")
		a.flush()
		a.wantTotal(id, "app1", 2)
		if _, half := b.mustLoad(id, "").Record.Get("half"); half {
			t.Error("half of a refused change was made")
		}
		if got := a.Stats(); got.Dropped != 1 || got.Sent != 2 {
			t.Errorf("%d of %d changes were counted as dropped, want 1 of 2", got.Dropped, got.Sent)
		}
	})
}

// Each batch is sent while changes for the next one come in.
func TestChangesSentInSeveralBatchesCountOnce(t *testing.T) {
	inFarm(t, 2, 2, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		for _, n := range f.nodes {
			slow(n, 20*time.Millisecond, never)
		}
		for range 20 {
			a.mustAdd(id, "app1")
			time.Sleep(7 * time.Millisecond)
		}
		a.wantTotal(id, "app1", 20)
		a.flush()
		a.wantTotal(id, "app1", 20)
		b.wantTotal(id, "app1", 20)
	})
}

// Nobody asks for it: a change is on the nodes a moment after its request.
func TestAChangeIsSentAtOnceBehindItsRequest(t *testing.T) {
	inFarm(t, 2, 2, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.mustAdd(id, "app1")
		time.Sleep(10 * time.Millisecond)
		if got := a.Stats(); got.Unsent != 0 || got.OldestUnsent != 0 {
			t.Errorf("%d sessions are unsent since %v, want none", got.Unsent, got.OldestUnsent)
		}
		b.wantTotal(id, "app1", 1)
	})
}

func TestWhatCouldNotBeSentIsSentWhenANodeAnswers(t *testing.T) {
	inFarm(t, 2, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		f.cut("app1")
		a.mustAdd(id, "app1")
		time.Sleep(3050 * time.Millisecond) // the server looks after its nodes each second
		f.mend("app1")
		time.Sleep(200 * time.Millisecond)
		if got := a.Stats().Unsent; got != 0 {
			t.Errorf("%d sessions are unsent, want none", got)
		}
		b.wantTotal(id, "app1", 1)
	})
}

// A request that its server was sent before another took the session over is made again
// there; the other is still at one more.
func TestAServerWhoseChangeHasMetAnotherAsksForAWhile(t *testing.T) {
	inFarm(t, 2, 2, sticky.Options{}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		seen := a.mustLoad(id, a.name)
		b.mustAdd(id, a.name)
		later := b.mustLoad(id, b.name)
		if err := a.addTo(id, seen); err != nil {
			t.Fatal(err)
		}
		if err := b.addTo(id, later); err != nil {
			t.Fatal(err)
		}
		a.wantTotal(id, a.name, 3)
	})
}
