package sticky_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

func TestAReadAsksNobody(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.begin(id)
		a.mustAdd(id, "app1")
		a.flush()
		got := f.calls(func() { a.wantTotal(id, "app1", 1) })
		if got != 0 {
			t.Errorf("a read made %d calls to the nodes", got)
		}
	})
}

func TestAChangeIsOneCallToEachCopy(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.begin(id)
		a.flush()
		got := f.calls(func() {
			a.mustAdd(id, "app1")
			a.flush()
			synctest.Wait()
		})
		if got != 2 {
			t.Errorf("a change made %d calls to the nodes, want 2", got)
		}
	})
}

func TestAnotherServerTakesOver(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.mustAdd(id, "app1")
		a.flush()
		b.mustAdd(id, "app1")
		b.wantTotal(id, "app2", 2)
		if got := b.Stats().TakeOvers; got != 1 {
			t.Errorf("%d take-overs were counted, want 1", got)
		}
	})
}

func TestASessionThatWasElsewhereIsReadAgain(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.mustAdd(id, "app1")
		a.flush()
		b.mustAdd(id, "app1")
		b.flush()
		a.wantTotal(id, "app2", 2)
		a.mustAdd(id, "app1")
		a.flush()
		b.wantTotal(id, "app1", 3)
	})
}

// A parallel request still has the older cookie, so a does not know that b has
// changed the session.
func TestAChangeOnAnOldCopyIsMadeAgain(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.flush()
		b.mustAdd(id, "app1")
		b.flush()
		a.mustAdd(id, "app1")
		a.flush()
		a.wantTotal(id, "app1", 2)
		b.wantTotal(id, "app1", 2)
	})
}

// What a has not sent yet and what b has done since are both kept.
func TestWhatWasNotSentMeetsWhatAnotherServerDid(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, async bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.flush()
		for _, n := range f.nodes {
			n.Cut("app1")
		}
		time.Sleep(2 * time.Second)
		if err := a.add(id, "app1"); err != nil {
			t.Fatalf("a change while no node answers: %v", err)
		}
		b.mustAdd(id, "app1")
		b.flush()
		if got := a.Stats().Unsent; got != 1 {
			t.Errorf("%d sessions are unsent, want 1", got)
		}
		for _, n := range f.nodes {
			n.Mend("app1")
		}
		time.Sleep(10 * time.Second)
		a.flush()
		a.wantTotal(id, "app1", 2)
		b.wantTotal(id, "app1", 2)
	})
}

func TestALogoutIsFinal(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.flush()
		v := b.mustLoad(id, "app1")
		if err := b.Destroy(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		old := a.mustLoad(id, "app1") // somebody keeps the old cookie
		err := a.addTo(id, old)
		a.flush()
		if err == nil && !errors.Is(err, store.ErrDestroyed) {
			time.Sleep(time.Second)
		}
		time.Sleep(11 * time.Second)
		_, _ = a.load(id, "app1") // the check runs behind it
		synctest.Wait()
		if _, err := a.load(id, "app1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Load after the logout: %v, want not found", err)
		}
	})
}

func TestASessionThatNoNodeHasAnyMoreIsStoredAgain(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		inModes(t, 2, nodes, func(t *testing.T, f *farm, _ bool) {
			a, b := f.servers[0], f.servers[1]
			a.begin(id)
			a.mustAdd(id, "app1")
			a.flush()
			for _, n := range f.nodes {
				n.Empty()
			}
			a.mustAdd(id, "app1")
			a.flush()
			a.wantTotal(id, "app1", 2)
			b.wantTotal(id, "app1", 2)
		})
	}
}

func TestIdleSessionsAreSentAgainToANodeThatComesBackEmpty(t *testing.T) {
	inModes(t, 1, 2, func(t *testing.T, f *farm, _ bool) {
		a := f.servers[0]
		a.begin(id)
		a.mustAdd(id, "app1")
		a.flush()
		for _, n := range f.nodes { // one after the other, and nobody uses the session
			n.Kill()
			time.Sleep(time.Second)
			_, _ = a.load("OTHEROTHEROTHEROTHER234567", "")
			time.Sleep(5 * time.Second)
			n.Revive()
			time.Sleep(30 * time.Second)
		}
		b := f.start("app2", stickyOptions())
		b.wantTotal(id, "app1", 1)
	})
}

func TestARenewedSessionTakesWhatWasNotSentAlong(t *testing.T) {
	inModes(t, 2, 2, func(t *testing.T, f *farm, _ bool) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		a.mustAdd(id, "app1")
		v := a.mustLoad(id, "app1")
		login := change(func(r *record.Record) { r.Owner = "bob"; r.Login++ })
		login.RenewTo = newID
		if _, err := a.Commit(t.Context(), id, v, login); err != nil {
			t.Fatal(err)
		}
		if _, err := a.load(id, "app1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Load of the former id: %v, want not found", err)
		}
		a.wantTotal(newID, "app1", 1)
		a.flush()
		b.wantTotal(newID, "app1", 1)
	})
}
