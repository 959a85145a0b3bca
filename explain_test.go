package holdfast_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
	"github.com/holdfast-sessions/holdfast/store"
)

// explained is what came of Explain, in one line.
func explained(all []holdfast.Explanation) string {
	var lines []string
	for _, e := range all {
		lines = append(lines, e.What+": "+e.Reason)
	}
	return strings.Join(lines, " | ")
}

const missedEverywhere = "missed: no node has it: it expired there, was lost, or never was"

func wantExplained(t *testing.T, got []holdfast.Explanation, want string) {
	t.Helper()
	if explained(got) != want {
		t.Errorf("got %q, want %q", explained(got), want)
	}
}

// explain is a page that only explains.
func explain(into *[]holdfast.Explanation) func(http.ResponseWriter, *http.Request, *holdfast.Session) {
	return func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		*into = s.Explain()
		_ = s.Err()
	}
}

func TestExplainTellsWhyThereIsNoSession(t *testing.T) {
	begin := func(s *holdfast.Session) { textKey.Set(s, "x") }
	wait := func(d time.Duration) func(*tap, *visitor, *holdfast.Manager) {
		return func(*tap, *visitor, *holdfast.Manager) { time.Sleep(d) }
	}
	do := func(serve func(*holdfast.Session)) func(*tap, *visitor, *holdfast.Manager) {
		return func(_ *tap, v *visitor, m *holdfast.Manager) { v.session(m, serve).get("/") }
	}
	const unread = "node n1: unreadable record: it does not begin as a Holdfast record does"
	for name, c := range map[string]struct {
		happens     func(on *tap, v *visitor, m *holdfast.Manager)
		here, there string // on the server where it happened, and on another
	}{
		"it is there":       {wait(0), "", ""},
		"logout":            {do(func(s *holdfast.Session) { s.Destroy() }), "missed: it ended by logout | ended: logout", "missed: it ended by logout"},
		"unused":            {wait(32 * time.Minute), "ended: idle", "missed: it ended by idle"},
		"unused for longer": {wait(time.Hour), missedEverywhere, missedEverywhere},
		"its deadline": {func(_ *tap, v *visitor, m *holdfast.Manager) {
			for range 8 {
				time.Sleep(20 * time.Minute)
				v.session(m, func(s *holdfast.Session) { textKey.Get(s) }).get("/")
			}
			time.Sleep(20 * time.Minute)
		}, "ended: absolute", "missed: it ended by absolute"},
		"login": {do(func(s *holdfast.Session) { s.Login("bob") }), "missed: it was renewed a moment ago: its new id is on the way to the browser | renewed: it got another id", "missed: it was renewed a moment ago: its new id is on the way to the browser"},
		"renewed lately": {
			do(func(s *holdfast.Session) { s.Renew() }), "renewed: it got another id", "", // in its grace it is found
		},
		"renewed long ago": {func(_ *tap, v *visitor, m *holdfast.Manager) {
			v.session(m, func(s *holdfast.Session) { s.Renew() }).get("/")
			time.Sleep(time.Minute)
		}, "missed: it was renewed: it has another id | renewed: it got another id", "missed: it was renewed: it has another id"},
		"the node forgot it": {func(on *tap, _ *visitor, _ *holdfast.Manager) { on.set(forgetful()) }, missedEverywhere, missedEverywhere},
		"the node is away": {
			func(on *tap, _ *visitor, _ *holdfast.Manager) { on.set(down()) },
			"unavailable: node n1: store unavailable: connection refused", "unavailable: node n1: store unavailable: connection refused",
		},
		"damage": {func(on *tap, _ *visitor, _ *holdfast.Manager) { on.set(damaged()) }, "unreadable: " + unread, "unreadable: " + unread},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				on, opts := newTap(), &holdfast.Options{AbsoluteTimeout: 3 * time.Hour}
				m, other := newManager(t, on, opts), newManager(t, on, opts)
				v := &visitor{}
				v = v.session(m, begin)
				v.get("/")
				former := v.with(nil)
				c.happens(on, v.with(nil), m)
				for _, ask := range []struct {
					who  *holdfast.Manager
					want string
				}{{m, c.here}, {other, c.there}} {
					var got []holdfast.Explanation
					former.with(ask.who.Handler(page(explain(&got)))).get("/")
					wantExplained(t, got, ask.want)
				}
			})
		})
	}
}

// forgetful is a store that has lost all, and takes nothing.
func forgetful() bend {
	return bend{get: func(context.Context, func() (store.Item, error)) (store.Item, error) {
		return store.Item{}, store.ErrNotFound
	}}
}

func damaged() bend {
	return bend{get: func(_ context.Context, next func() (store.Item, error)) (store.Item, error) {
		item, err := next()
		item.Value = []byte("not a record")
		return item, err
	}}
}

func TestExplainTellsWhatIsWrongWithTheCookie(t *testing.T) {
	opts := &holdfast.Options{Keys: [][]byte{make([]byte, 32)}}
	m := newManager(t, newTap(), opts)
	for cookie, want := range map[string]string{
		"":                                   "",
		"other=x":                            "",
		"__Host-session=x":                   "ignored: the cookie does not hold an id",
		"__Host-session=" + rand.Text():      "ignored: the MAC behind the id is missing or wrong, or there are too many cookies",
		"__Host-session=x; __Host-session=y": "ignored: the cookie does not hold an id",
	} {
		var got []holdfast.Explanation
		v := visit(m, explain(&got))
		v.cookie = cookie
		v.get("/")
		wantExplained(t, got, want)
	}
}

func TestExplainTellsThatTheStoreLostWhatWasRead(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	v := visit(m, func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) { textKey.Set(s, "x") })
	v.get("/")
	var id holdfast.ID
	v.session(m, func(s *holdfast.Session) {
		increment(s)
		id = s.ID()
		on.set(bend{
			get: forgetful().get,
			put: func(context.Context, func() (store.Version, error)) (store.Version, error) {
				return store.Version{}, store.ErrConflict
			},
		})
		s.Commit()
		_ = s.Err()
	}).get("/")
	wantExplained(t, m.Explain(id), "lost: no node has it any more")
}

func TestExplainTakesAFingerprint(t *testing.T) {
	m := newManager(t, newTap(), nil)
	id := holdfast.ID(rand.Text())
	v := visit(m, show)
	v.cookie = "__Host-session=" + id.Secret()
	v.get("/")
	wantExplained(t, m.Explain(id), missedEverywhere)
	wantExplained(t, m.Explain(holdfast.ID(id.String())), missedEverywhere)
	wantExplained(t, m.Explain(holdfast.ID(rand.Text())), "")
	wantExplained(t, m.Explain(""), "")
}

// Who asks again and again pushes out nothing; the thousand that others met do.
func TestExplainRemembersAThousand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, newTap(), nil)
		miss := func() holdfast.ID {
			id := holdfast.ID(rand.Text())
			v := visit(m, show)
			v.cookie = "__Host-session=" + id.Secret()
			v.get("/")
			return id
		}
		first, second := miss(), miss()
		time.Sleep(time.Hour)
		again := visit(m, show)
		again.cookie = "__Host-session=" + second.Secret()
		for range 2000 {
			again.get("/")
		}
		for range 998 {
			miss()
		}
		wantExplained(t, m.Explain(first), missedEverywhere)
		if got := m.Explain(second); len(got) != 1 || !got[0].At.Equal(time.Now()) {
			t.Errorf("missed again and again: got %v, want once, at %v", got, time.Now())
		}
		miss()
		wantExplained(t, m.Explain(first), "")
		wantExplained(t, m.Explain(second), missedEverywhere)
		last := miss()
		wantExplained(t, m.Explain(second), "")
		wantExplained(t, m.Explain(last), missedEverywhere)
		again.cookie = "__Host-session=" + first.Secret()
		again.get("/")
		wantExplained(t, m.Explain(first), missedEverywhere)
	})
}

func TestExplainNamesTheNodesThatDidNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []holdfast.Explanation
		s := holdfasttest.Cluster(t, 1, 3)
		mux := http.NewServeMux()
		mux.Handle("/begin", page(func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) { textKey.Set(s, "x") }))
		mux.Handle("/", page(explain(&got)))
		s.Handle(mux)
		c := s.Client()
		c.Get("/begin")
		for _, node := range []string{"n1", "n2", "n3"} {
			s.KillNode(node)
		}
		c.Get("/")
		time.Sleep(5 * time.Second)
		c.Get("/")
		for i := range 3 {
			if name := fmt.Sprint("n", i+1); !strings.Contains(explained(got), name) {
				t.Errorf("got %q, want it to name %s", explained(got), name)
			}
		}
	})
}

func TestExplainOutsideOfARequestIsEmpty(t *testing.T) {
	wantExplained(t, new(holdfast.Session).Explain(), "")
}
