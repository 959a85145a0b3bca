package sticky_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

const otherID = "OTHEROTHEROTHEROTHER234567"

// renewal moves a session to newID; its former id stays good for a minute.
func renewal() *store.Change {
	ch := change(func(*record.Record) {})
	ch.RenewTo, ch.Grace = newID, time.Minute
	return ch
}

func (s *server) mustRenew(id, route string) {
	s.t.Helper()
	if _, err := s.Commit(s.t.Context(), id, s.mustLoad(id, route), renewal()); err != nil {
		s.t.Fatalf("%s: renewal: %v", s.name, err)
	}
}

// commitSync is a change that has to be on the nodes when it is answered.
func (s *server) commitSync(ctx context.Context, id string, v *store.View, ch *store.Change) (*store.View, error) {
	ch.Sync = true
	return s.Commit(ctx, id, v, ch)
}

// outageBut has a server take its nodes for gone, though they answer it after wait in
// what concerns ids: as just when they come back.
func (f *farm) outageBut(a *server, wait time.Duration, ids ...string) {
	var keys []string
	for _, id := range ids {
		keys = append(keys, a.cluster.Key(id))
	}
	for _, n := range f.nodes {
		n.Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			switch {
			case call.Client != a.name:
				return next()
			case !slices.Contains(keys, call.Key):
				return store.ErrUnavailable
			}
			time.Sleep(wait)
			return next()
		})
	}
	a.mustAdd(otherID, a.name)
	if !a.Stats().Away {
		a.t.Fatalf("%s does not say that no node answers", a.name)
	}
}

// A change is made in memory just when the server that makes it learns that the
// session has another id by now, in each of the ways in which it does.
func TestAChangeMadeMeanwhileFollowsTheSessionToItsNewID(t *testing.T) {
	ways := map[string]struct {
		sync, renewsHere bool
		learn            func(a *server, v *store.View) error
		total            int // with the change, and what the way itself adds
	}{
		"by a read": {learn: func(a *server, _ *store.View) error {
			_, err := a.load(id, "app2")
			return err
		}, total: 1},
		"by sending": {learn: func(a *server, v *store.View) error { return a.addTo(id, v) }, total: 2},
		"by a change on the nodes": {sync: true, learn: func(a *server, v *store.View) error {
			_, err := a.commitSync(context.Background(), id, v, oneMore())
			return err
		}, total: 2},
		"by a renewal of its own": {sync: true, renewsHere: true, learn: func(a *server, v *store.View) error {
			_, err := a.Commit(context.Background(), id, v, renewal())
			return err
		}, total: 1},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			inFarm(t, 2, 1, sticky.Options{Async: !way.sync}, func(t *testing.T, f *farm) {
				a, b := f.servers[0], f.servers[1]
				a.begin(id)
				a.begin(otherID)
				a.flush()
				if !way.renewsHere {
					b.mustRenew(id, "app1")
				}
				v := a.mustLoad(id, "app1")
				slow(f.nodes[0], 50*time.Millisecond, never)
				if way.sync { // else changes are made in memory anyway
					f.outageBut(a, 50*time.Millisecond, id, newID)
				}
				learned := make(chan error, 1)
				go func() { learned <- way.learn(a, v) }()
				time.Sleep(10 * time.Millisecond)
				if err := a.addTo(id, v); err != nil {
					t.Fatal(err)
				}
				if err := <-learned; err != nil {
					t.Error(err)
				}
				f.unmute()
				time.Sleep(time.Second)
				a.flush()
				b.wantTotal(newID, "", way.total)
				if got := a.Stats().Dropped; got != 0 {
					t.Errorf("%d changes were counted as dropped, want none", got)
				}
			})
		})
	}
}

// A renewal and a login of one session run at the same time, both sent with its first
// id; the login follows the alias. Then the id that the renewal gave is worthless too.
func TestALoginEndsTheIDThatARenewalGaveMeanwhile(t *testing.T) {
	inFarm(t, 1, 2, sticky.Options{}, func(t *testing.T, f *farm) {
		a := f.servers[0]
		a.begin(id)
		seen := a.mustLoad(id, a.name)
		a.mustRenew(id, a.name)
		login := change(func(r *record.Record) { r.Owner, r.Login = "bob", r.Login+1 })
		login.RenewTo, login.Grace = otherID, time.Minute
		if _, err := a.Commit(t.Context(), id, seen, login); err != nil {
			t.Fatalf("login: %v", err)
		}
		for _, former := range []string{id, newID} {
			if v, err := a.Continue(t.Context(), former, ""); err == nil {
				t.Errorf("a former id is served after a login: %+v", v.Record)
			}
		}
	})
}

// A server takes a session over and renews it at once, while its former server still
// works on a request that was sent before.
func TestARenewedSessionThatWasTakenOverIsAskedAbout(t *testing.T) {
	inFarm(t, 2, 2, sticky.Options{}, func(t *testing.T, f *farm) {
		a, b := f.servers[0], f.servers[1]
		a.begin(id)
		seen := a.mustLoad(id, a.name)
		b.mustRenew(id, a.name)
		if err := a.addTo(id, seen); err != nil {
			t.Fatalf("the former server's change, within the grace: %v", err)
		}
		b.wantTotal(newID, b.name, 1)
	})
}
