package sticky_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
)

func TestIdleSessionsLeaveMemoryAndAreFoundAgain(t *testing.T) {
	for name, o := range map[string]sticky.Options{
		"by time":  {MaxIdle: time.Minute},
		"by bytes": {MaxBytes: 1},
	} {
		t.Run(name, func(t *testing.T) {
			inFarm(t, 1, 2, o, func(t *testing.T, f *farm) {
				a := f.servers[0]
				a.begin(id)
				a.mustAdd(id, "app1")
				time.Sleep(2 * time.Minute)
				if got := a.Stats(); got.Sessions != 0 || got.Swapped != 1 || got.Bytes != 0 {
					t.Errorf("%d sessions of %d bytes are in memory and %d have left, want 0, 0, 1", got.Sessions, got.Bytes, got.Swapped)
				}
				a.wantTotal(id, "app1", 1)
			})
		})
	}
}

func TestAnUnsentSessionDoesNotLeaveMemory(t *testing.T) {
	inFarm(t, 1, 2, sticky.Options{Async: true, MaxIdle: time.Second, MaxBytes: 1}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		a.flush()
		a.wantTotal(id, "app1", 0)
		for _, n := range f.nodes {
			n.Cut("app1")
		}
		a.mustAdd(id, "app1")
		time.Sleep(time.Minute)
		if got := a.Stats(); got.Unsent != 1 || got.Sessions != 1 || got.OldestUnsent < time.Minute {
			t.Errorf("%d of %d sessions are unsent since %v, want 1 of 1 since a minute", got.Unsent, got.Sessions, got.OldestUnsent)
		}
		for _, n := range f.nodes {
			n.Mend("app1")
		}
		time.Sleep(20 * time.Second)
		if got := a.Stats(); got.Unsent != 0 || got.Sessions != 0 || got.Dropped != 0 {
			t.Errorf("%d of %d sessions are unsent and %d changes are dropped, want none", got.Unsent, got.Sessions, got.Dropped)
		}
		a.wantTotal(id, "app1", 1)
	})
}

func TestSessionsWhoseTimeIsOverLeaveMemory(t *testing.T) {
	inFarm(t, 1, 2, sticky.Options{}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		time.Sleep(31 * time.Minute)
		if got := a.Stats(); got.Sessions != 0 || got.Bytes != 0 {
			t.Errorf("%d sessions of %d bytes are in memory after the idle timeout, want none", got.Sessions, got.Bytes)
		}
	})
}

// The place of a packed session is known, so that a change of it is one flight.
func TestAnIdleSessionIsPackedAndChangedInOneFlight(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.begin(id)
		a.mustAdd(id, "app1")
		a.flush()
		before := a.Stats().Bytes
		time.Sleep(20 * time.Second)
		if packed := a.Stats().Bytes; packed >= before {
			t.Errorf("a packed session counts %d bytes, and %d before", packed, before)
		}
		calls := f.calls(func() {
			v := a.mustLoad(id, "app1") // with a check behind it, since it was idle
			synctest.Wait()
			if err := a.addTo(id, v); err != nil {
				t.Fatal(err)
			}
			a.flush()
		})
		if calls != 4 {
			t.Errorf("a check and a change made %d calls to the nodes, want 2 each", calls)
		}
		a.wantTotal(id, "app1", 2)
	})
}

func TestAboveMaxUnsentRequestsWait(t *testing.T) {
	inFarm(t, 1, 1, sticky.Options{Async: true, MaxUnsent: 3, RefuseAway: true}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.beginMany(4)
		f.nodes[0].Freeze()
		a.addToMany(3)
		began := time.Now()
		if err := a.add(nameOf(3), "app1"); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("a change above the bound: %v, want unavailable", err)
		}
		if waited := time.Since(began); waited < timeout {
			t.Errorf("it waited %v for the node, want %v", waited, timeout)
		}
		f.nodes[0].Thaw()
		a.flush()
		a.mustAdd(nameOf(3), "app1")
	})
}

func TestAboveMaxSessionsNoneBegins(t *testing.T) {
	inModesWith(t, sticky.Options{MaxSessions: 1}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		if _, err := a.commitNew(newID); !errors.Is(err, store.ErrTooMany) {
			t.Errorf("Commit of one too many: %v, want ErrTooMany", err)
		}
		a.mustAdd(id, "app1") // those that are there go on
	})
}

// commitNew begins a session that may not begin.
func (s *server) commitNew(id string) (*store.View, error) {
	ctx, cancel := s.within(timeout)
	defer cancel()
	return s.Commit(ctx, id, nil, change(func(r *record.Record) { r.Created, r.IdleTimeout = time.Now(), time.Hour }))
}

// A session that may be too large is sent before its request is answered, so that its
// user is told; one that a node refuses all the same is as it was.
func TestATooLargeSessionIsRefusedToItsUser(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.begin(id)
		a.mustAdd(id, "app1")
		a.flush()
		v := a.mustLoad(id, "app1")
		f.refuse(store.ErrTooLarge)
		ctx, cancel := a.within(timeout)
		defer cancel()
		if _, err := a.Commit(ctx, id, v, set("big", string(bytes.Repeat([]byte("x"), 100<<10)))); !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("Commit: %v, want ErrTooLarge", err)
		}
		f.refuse(nil)
		a.mustAdd(id, "app1")
		a.flush()
		a.wantTotal(id, "app1", 2)
	})
}

func TestWhatANodeRefusesBehindItsRequestIsCountedAndDoesNotStay(t *testing.T) {
	inFarm(t, 1, 2, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		a.mustAdd(id, "app1")
		a.flush()
		v := a.mustLoad(id, "app1")
		f.refuse(store.ErrTooLarge)
		if _, err := a.Commit(t.Context(), id, v, set("big", string(bytes.Repeat([]byte("x"), 2000)))); err != nil {
			t.Fatal(err)
		}
		a.flush()
		f.refuse(nil)
		a.mustAdd(id, "app1")
		a.flush()
		a.wantTotal(id, "app1", 2)
		if got := a.Stats().Dropped; got != 1 {
			t.Errorf("%d changes were counted as dropped, want 1", got)
		}
		if _, ok := a.mustLoad(id, "app1").Record.Get("big"); ok {
			t.Error("what no node takes is still there")
		}
	})
}
