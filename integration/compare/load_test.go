package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

func serve(t *testing.T, h http.HandlerFunc) *measure.Browser {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	b := &measure.Browser{Addr: strings.TrimPrefix(srv.URL, "http://")}
	t.Cleanup(b.Close)
	return b
}

func TestAVisitorFindsWrongAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		status int
		want   error
		count  int // that it believes afterwards
	}{
		"right":             {"ada 8 500\n", 200, nil, 8},
		"an update is lost": {"ada 7 500\n", 200, errWrong, 7},
		"one too many":      {"ada 9 500\n", 200, errWrong, 9},
		"of somebody else":  {"bob 8 500\n", 200, errWrong, 8},
		"no session":        {" 0 0\n", 200, errWrong, 8},
		"an error page":     {"try again\n", 503, errRefused, 8},
	} {
		t.Run(name, func(t *testing.T) {
			b := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.answer)
			})
			v := &visitor{user: "ada", count: 7}
			if err := v.visit(t.Context(), b, change); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if v.count != c.count {
				t.Errorf("count is %d, want %d", v.count, c.count)
			}
		})
	}
}

func TestABrowserKeepsTheCookieAndTheConnection(t *testing.T) {
	clients := map[string]bool{}
	var sent []string
	b := serve(t, func(w http.ResponseWriter, r *http.Request) {
		clients[r.RemoteAddr] = true
		sent = append(sent, r.Header.Get("Cookie"))
		http.SetCookie(w, &http.Cookie{Name: "session", Value: fmt.Sprint(len(sent)), HttpOnly: true})
		fmt.Fprint(w, "ok\n")
	})
	v := &visitor{user: "ada"}
	for range 3 {
		if err := v.visit(t.Context(), b, unused); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"", "session=1", "session=2"}; !slices.Equal(sent, want) {
		t.Errorf("cookies %q, want %q", sent, want)
	}
	if len(clients) != 1 {
		t.Errorf("%d connections, want 1", len(clients))
	}
}

// TestALoadEndsWhatItBegan: sessions are destroyed once, and by who began them.
func TestALoadEndsWhatItBegan(t *testing.T) {
	srv := httptest.NewServer(must(openScsMemory(nil)).handler())
	defer srv.Close()
	l := newLoad(strings.TrimPrefix(srv.URL, "http://"), 4, false)
	defer l.close()
	for _, c := range []struct {
		k    kind
		more func() bool
		want int
	}{
		{begin, times(10), 10},
		{destroy, during(time.Hour), 10},
		{destroy, during(time.Hour), 0},
	} {
		got, err := l.run(t.Context(), c.k, c.more)
		if err != nil || got.wrong > 0 || len(got.latencies) != c.want {
			t.Errorf("session %s: %d requests, %d wrong, %v %v, want %d", c.k, len(got.latencies), got.wrong, got.example, err, c.want)
		}
		if !slices.IsSorted(got.latencies) {
			t.Error("the latencies are not in order")
		}
	}
}

func must(s *site, err error) *site {
	if err != nil {
		panic(err)
	}
	return s
}

func TestALoadFailsWithoutAnAppServer(t *testing.T) {
	l := newLoad("127.0.0.1:1", 2, false)
	defer l.close()
	if _, err := l.run(t.Context(), begin, times(5)); err == nil {
		t.Error("nobody listens, and no error")
	}
}
