package holdfasttest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// program is what runs on each server of a site.
func program() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", whoami)
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		holdfast.From(r.Context()).Login(r.FormValue("user"))
	})
	mux.HandleFunc("POST /click", func(_ http.ResponseWriter, r *http.Request) {
		clicks.Update(holdfast.From(r.Context()), func(n *int) error { *n++; return nil })
	})
	mux.HandleFunc("GET /hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("oh") })
	return mux
}

// onSite runs test with a site on one node.
func onSite(t *testing.T, servers int, test func(*testing.T, *holdfasttest.Site, *holdfasttest.SiteClient)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		site := holdfasttest.Cluster(t, servers, 1)
		site.Handle(program())
		test(t, site, site.Client())
	})
}

func wantPage(t *testing.T, w *httptest.ResponseRecorder, server, page string) {
	t.Helper()
	if got := w.Header().Get(holdfasttest.ServedBy); w.Code != http.StatusOK || got != server || w.Body.String() != page {
		t.Errorf("%q answers %d %q, want %q with 200 %q", got, w.Code, w.Body, server, page)
	}
}

func wantNoAnswer(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if got := w.Header().Get(holdfasttest.ServedBy); w.Code != http.StatusBadGateway || got != "" {
		t.Errorf("%q answers %d %q, want 502 by the balancer", got, w.Code, w.Body)
	}
}

func wantClicks(t *testing.T, c *holdfasttest.Client, want int) {
	t.Helper()
	c.Session(func(s *holdfast.Session) {
		if got, _ := clicks.Get(s); got != want {
			t.Errorf("%d clicks, want %d", got, want)
		}
	})
}

func TestServersTakeTurnsWithOneSession(t *testing.T) {
	onSite(t, 3, func(t *testing.T, _ *holdfasttest.Site, bob *holdfasttest.SiteClient) {
		bob.Post("/login", url.Values{"user": {"bob"}})
		for _, server := range []string{"app2", "app3", "app1", "app2"} {
			wantPage(t, bob.Get("/"), server, "bob ")
		}
		for range 3 {
			wantPage(t, bob.On("app3").Get("/"), "app3", "bob ")
		}
	})
}

func TestVisitorsOfASiteAreStrangers(t *testing.T) {
	onSite(t, 1, func(t *testing.T, site *holdfasttest.Site, bob *holdfasttest.SiteClient) {
		bob.Session(func(s *holdfast.Session) { s.Login("bob") })
		wantPage(t, site.Client().Get("/"), "app1", " ")
		wantPage(t, bob.Get("/"), "app1", "bob ")
	})
}

func TestKilledServerIsLeftOut(t *testing.T) {
	onSite(t, 3, func(t *testing.T, site *holdfasttest.Site, bob *holdfasttest.SiteClient) {
		bob.Session(func(s *holdfast.Session) { s.Login("bob") }) // on app1
		site.KillServer("app2")
		for _, server := range []string{"app3", "app1", "app3"} {
			wantPage(t, bob.Get("/"), server, "bob ")
		}
		wantNoAnswer(t, bob.On("app2").Get("/"))
		site.ReviveServer("app2")
		wantPage(t, bob.On("app2").Get("/"), "app2", "bob ")
	})
}

func TestSiteWithoutServersAnswersNobody(t *testing.T) {
	onSite(t, 1, func(t *testing.T, site *holdfasttest.Site, bob *holdfasttest.SiteClient) {
		site.KillServer("app1")
		site.KillServer("app1")
		wantNoAnswer(t, bob.Get("/"))
	})
}

func TestServerThatDiesUnderARequestGivesNoAnswer(t *testing.T) {
	onSite(t, 1, func(t *testing.T, site *holdfasttest.Site, bob *holdfasttest.SiteClient) {
		time.AfterFunc(time.Second, func() { site.KillServer("app1") })
		began := time.Now()
		wantNoAnswer(t, bob.Get("/hang"))
		if took := time.Since(began); took != time.Second {
			t.Errorf("the client waited %v, want until the server died", took)
		}
	})
}

// What a server had sent when it died is there, nothing else, and never an answer.
func TestServerDiesInTheMiddleOfACommit(t *testing.T) {
	for name, c := range map[string]struct {
		verb   string
		before bool
		want   int
	}{
		"before the read":  {"get", true, 1},
		"after the read":   {"get", false, 1},
		"before the write": {"put", true, 1},
		"after the write":  {"put", false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			onSite(t, 2, func(t *testing.T, site *holdfasttest.Site, bob *holdfasttest.SiteClient) {
				bob.Post("/click", nil)
				site.Node("n1").Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
					if call.Verb == c.verb && c.before {
						site.KillServer("app1")
					}
					err := next()
					if call.Verb == c.verb {
						site.KillServer("app1")
					}
					return err
				})
				wantNoAnswer(t, bob.On("app1").Post("/click", nil))
				site.Node("n1").Intercept(nil)
				wantClicks(t, bob.On("app2"), c.want)
			})
		})
	}
}

func TestWriteOfADeadServerLandsLate(t *testing.T) {
	onSite(t, 2, func(t *testing.T, site *holdfasttest.Site, bob *holdfasttest.SiteClient) {
		bob.Post("/click", nil)
		site.Node("n1").Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			if call.Verb == "put" {
				site.FreezeNode("n1")
			}
			return next()
		})
		time.AfterFunc(10*time.Millisecond, func() { site.KillServer("app1") })
		wantNoAnswer(t, bob.On("app1").Post("/click", nil))
		site.Node("n1").Intercept(nil)
		site.ThawNode("n1")
		wantClicks(t, bob.On("app2"), 2)
	})
}

func TestCutIsBetweenOneServerAndOneNode(t *testing.T) {
	onSite(t, 2, func(t *testing.T, site *holdfasttest.Site, bob *holdfasttest.SiteClient) {
		bob.Session(func(s *holdfast.Session) { s.Login("bob") })
		site.Cut("app1", "n1")
		if w := bob.On("app1").Get("/"); w.Code != http.StatusServiceUnavailable {
			t.Errorf("the server that was cut off answers %d, want 503", w.Code)
		}
		wantPage(t, bob.On("app2").Get("/"), "app2", "bob ")
		site.Mend("app1", "n1")
		wantPage(t, bob.On("app1").Get("/"), "app1", "bob ")
	})
}

func TestNodeForgetsOrNot(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(*holdfasttest.Site)
		page  string
	}{
		"killed and revived": {func(s *holdfasttest.Site) { s.KillNode("n1"); s.ReviveNode("n1") }, " "},
		"emptied":            {func(s *holdfasttest.Site) { s.EmptyNode("n1") }, " "},
		"frozen and thawed":  {func(s *holdfasttest.Site) { s.FreezeNode("n1"); s.ThawNode("n1") }, "bob "},
	} {
		t.Run(name, func(t *testing.T) {
			onSite(t, 1, func(t *testing.T, site *holdfasttest.Site, bob *holdfasttest.SiteClient) {
				bob.Session(func(s *holdfast.Session) { s.Login("bob") })
				c.fault(site)
				wantPage(t, bob.Get("/"), "app1", c.page)
			})
		})
	}
}

func TestOptionsAreThoseOfEveryManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := holdfasttest.Cluster(t, 2, 1)
		site.Options = &holdfast.Options{Cookie: holdfast.Cookie{Name: "shop"}, OperationTimeout: time.Second}
		site.Handle(program())
		bob := site.Client()
		if got := bob.Post("/click", nil).Header().Get("Set-Cookie"); !strings.HasPrefix(got, "shop=") {
			t.Errorf("the cookie is %q, want it called shop", got)
		}
		site.FreezeNode("n1")
		began := time.Now()
		bob.Get("/")
		if took := time.Since(began); took != time.Second {
			t.Errorf("the request waited %v, want OperationTimeout", took)
		}
	})
}

func TestPanicOfAProgramReachesTheTest(t *testing.T) {
	onSite(t, 1, func(t *testing.T, _ *holdfasttest.Site, bob *holdfasttest.SiteClient) {
		defer func() {
			if got := recover(); got != "oh" {
				t.Errorf("recovered %v, want what the handler panicked with", got)
			}
		}()
		bob.Get("/panic")
	})
}

func TestUnknownNamesPanic(t *testing.T) {
	onSite(t, 2, func(t *testing.T, site *holdfasttest.Site, bob *holdfasttest.SiteClient) {
		for name, misspelt := range map[string]func(){
			"KillServer": func() { site.KillServer("app3") },
			"KillNode":   func() { site.KillNode("node1") },
			"On":         func() { bob.On("") },
			"Cut":        func() { site.Cut("n1", "app1") },
			"SetNodes":   func() { site.SetNodes("app1", "n1", "n2") },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s took it", name)
					}
				}()
				misspelt()
			}()
		}
	})
}

func TestSiteEndsCleanWhateverFailed(t *testing.T) {
	onSite(t, 3, func(t *testing.T, site *holdfasttest.Site, bob *holdfasttest.SiteClient) {
		bob.Post("/click", nil)
		go bob.On("app1").Get("/hang")
		go bob.On("app2").Get("/hang")
		synctest.Wait()
		site.FreezeNode("n1")
		go bob.On("app3").Post("/click", nil)
		site.KillServer("app1")
	})
}

func TestManagersOfASiteAreShutDownWithItsTest(t *testing.T) {
	test := &recorder{TB: t}
	site := holdfasttest.Cluster(test, 1, 1)
	site.Handle(program())
	m := site.Manager("app1")
	r := holdfasttest.With(request(), m, func(s *holdfast.Session) { s.Login("bob") })
	test.end()
	w := httptest.NewRecorder()
	m.Handler(http.HandlerFunc(whoami)).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || len(test.errors) > 0 {
		t.Errorf("after the test a request gets status %d, want 503; the test was told of %q", w.Code, test.errors)
	}
}

func TestPanicOfAHookFailsTheTestOfASite(t *testing.T) {
	test := &recorder{TB: t}
	site := holdfasttest.Cluster(test, 1, 1)
	site.Options = &holdfast.Options{Hooks: holdfast.Hooks{Created: func(context.Context, holdfast.Event) { panic("oh") }}}
	site.Handle(program())
	site.Client().Post("/click", nil)
	test.end()
	test.wantError(t, "hooks panicked 1 times")
}

// The balancer of a sticky site goes by the cookie, and another server takes over when
// that one dies.
func TestAStickySiteGoesByTheCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := holdfasttest.Cluster(t, 3, 2)
		site.Options = &holdfast.Options{Sticky: true}
		site.Handle(program())
		c := site.Client()
		first := c.Post("/click", nil).Header().Get(holdfasttest.ServedBy)
		for range 5 {
			if got := c.Post("/click", nil).Header().Get(holdfasttest.ServedBy); got != first {
				t.Errorf("%s answers, want %s", got, first)
			}
		}
		site.KillServer(first)
		second := c.Post("/click", nil).Header().Get(holdfasttest.ServedBy)
		if got := c.Post("/click", nil).Header().Get(holdfasttest.ServedBy); got != second || got == first {
			t.Errorf("%s answers after the death of %s, and %s before it", got, first, second)
		}
		wantClicks(t, c.Client, 8)
	})
}
