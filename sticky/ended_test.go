package sticky_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
)

// endings are what takes a session out of the reach of an older cookie.
var endings = map[string]func(*server) error{
	"a logout": func(s *server) error { return s.Destroy(s.t.Context(), s.mustLoad(id, "app1")) },
	"a login": func(s *server) error {
		_, err := s.Commit(s.t.Context(), id, s.mustLoad(id, "app1"), login())
		return err
	},
}

// atItsEnd plays it on the server that had the session before another one ended it.
func atItsEnd(t *testing.T, play func(t *testing.T, f *farm, a *server, async bool)) {
	t.Helper()
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			inModes(t, 2, 2, func(t *testing.T, f *farm, async bool) {
				a, b := f.servers[0], f.servers[1]
				a.begin(id)
				a.mustAdd(id, "app1")
				a.flush()
				if err := end(b); err != nil {
					t.Fatal(err)
				}
				play(t, f, a, async)
			})
		})
	}
}

func (s *server) wantGone(id string) {
	s.t.Helper()
	if _, err := s.load(id, s.name); !errors.Is(err, store.ErrNotFound) {
		s.t.Errorf("%s: Load: %v, want not found", s.name, err)
	}
	if got := s.Stats(); got.Sessions != 0 || got.Bytes != 0 || got.Unsent != 0 {
		s.t.Errorf("%s: %d sessions of %d bytes are in memory, %d unsent; want none", s.name, got.Sessions, got.Bytes, got.Unsent)
	}
}

func TestACheckFindsTheEnd(t *testing.T) {
	atItsEnd(t, func(t *testing.T, _ *farm, a *server, _ bool) {
		time.Sleep(11 * time.Second)
		a.mustLoad(id, "app1") // the check runs behind it
		synctest.Wait()
		a.wantGone(id)
	})
}

func TestAChangeFindsTheEnd(t *testing.T) {
	atItsEnd(t, func(t *testing.T, _ *farm, a *server, async bool) {
		err := a.add(id, "app1")
		if over := errors.Is(err, store.ErrDestroyed) || errors.Is(err, store.ErrRenewed); over == async {
			t.Errorf("Commit: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
		a.wantGone(id)
		if got := a.Stats().Dropped; async && got != 1 || !async && got != 0 {
			t.Errorf("%d changes were counted as dropped", got)
		}
	})
}

// It was made here when no node could be asked.
func TestWhatWasNotSentEndsWithTheSession(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
				a, b := f.servers[0], f.servers[1]
				a.begin(id)
				a.flush()
				f.cut("app1")
				time.Sleep(2 * time.Second)
				a.mustAdd(id, "app1")
				if err := end(b); err != nil {
					t.Fatal(err)
				}
				f.mend("app1")
				time.Sleep(10 * time.Second)
				a.wantGone(id)
				if got := a.Stats().Dropped; got != 1 {
					t.Errorf("%d changes were counted as dropped, want 1", got)
				}
			})
		})
	}
}

func TestALogoutEndsWhatIsInMemoryToo(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.mustAdd(id, "app1")
		if err := a.Destroy(t.Context(), a.mustLoad(id, "app1")); err != nil {
			t.Fatal(err)
		}
		a.wantGone(id)
		if _, err := b.load(id, "app1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another server: Load: %v, want not found", err)
		}
	})
}

func TestALogoutThroughAFormerIDEndsTheSession(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.mustRenew(id, "app1")
		a.mustAdd(newID, "app1")
		a.flush()
		if err := a.Destroy(t.Context(), a.mustLoadAliased(id, "app1")); err != nil {
			t.Fatal(err)
		}
		a.wantGone(newID)
		if _, err := b.load(newID, "app1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another server: Load: %v, want not found", err)
		}
	})
}

// A change that is made while its session is ended does not bring it back.
func TestAChangeDuringALogoutDoesNotOutliveIt(t *testing.T) {
	inFarm(t, 2, 1, sticky.Options{Async: true}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		v := a.begin(id)
		slow(f.nodes[0], 50*time.Millisecond, never)
		ended := make(chan error, 1)
		go func() { ended <- a.Destroy(t.Context(), v) }()
		time.Sleep(10 * time.Millisecond)
		_ = a.addTo(id, v)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		f.unmute()
		time.Sleep(time.Second)
		a.wantGone(id)
		if _, err := b.load(id, ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another server: Load: %v, want not found", err)
		}
	})
}
