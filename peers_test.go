package holdfast_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
)

// The failures that other session libraries for Go show, D1 to D10, and what
// happens here.

// D1: one read error, then the handler saves. The stored session is not wiped.
func TestD1AReadErrorNeverWipesTheStoredSession(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	v := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		text, _ := textKey.Get(s)
		textKey.Set(s, text+" seen")
		s.Err()
		fmt.Fprint(w, "user=", text)
	})
	v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "alice") })
	on.set(bend{get: func(context.Context, func() (store.Item, error)) (store.Item, error) {
		on.set(bend{})
		return store.Item{}, store.ErrUnavailable
	}})
	v.get("/")
	if got, want := stored(t, on, nil, v.sends()), "0|alice||"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
	v.get("/")
	if got, want := stored(t, on, nil, v.sends()), "0|alice seen||"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

// D2: the store refuses or hangs. Who needs the session gets an honest 503
// within one OperationTimeout; pages without it do not notice.
func TestD2AnOutageIsA503AndOnlyForThoseWhoNeedTheirSession(t *testing.T) {
	for name, c := range map[string]struct {
		fault bend
		wait  time.Duration
	}{"refused": {down(), 0}, "hung": {hung(), timeout}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				on := newTap()
				m := newManager(t, on, nil)
				mux := http.NewServeMux()
				mux.Handle("/read", page(show))
				mux.HandleFunc("/plain", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "static") })
				v := &visitor{handler: m.Handler(mux), cookie: beginSession(m, func(s *holdfast.Session) { s.Login("alice") })}
				on.set(c.fault)
				ask := func(v *visitor, path string, status int, wait time.Duration) {
					t.Helper()
					start := time.Now()
					w := v.get(path)
					wantStatus(t, w, status)
					if took := time.Since(start); took != wait {
						t.Errorf("%s took %v, want %v", path, took, wait)
					}
					if got := w.Header().Get("Retry-After"); (got == "1") != (status == 503) {
						t.Errorf("%s: Retry-After %q", path, got)
					}
				}
				ask(v, "/read", 503, c.wait)
				ask(v, "/plain", 200, 0)
				ask(&visitor{handler: v.handler}, "/plain", 200, 0)
				synctest.Wait()
				time.Sleep(timeout)
				on.set(bend{})
				wantBody(t, v.get("/read"), "0|||alice")
			})
		})
	}
}

// D3: 300 sessions, and their node is away for a while. Nobody is logged out.
func TestD3ADeadNodeLogsNobodyOut(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	var all []*visitor
	for i := range 300 {
		v := visit(m, show)
		v.cookie = beginSession(m, func(s *holdfast.Session) { s.Login(fmt.Sprint("user", i)) })
		all = append(all, v)
	}
	on.set(down())
	for _, v := range all {
		wantStatus(t, v.get("/"), http.StatusServiceUnavailable)
	}
	wantStatus(t, (&visitor{}).session(m, func(s *holdfast.Session) { s.Login("new") }).get("/"), http.StatusServiceUnavailable)
	on.set(bend{})
	for i, v := range all {
		wantBody(t, v.get("/"), fmt.Sprint("0|||user", i))
	}
}

// D4: a change after the first Write.
func TestD4AChangeAfterTheFirstWriteIsStored(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	v := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		io.WriteString(w, "page")
		textKey.Set(s, "1")
	})
	v.cookie = beginSession(m, increments)
	v.get("/")
	if got := stored(t, on, nil, v.sends()); got != "1|1||" {
		t.Errorf("stored %q", got)
	}
}

func increments(s *holdfast.Session) { increment(s) }

// D5: a change, then Flush before the first Write.
func TestD5FlushFirstKeepsTheNewCookie(t *testing.T) {
	on := newTap()
	v := visit(newManager(t, on, nil), func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		textKey.Set(s, "1")
		w.(http.Flusher).Flush()
	})
	v.get("/")
	if got := stored(t, on, nil, v.sends()); got != "0|1||" {
		t.Errorf("stored %q under cookie %q", got, v.sends())
	}
}

// D6: 103 Early Hints, then a change.
func TestD6EarlyHintsDoNotCommitTooSoon(t *testing.T) {
	on := newTap()
	server := httptest.NewServer(newManager(t, on, nil).Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		w.WriteHeader(http.StatusEarlyHints)
		textKey.Set(s, "1")
		w.WriteHeader(http.StatusOK)
	})))
	defer server.Close()
	if got := stored(t, on, nil, cookieOf(t, fetch(t, server, http.MethodGet, "/", ""))); got != "0|1||" {
		t.Errorf("stored %q", got)
	}
}

// D7: storage keys are hashes of ids, and a session can be ended from outside of
// its requests all the same.
func TestD7HashedAtRestAndStillRevocable(t *testing.T) {
	on := newTap()
	var dump bytes.Buffer
	m := newManager(t, &dumpStore{on, &dump}, nil)
	var id holdfast.ID
	cookie := beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "1"); id = s.ID() })
	beginSession(m, func(s *holdfast.Session) { s.Login("bob"); s.Commit(); s.Renew() })
	if strings.Contains(dump.String(), id.Secret()) || dump.Len() == 0 {
		t.Error("the id stands in the store")
	}
	if err := m.With(t.Context(), id, (*holdfast.Session).Destroy); err != nil {
		t.Errorf("With: %v", err)
	}
	if got := stored(t, on, nil, cookie); got != "0|||" {
		t.Errorf("after the end %q", got)
	}
}

// A dumpStore writes out all that is put into it.
type dumpStore struct {
	*tap
	dump *bytes.Buffer
}

func (s *dumpStore) Put(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
	fmt.Fprintf(s.dump, "%s %s\n", key, item.Value)
	return s.tap.Put(ctx, key, item, at)
}

// D8: what the wrapped ResponseWriter can still do.
func TestD8TheResponseWriterCanDoWhatHandlersAskFor(t *testing.T) {
	server := httptest.NewServer(newManager(t, nil, nil).Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, readFrom := w.(io.ReaderFrom)
		_, flusher := w.(http.Flusher)
		_, flushError := w.(interface{ FlushError() error })
		_, hijacker := w.(http.Hijacker)
		_, stringWriter := w.(io.StringWriter)
		_, unwrap := w.(interface{ Unwrap() http.ResponseWriter })
		fmt.Fprint(w, readFrom, flusher, flushError, hijacker, stringWriter, unwrap)
	})))
	defer server.Close()
	body, _ := io.ReadAll(fetch(t, server, http.MethodGet, "/", "").Body)
	if string(body) != "true true true true true true" {
		t.Errorf("ReaderFrom, Flusher, FlushError, Hijacker, StringWriter, Unwrap: %s", body)
	}
}

// D9: the client disconnects before the change is committed.
func TestD9AClientThatLeavesLosesNothing(t *testing.T) {
	on := newTap()
	m := newManager(t, on, nil)
	cookie := beginSession(m, increments)
	reached, left, done := make(chan bool), make(chan bool), make(chan bool)
	handler := m.Handler(page(func(_ http.ResponseWriter, r *http.Request, s *holdfast.Session) {
		textKey.Set(s, "1")
		close(reached)
		<-r.Context().Done()
		<-left
	}))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-reached
		leave()
		close(left)
	}()
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	r.Header.Set("Cookie", cookie)
	if resp, err := server.Client().Do(r); err == nil {
		resp.Body.Close()
		t.Error("the client did not leave")
	}
	<-done
	if got := stored(t, on, nil, cookie); got != "1|1||" {
		t.Errorf("stored %q", got)
	}
}

// D10: memcached takes times above 30 days for dates.
func TestD10SessionsMayLiveLongerThanThirtyDays(t *testing.T) {
	const day = 24 * time.Hour
	for _, idle := range []time.Duration{26 * day, 30 * day, 31 * day, 400 * day} {
		t.Run(idle.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				on := newTap()
				m := newManager(t, &ttlStore{on, t}, &holdfast.Options{IdleTimeout: idle})
				v := visit(m, show)
				v.cookie = beginSession(m, func(s *holdfast.Session) { s.Login("alice") })
				for range 3 {
					wantBody(t, v.get("/"), "0|||alice")
					synctest.Wait()
					time.Sleep(idle - time.Second)
				}
				wantBody(t, v.get("/"), "0|||alice")
				synctest.Wait()
				time.Sleep(idle + idle/16 + 2*time.Second)
				wantBody(t, v.get("/"), "0|||")
			})
		})
	}
}

// A ttlStore complains of times that memcached would misread.
type ttlStore struct {
	*tap
	t *testing.T
}

func (s *ttlStore) Put(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
	s.check(item.TTL)
	return s.tap.Put(ctx, key, item, at)
}

func (s *ttlStore) Touch(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
	s.check(ttl)
	return s.tap.Touch(ctx, key, ttl)
}

func (s *ttlStore) check(ttl time.Duration) {
	if ttl < 0 || ttl > 30*24*time.Hour {
		s.t.Errorf("TTL %v", ttl)
	}
}
