package holdfasttest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

var clicks = holdfast.NewKey[int]("clicks")

// site is a small program: who logs in has a cart that can be filled.
func site(m *holdfast.Manager) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", whoami)
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		holdfast.From(r.Context()).Login(r.FormValue("user"))
	})
	mux.HandleFunc("POST /logout", func(_ http.ResponseWriter, r *http.Request) {
		holdfast.From(r.Context()).Destroy()
	})
	mux.HandleFunc("POST /cart", func(w http.ResponseWriter, r *http.Request) {
		cart.Update(holdfast.From(r.Context()), func(items *[]string) error {
			*items = append(*items, r.FormValue("item"))
			return nil
		})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /click", func(_ http.ResponseWriter, r *http.Request) {
		clicks.Update(holdfast.From(r.Context()), func(n *int) error { *n++; return nil })
	})
	return m.Handler(mux)
}

func TestClientIsOneVisitor(t *testing.T) {
	m := holdfasttest.New(t, nil)
	bob, eve := holdfasttest.NewClient(m, site(m)), holdfasttest.NewClient(m, site(m))
	bob.Post("/login", url.Values{"user": {"bob"}})
	if w := bob.Post("/cart", url.Values{"item": {"tea"}}); w.Code != http.StatusSeeOther {
		t.Errorf("POST /cart: status %d, want 303: redirects are not followed", w.Code)
	}
	if got, want := bob.Get("/").Body.String(), "bob tea"; got != want {
		t.Errorf("bob sees %q, want %q", got, want)
	}
	if got, want := eve.Get("/").Body.String(), " "; got != want {
		t.Errorf("eve sees %q, want %q", got, want)
	}
	bob.Post("/logout", nil)
	if got, want := bob.Get("/").Body.String(), " "; got != want {
		t.Errorf("after the logout bob sees %q, want %q", got, want)
	}
}

func TestSessionIsPreparedAndSeen(t *testing.T) {
	for name, cookie := range map[string]holdfast.Cookie{
		"plain":      {AllowInsecure: true},
		"secure":     {SameSite: http.SameSiteStrictMode},
		"path":       {Path: "/shop"},
		"domain":     {Domain: "example.com"},
		"subdomains": {Domain: "example.com", Path: "/shop"},
	} {
		t.Run(name, func(t *testing.T) {
			m := holdfasttest.New(t, &holdfast.Options{Cookie: cookie, Ignore: regexp.MustCompile(`\.png$`)})
			c := holdfasttest.NewClient(m, http.StripPrefix("/shop", site(m)))
			c.Session(func(s *holdfast.Session) { s.Login("bob") })
			c.Session(func(s *holdfast.Session) { cart.Set(s, []string{"milk"}) })
			c.Post("/shop/cart", url.Values{"item": {"tea"}})
			c.Get("/shop/logo.png")
			c.Session(func(s *holdfast.Session) {
				got, _ := cart.Get(s)
				if fmt.Sprint(got) != "[milk tea]" || s.Owner() != "bob" {
					t.Errorf("%q has %q in the cart, want bob with milk and tea", s.Owner(), got)
				}
			})
		})
	}
}

func TestDoAddsTheClientsCookiesToACopyOfTheRequest(t *testing.T) {
	m := holdfasttest.New(t, nil)
	c := holdfasttest.NewClient(m, site(m))
	c.Session(func(s *holdfast.Session) { s.Login("bob") })
	r := request()
	if got, want := c.Do(r).Body.String(), "bob "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := r.Header.Get("Cookie"); got != "" {
		t.Errorf("the request that was given carries %q now", got)
	}
}

func TestClientKeepsToThePathOfItsCookies(t *testing.T) {
	m := holdfasttest.New(t, &holdfast.Options{Cookie: holdfast.Cookie{Path: "/shop"}})
	c := holdfasttest.NewClient(m, m.Handler(http.HandlerFunc(whoami)))
	c.Session(func(s *holdfast.Session) { s.Login("bob") })
	for path, want := range map[string]string{"/shop/a": "bob ", "/": " ", "https://elsewhere.example/shop/a": " "} {
		if got := c.Get(path).Body.String(); got != want {
			t.Errorf("%s shows %q, want %q", path, got, want)
		}
	}
}

func TestParallelRequestsOfOneClient(t *testing.T) {
	m := holdfasttest.New(t, nil)
	c := holdfasttest.NewClient(m, site(m))
	c.Post("/click", nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if w := c.Post("/click", nil); w.Code != http.StatusOK {
				t.Errorf("status %d, want 200", w.Code)
			}
		})
	}
	wg.Wait()
	c.Session(func(s *holdfast.Session) {
		if got, _ := clicks.Get(s); got != 9 {
			t.Errorf("%d clicks, want 9", got)
		}
	})
}

func TestClientForgetsALastingCookieInFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := holdfasttest.New(t, nil)
		c := holdfasttest.NewClient(m, site(m))
		c.Session(func(s *holdfast.Session) { s.Login("bob"); s.Persist(30 * 24 * time.Hour) })
		time.Sleep(29 * 24 * time.Hour)
		if got, want := c.Get("/").Body.String(), "bob "; got != want {
			t.Errorf("after 29 days: %q, want %q", got, want)
		}
		time.Sleep(32 * 24 * time.Hour) // the exactness is a sixteenth
		if got, want := c.Get("/").Body.String(), " "; got != want {
			t.Errorf("32 days later: %q, want %q", got, want)
		}
	})
}
