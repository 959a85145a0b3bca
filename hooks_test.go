package holdfast_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// A diary notes what the hooks tell.
type diary struct {
	mu    sync.Mutex
	lines []string // guarded by mu
	ids   []holdfast.ID
}

func (d *diary) hooks() holdfast.Hooks {
	note := func(what string) func(context.Context, holdfast.Event) {
		return func(_ context.Context, e holdfast.Event) {
			d.mu.Lock()
			defer d.mu.Unlock()
			line := strings.Join(slices.DeleteFunc([]string{what, e.Attribute, e.Owner}, func(s string) bool { return s == "" }), " ")
			if e.Reason != 0 {
				line += " by " + e.Reason.String()
			}
			if (e.FormerID != "") != (what == "renewed") || e.FormerID == e.ID {
				line += fmt.Sprintf(" (id %q, formerly %q)", e.ID.Secret(), e.FormerID.Secret())
			}
			d.lines = append(d.lines, line)
			d.ids = append(d.ids, e.ID)
		}
	}
	return holdfast.Hooks{
		Created: note("created"), Destroyed: note("destroyed"), Renewed: note("renewed"), Changed: note("changed"),
	}
}

// drain returns what was told, and forgets it.
func (d *diary) drain() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := strings.Join(d.lines, ", ")
	d.lines = nil
	return all
}

func TestHooksTellWhatHappenedOnce(t *testing.T) {
	var d diary
	m := newManager(t, newTap(), &holdfast.Options{Hooks: d.hooks()})
	v := &visitor{}
	for _, c := range []struct {
		name  string
		serve func(*holdfast.Session)
		told  string
	}{
		{"nothing", func(*holdfast.Session) {}, ""},
		{"read without a session", func(s *holdfast.Session) { textKey.Get(s) }, ""},
		{"begun and given up", func(s *holdfast.Session) { increment(s); s.Destroy() }, ""},
		{"created", func(s *holdfast.Session) { textKey.Set(s, "a"); textKey.Set(s, "b") }, "created, changed text"},
		{"read", func(s *holdfast.Session) { textKey.Get(s) }, ""},
		{"changed", func(s *holdfast.Session) { increment(s); increment(s); otherKey.Set(s, "x") }, "changed number, changed other"},
		{"two commits", func(s *holdfast.Session) { increment(s); s.Commit(); increment(s) }, "changed number, changed number"},
		{"deleted", func(s *holdfast.Session) { otherKey.Delete(s); otherKey.Delete(s) }, "changed other"},
		{"settings", func(s *holdfast.Session) { s.SetIdleTimeout(time.Hour) }, ""},
		{"refused", func(s *holdfast.Session) { s.Do(func(s *holdfast.Session) error { increment(s); return errTooLow }) }, ""},
		{"decided", func(s *holdfast.Session) { s.Do(increment) }, "changed number"},
		{"renewed", func(s *holdfast.Session) { s.Renew() }, "renewed"},
		{"login", func(s *holdfast.Session) { s.Login("bob"); increment(s) }, "renewed bob, changed number bob"},
		{"cleared", func(s *holdfast.Session) { s.Clear() }, "changed number bob, changed text bob"},
		{"logout", func(s *holdfast.Session) { increment(s); s.Destroy() }, "destroyed bob by logout"},
		{"logout again", func(s *holdfast.Session) { s.Destroy() }, ""},
		{"login without a session", func(s *holdfast.Session) { s.Login("eve") }, "created eve"},
		{"logout and a new one", func(s *holdfast.Session) { s.Destroy(); s.Destroy(); increment(s) }, "destroyed eve by logout, created, changed number"},
	} {
		v = v.session(m, c.serve)
		v.get("/")
		if got := d.drain(); got != c.told {
			t.Errorf("%s: told %q, want %q", c.name, got, c.told)
		}
	}
}

func TestHooksOfACommitThatWasUncertain(t *testing.T) {
	eachLostAnswer(t, func(t *testing.T, l lostAnswer) {
		var d diary
		m := newManager(t, l.on, &holdfast.Options{Hooks: d.hooks()})
		l.v.session(m, func(s *holdfast.Session) {
			l.change(s)
			s.Commit()
			s.Commit()
			if got := d.drain(); got != "" {
				t.Errorf("told before it was certain: %s", got)
			}
			l.on.set(bend{})
			s.Commit()
			s.Err()
		}).get("/")
		if got := d.drain(); strings.Count(got, "changed number") != 1 || strings.Count(got, ",") > 1 {
			t.Errorf("told %q", got)
		}
	})
}

// The end of a session is told by the request that meets it, whether it uses
// the session or not, and by no other.
func TestTheEndByTimeIsToldOnce(t *testing.T) {
	for name, c := range map[string]struct {
		options holdfast.Options
		wait    time.Duration
		told    string
	}{
		"idle":     {holdfast.Options{}, 33 * time.Minute, "destroyed bob by idle"},
		"absolute": {holdfast.Options{AbsoluteTimeout: 2 * time.Minute}, 2 * time.Minute, "destroyed bob by absolute"},
	} {
		for use, serve := range map[string]func(*holdfast.Session){
			"read": func(s *holdfast.Session) { textKey.Get(s) }, "change": func(s *holdfast.Session) { increment(s) }, "not used": func(*holdfast.Session) {},
		} {
			t.Run(name+", "+use, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var d diary
					c.options.Hooks = d.hooks()
					p := newPair(t, &c.options)
					v := p.begin(func(s *holdfast.Session) { s.Login("bob") })
					d.drain()
					time.Sleep(c.wait)
					w := v.session(p.here, serve)
					w.get("/")
					synctest.Wait()
					told, _, _ := strings.Cut(d.drain(), ", created")
					if told != c.told {
						t.Errorf("told %q, want %q", told, c.told)
					}
					for _, m := range []*holdfast.Manager{p.here, p.there} {
						v.session(m, func(s *holdfast.Session) { textKey.Get(s) }).get("/")
					}
					if got := d.drain(); got != "" {
						t.Errorf("and then %q", got)
					}
				})
			})
		}
	}
}

func TestHooksGetTheRequestsContextAndMayUseTheSession(t *testing.T) {
	type contextKey struct{}
	var seen any
	var m *holdfast.Manager
	m = newManager(t, newTap(), &holdfast.Options{Hooks: holdfast.Hooks{
		Created: func(ctx context.Context, e holdfast.Event) {
			seen = ctx.Value(contextKey{})
			if err := m.With(ctx, e.ID, increment); err != nil {
				t.Errorf("With in a hook: %v", err)
			}
		},
	}})
	v := visit(m, show)
	r := httptestRequest(context.WithValue(t.Context(), contextKey{}, "request"))
	v.session(m, func(s *holdfast.Session) { textKey.Set(s, "new") }).send(r)
	if seen != "request" {
		t.Errorf("the hook's context has %v", seen)
	}
}

func TestStats(t *testing.T) {
	p := newPair(t, nil)
	v := p.begin(func(s *holdfast.Session) { increment(s) })
	v = v.session(p.here, func(s *holdfast.Session) { s.Renew() })
	v.get("/")
	v.session(p.here, func(s *holdfast.Session) { holdfast.NewKey[bool]("number").Get(s) }).get("/")
	v.session(p.here, func(s *holdfast.Session) { s.Destroy() }).get("/")
	v.session(p.here, func(s *holdfast.Session) { s.Destroy() }).get("/")
	got := p.here.Stats()
	if got.Created != 1 || got.Renewed != 1 || got.Destroyed != 1 || got.Commits != 2 || got.Failures != 1 || got.Replaced != 1 {
		t.Errorf("%+v", got)
	}
	if got.Replays+got.Overwritten+got.TooLate+got.HookPanics != 0 {
		t.Errorf("%+v", got)
	}
	if got := p.there.Stats(); got != (holdfast.Stats{}) {
		t.Errorf("the other server has %+v", got)
	}
}
