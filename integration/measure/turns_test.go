package measure

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestEachClientGoesOnUntilTheEnd(t *testing.T) {
	var calls [2]int
	count := func(i int) func(int) error {
		return func(n int) error {
			if n != calls[i] {
				t.Errorf("client %d gets %d, want %d", i, n, calls[i])
			}
			calls[i]++
			return nil
		}
	}
	got, err := InTurns([]func(int) error{count(0), count(1)}, 5*time.Millisecond)
	if err != nil || got.Requests != calls[0]+calls[1] || got.Requests == 0 {
		t.Errorf("got %+v, %v after %v calls", got, err, calls)
	}
}

func TestAFailureEndsTheClientAndIsTold(t *testing.T) {
	broken := errors.New("broken")
	calls := 0
	fail := func(int) error { calls++; return broken }
	if _, err := InTurns([]func(int) error{fail}, time.Hour); !errors.Is(err, broken) || calls != 1 {
		t.Errorf("got %v after %d calls", err, calls)
	}
}

func TestASampleIsWhatOneRequestTook(t *testing.T) {
	var kept [][]byte
	s, err := Take(nil, func() (Tally, error) {
		for range 10_000 {
			kept = append(kept, make([]byte, 100))
		}
		return Tally{Requests: 1000, P50: time.Second}, nil
	})
	if err != nil || s.Allocs < 10 || s.Allocs > 12 || s.Store != 0 || s.P50 != time.Second || len(kept) != 10_000 {
		t.Errorf("got %+v, %v, want about 10 allocations", s, err)
	}
}

func TestTypicalIsTheMedianFigureByFigure(t *testing.T) {
	got := Typical([]Sample{{App: 1, Store: 9, Allocs: 5}, {App: 3, Store: 8, Allocs: 6}, {App: 2, Store: 7, Allocs: 7}})
	if want := (Sample{App: 2, Store: 8, Allocs: 6}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := Typical(nil); got != (Sample{}) {
		t.Errorf("of none: %+v", got)
	}
}

func TestACallerSendsItsCookiesAndHeedsTheStatus(t *testing.T) {
	var seen []string
	call := Caller(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Cookie"))
		if len(seen) == 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}), "/page", []string{"a=1", "b=2"})
	for n := range 3 {
		if err := call(n); (err != nil) != (n == 2) {
			t.Errorf("call %d: %v", n, err)
		}
	}
	if got := strings.Join(seen, " "); got != "a=1 b=2 a=1" {
		t.Errorf("sent %s", got)
	}
}

func TestAVisitKeepsTheCookie(t *testing.T) {
	set := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/new" {
			http.SetCookie(w, &http.Cookie{Name: "id", Value: "x", Path: "/"})
		}
	})
	cookie, err := Visit(set, "/new", "")
	if err == nil {
		cookie, err = Visit(set, "/other", cookie)
	}
	if cookie != "id=x" || err != nil {
		t.Errorf("the cookie is %q, %v", cookie, err)
	}
	if _, err := Visit(http.NotFoundHandler(), "/", ""); err == nil {
		t.Error("a page that is not there is taken for one")
	}
}
