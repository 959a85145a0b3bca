package sticky_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
)

// Requests with a former id, which is good for a while.

func (s *server) mustLoadAliased(id, route string) *store.View {
	s.t.Helper()
	v := s.mustLoad(id, route)
	if !v.Aliased {
		s.t.Errorf("%s: a view through the former id says nothing of it", s.name)
	}
	return v
}

func TestAReadThroughAFormerIDShowsWhatWasNotSent(t *testing.T) {
	inFarm(t, 1, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		a.mustRenew(id, "app1")
		cutAndAdd := func() {
			f.cut("app1")
			a.mustAdd(newID, "app1")
			synctest.Wait() // it could not be sent
			f.mend("app1")
		}
		cutAndAdd()
		time.Sleep(time.Second) // all sessions are checked, and then not for a while
		cutAndAdd()
		if got := total(a.mustLoadAliased(id, "app1").Record); got != 2 {
			t.Errorf("the former id reads %d, want 2", got)
		}
	})
}

// The server has the session in memory under its new id, and under an even newer one
// by the time of the change.
func TestAChangeThroughAFormerIDIsSeenUnderTheNewOne(t *testing.T) {
	for name, again := range map[string]bool{"renewed once": false, "renewed again meanwhile": true} {
		t.Run(name, func(t *testing.T) {
			inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
				a := f.servers[0]
				a.begin(id)
				a.mustRenew(id, "app1")
				v, now := a.mustLoadAliased(id, "app1"), newID
				if again {
					now = otherID
					ch := renewal()
					ch.RenewTo = otherID
					if _, err := a.Commit(t.Context(), newID, a.mustLoad(newID, "app1"), ch); err != nil {
						t.Fatal(err)
					}
				}
				if got := a.Stats().Sessions; got != 1 {
					t.Errorf("%d sessions are in memory, want 1", got)
				}
				a.mustAdd(now, "app1")
				made, err := a.Commit(t.Context(), id, v, oneMore())
				if err != nil {
					t.Fatal(err)
				}
				if !made.Aliased {
					t.Error("what was made says nothing of the former id")
				}
				a.wantTotal(now, "app1", 2)
				a.mustAdd(now, "app1")
				a.flush()
				a.wantTotal(now, "app1", 3)
				if got := a.Stats().Dropped; got != 0 {
					t.Errorf("%d changes were counted as dropped, want none", got)
				}
			})
		})
	}
}

// Another server has renewed the session, and this one has it under both ids.
func TestAChangeThatFindsTheSessionRenewedIsSeenUnderTheNewID(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		v := a.begin(id)
		b.mustRenew(id, "app1")
		a.mustLoad(newID, "app2")
		time.Sleep(6 * time.Second)
		a.mustLoad(newID, "app1") // from here on it asks nobody
		made, err := a.commitSync(t.Context(), id, v, oneMore())
		if err != nil {
			t.Fatal(err)
		}
		if !made.Aliased {
			t.Error("what was made says nothing of the former id")
		}
		a.wantTotal(newID, "app1", 1)
		if got := total(a.mustLoadAliased(id, "app1").Record); got != 1 {
			t.Errorf("the former id reads %d, want 1", got)
		}
	})
}

// The same, behind requests.
func TestASentChangeThatFindsTheSessionRenewedIsSeenUnderTheNewID(t *testing.T) {
	inFarm(t, 2, 2, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		v := a.begin(id)
		b.mustRenew(id, "app1")
		a.mustLoad(newID, "app2")
		time.Sleep(6 * time.Second)
		a.mustLoad(newID, "app1") // from here on it asks nobody
		if err := a.addTo(id, v); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		a.wantTotal(newID, "app1", 1)
		if got := total(a.mustLoadAliased(id, "app1").Record); got != 1 {
			t.Errorf("the former id reads %d, want 1", got)
		}
	})
}

// The request goes on with what the renewal has answered.
func TestARequestThatRenewsGoesOnUnderTheNewID(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		v, err := a.Commit(t.Context(), id, a.begin(id), renewal())
		if err != nil {
			t.Fatal(err)
		}
		if got := a.answer(id, v, oneMore()); got != 1 {
			t.Errorf("a change after it was answered with %d, want 1", got)
		}
		a.wantTotal(newID, "app1", 1)
		a.flush()
		b.wantTotal(newID, "app1", 1)
	})
}

// The check runs behind a request with the older cookie.
func TestACheckFindsThatTheSessionWasRenewed(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.flush()
		b.mustRenew(id, "app1")
		b.mustAdd(newID, "app2")
		b.flush()
		time.Sleep(11 * time.Second)
		a.mustLoad(id, "app1")
		synctest.Wait()
		if got := total(a.mustLoadAliased(id, "app1").Record); got != 1 {
			t.Errorf("the former id reads %d, want 1", got)
		}
	})
}

func login() *store.Change {
	ch := change(func(r *record.Record) { r.Owner = "bob"; r.Login++ })
	ch.RenewTo = newID
	return ch
}
