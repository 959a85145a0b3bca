package migration

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A visitor calls a handler of any session library and keeps its cookies.
type visitor struct {
	t       testing.TB
	handler http.Handler
	cookies map[string]*http.Cookie
}

func newVisitor(t testing.TB, h http.Handler) *visitor {
	return &visitor{t, h, map[string]*http.Cookie{}}
}

// copy is another who has the same cookies.
func (v *visitor) copy() *visitor {
	return &visitor{v.t, v.handler, maps.Clone(v.cookies)}
}

// post sends a form of names and values, and returns the body of the answer.
func (v *visitor) post(path string, form ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.send(r)
}

// sees reads the page once for each of pages.
func (v *visitor) sees(pages ...string) {
	v.t.Helper()
	for _, want := range pages {
		if got := v.send(httptest.NewRequest("GET", "/", nil)); got != want {
			v.t.Errorf("the page shows %q, want %q", got, want)
		}
	}
}

func (v *visitor) send(r *http.Request) string {
	for _, c := range v.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	v.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if v.cookies[c.Name] = c; c.MaxAge < 0 {
			delete(v.cookies, c.Name)
		}
	}
	return w.Body.String()
}
