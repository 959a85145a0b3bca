package overload

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// Requests that name sessions which nobody has, at an app server in this process:
// only its own heap tells exactly what they leave.

// An attack is what strangers send, and to what kind of app server.
type attack struct {
	name   string
	opts   holdfast.Options
	cookie func() string
}

func attacks() []attack {
	return []attack{
		{"non-sticky", holdfast.Options{}, rand.Text},
		{"with keys", holdfast.Options{Keys: [][]byte{make([]byte, 32)}}, rand.Text},
		{"with locks", holdfast.Options{Locking: holdfast.Locking{Mode: holdfast.LockAll}}, rand.Text},
		{"sticky", holdfast.Options{Sticky: true, Route: "app1"}, func() string { return rand.Text() + ".app1" }},
		{"sticky, invented servers", holdfast.Options{Sticky: true, BackupAsync: true, Route: "app1"}, func() string { return rand.Text() + "." + rand.Text() }},
		{"invented nodes", holdfast.Options{}, func() string { return rand.Text() + "-" + rand.Text() }},
	}
}

// TestInventedIDsLeaveNothingInMemory: each costs a few bytes for a while, of which
// nothing is left when they have been forgotten.
func TestInventedIDsLeaveNothingInMemory(t *testing.T) {
	const requests, each = 10_000, 512
	for _, a := range attacks() {
		for _, path := range []string{"/read", "/unused", "/logout"} {
			t.Run(a.name+path, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newLocalSite(t, a.opts)
					s.invent(t, path, a.cookie, requests) // bounded maps grow as their keys come and go
					s.forget(t, path, a.cookie)
					before := heap()
					s.invent(t, path, a.cookie, requests)
					if grown := heap() - before; grown > requests*each {
						t.Errorf("%d invented ids take %d bytes, want at most %d each", requests, grown, each)
					}
					s.forget(t, path, a.cookie)
					if left := heap() - before; left > requests*20 {
						t.Errorf("%d bytes are left of %d invented ids afterwards", left, requests)
					}
					s.wantCounted(t)
				})
			})
		}
	}
}

type localSite struct {
	m       *holdfast.Manager
	handler http.Handler
	honest  string // the cookie of a session
	visits  int
}

func newLocalSite(t *testing.T, opts holdfast.Options) *localSite {
	t.Helper()
	opts.Cookie = holdfast.Cookie{Name: cookieName, AllowInsecure: true}
	m, err := holdfast.New([]store.Node{{Name: "n1", Store: memorystore.New(nil)}, {Name: "n2", Store: memorystore.New(nil)}}, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return &localSite{m: m, handler: m.Handler(http.HandlerFunc(serve))}
}

func serve(w http.ResponseWriter, r *http.Request) {
	s := holdfast.From(r.Context())
	switch r.URL.Path {
	case "/read":
		if !s.Exists() {
			w.WriteHeader(http.StatusNotFound)
		}
	case "/logout":
		_ = s.Destroy() // Handler answers an error
	case "/visit":
		visits := holdfast.NewKey[int]("visits")
		_ = visits.Update(s, func(n *int) error { *n++; return nil })
		n, _ := visits.Get(s)
		fmt.Fprint(w, n)
	}
}

// invent sends n requests with cookies of nobody, and an honest one after each hundred.
func (s *localSite) invent(t *testing.T, path string, cookie func() string, n int) {
	t.Helper()
	want := http.StatusOK
	if path == "/read" {
		want = http.StatusNotFound
	}
	for i := range n {
		if w := s.get(path, cookie()); w.Code != want || w.Header().Get("Set-Cookie") != "" {
			t.Fatalf("%s with an invented id: status %d and cookie %q, want %d and none", path, w.Code, w.Header().Get("Set-Cookie"), want)
		}
		if i%100 > 0 {
			continue
		}
		if err := s.visit(); err != nil {
			t.Fatal(err)
		}
	}
}

// visit is an honest request.
func (s *localSite) visit() error {
	s.visits++
	w := s.get("/visit", s.honest)
	if w.Code != http.StatusOK || w.Body.String() != strconv.Itoa(s.visits) {
		return fmt.Errorf("honest visit %d: status %d, body %q", s.visits, w.Code, w.Body)
	}
	if set := w.Header().Get("Set-Cookie"); set != "" {
		s.honest, _, _ = strings.Cut(strings.TrimPrefix(set, cookieName+"="), ";")
	}
	return nil
}

func (s *localSite) get(path, cookie string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookieName+"="+cookie)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// forget lets most of an hour pass, in which hardly anybody comes: what is remembered
// for a while is thrown away when somebody asks.
func (s *localSite) forget(t *testing.T, path string, cookie func() string) {
	t.Helper()
	for range 4 {
		time.Sleep(10 * time.Minute)
		s.invent(t, path, cookie, 1)
		s.get("/unused", s.honest)
		synctest.Wait()
	}
}

func (s *localSite) wantCounted(t *testing.T) {
	t.Helper()
	if got := s.m.Stats(); got.Created != 1 || got.Commits != uint64(s.visits) || got.Destroyed != 0 || got.Failures != 0 {
		t.Errorf("Stats are %+v; want 1 created, %d commits, none destroyed, no failures", got, s.visits)
	}
}

// heap is what is reachable, in bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one has found dead, and pools have kept, is gone now
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
