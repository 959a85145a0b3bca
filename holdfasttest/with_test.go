package holdfasttest_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

var (
	cart = holdfast.NewKey[[]string]("cart")
	city = holdfast.NewKey[string]("city")
	odd  = holdfast.NewKey[chan int]("odd") // no codec can write it
)

// whoami answers with what it knows of its visitor.
func whoami(w http.ResponseWriter, r *http.Request) {
	s := holdfast.From(r.Context())
	items, _ := cart.Get(s)
	fmt.Fprintf(w, "%s %s", s.Owner(), strings.Join(items, ","))
}

func serve(h http.Handler, r *http.Request) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Body.String()
}

func request() *http.Request { return httptest.NewRequest("GET", "/", nil) }

func TestHandlerSeesThePreparedSession(t *testing.T) {
	m := holdfasttest.New(t, nil)
	plain := request()
	plain.AddCookie(&http.Cookie{Name: "theme", Value: "dark"})
	r := holdfasttest.With(plain, m, func(s *holdfast.Session) {
		s.Login("bob")
		cart.Set(s, []string{"tea"})
	})
	if got, want := serve(m.Handler(http.HandlerFunc(whoami)), r), "bob tea"; got != want {
		t.Errorf("the handler saw %q, want %q", got, want)
	}
	if _, err := r.Cookie("theme"); err != nil {
		t.Errorf("a cookie of the request's own: %v", err)
	}
	if got := len(plain.Cookies()); got != 1 {
		t.Errorf("the request that was given has %d cookies now, want 1 as before", got)
	}
}

func TestWithContinuesTheSessionOfTheRequest(t *testing.T) {
	m := holdfasttest.New(t, nil)
	first := holdfasttest.With(request(), m, func(s *holdfast.Session) { cart.Set(s, []string{"tea"}) })
	second := holdfasttest.With(first, m, func(s *holdfast.Session) { s.Login("bob") })
	if got, want := serve(m.Handler(http.HandlerFunc(whoami)), second), "bob tea"; got != want {
		t.Errorf("the handler saw %q, want %q", got, want)
	}
	was, is := first.Header.Get("Cookie"), second.Header.Get("Cookie")
	if is == was || len(second.Cookies()) != 1 {
		t.Errorf("after a login the request carries %q, want one cookie other than %q", is, was)
	}
}

func TestWithLeavesNoCookieWithoutASession(t *testing.T) {
	for name, fn := range map[string]func(*holdfast.Session){
		"nothing was set":   func(s *holdfast.Session) { cart.Get(s) },
		"it was destroyed":  func(s *holdfast.Session) { s.Destroy() },
		"it was taken back": func(s *holdfast.Session) { s.Destroy(); cart.Set(s, nil); s.Destroy() },
	} {
		m := holdfasttest.New(t, nil)
		r := request()
		if name != "nothing was set" {
			r = holdfasttest.With(r, m, func(s *holdfast.Session) { cart.Set(s, nil) })
		}
		r = holdfasttest.With(r, m, fn)
		if got := r.Header.Get("Cookie"); got != "" {
			t.Errorf("%s: the request carries %q, want no cookie", name, got)
		}
	}
}

func TestWithKeepsTheSessionsOfTwoManagersApart(t *testing.T) {
	shop := holdfasttest.New(t, nil)
	office := holdfasttest.New(t, &holdfast.Options{Cookie: holdfast.Cookie{Name: "office"}})
	r := holdfasttest.With(request(), shop, func(s *holdfast.Session) { s.Login("bob") })
	r = holdfasttest.With(r, office, func(s *holdfast.Session) { s.Login("root") })
	h := shop.Handler(office.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, shop.From(r.Context()).Owner(), " ", office.From(r.Context()).Owner())
	})))
	if got, want := serve(h, r), "bob root"; got != want {
		t.Errorf("the owners are %q, want %q", got, want)
	}
}

func TestWithPanicsRatherThanReturningARequestWithoutTheSession(t *testing.T) {
	m := holdfasttest.New(t, &holdfast.Options{Ignore: regexp.MustCompile(`\.png$`)})
	tests := map[string]struct {
		path, want string
		fn         func(*holdfast.Session)
	}{
		"a value cannot be stored": {"/", `"odd" cannot be encoded`, func(s *holdfast.Session) { odd.Set(s, nil) }},
		"an attribute is no such":  {"/", "unreadable", func(s *holdfast.Session) { city.Set(s, "Rome"); cart2.Get(s) }},
		"the path is ignored":      {"/logo.png", "no session", func(*holdfast.Session) { t.Error("fn ran without a session") }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, tt.want) {
					t.Errorf("panic %q, want one with %q", got, tt.want)
				}
			}()
			holdfasttest.With(httptest.NewRequest("GET", tt.path, nil), m, tt.fn)
		})
	}
}

// cart2 reads the attribute of city as something that it is not.
var cart2 = holdfast.NewKey[[]string]("city")

func TestWithLeavesErrorsToAFunctionThatLooksAtThem(t *testing.T) {
	m := holdfasttest.New(t, nil)
	r := holdfasttest.With(request(), m, func(s *holdfast.Session) {
		city.Set(s, "Rome")
		if _, err := cart2.Lookup(s); !errors.Is(err, holdfast.ErrUnreadable) || s.Err() == nil {
			t.Errorf("Lookup by another type: %v, want ErrUnreadable, in Err too", err)
		}
	})
	if r.Header.Get("Cookie") == "" {
		t.Error("the session was not stored")
	}
}
