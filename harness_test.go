package holdfast_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// The attributes of most tests.
var (
	numberKey = holdfast.NewKey[int]("number")
	textKey   = holdfast.NewKey[string]("text")
	otherKey  = holdfast.NewKey[string]("other")
)

func increment(s *holdfast.Session) error {
	return numberKey.Update(s, func(n *int) error { *n++; return nil })
}

// newManager returns a manager on nodes, shut down with the test.
func newManager(t testing.TB, on store.Store, opts *holdfast.Options) *holdfast.Manager {
	t.Helper()
	var nodes []store.Node
	if on != nil {
		nodes = []store.Node{{Name: "n1", Store: on}}
	}
	m, err := holdfast.New(nodes, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Shutdown(context.Background()); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	return m
}

// A tap is a store whose answers a test can bend. It outlives the managers on it.
type tap struct {
	store.Store
	mu   sync.Mutex
	log  []string // guarded by mu
	bend bend     // guarded by mu
}

// A bend replaces the operations of a store; a nil one leaves them alone. next is the real operation.
type bend struct {
	get   func(ctx context.Context, next func() (store.Item, error)) (store.Item, error)
	put   func(ctx context.Context, next func() (store.Version, error)) (store.Version, error)
	touch func(ctx context.Context, next func() (store.Version, error)) (store.Version, error)
}

func newTap() *tap { return &tap{Store: memorystore.New(nil)} }

// note adds event to the log and returns how the store is bent now.
func (s *tap) note(event string) bend {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, event)
	return s.bend
}

// asked notes an operation, unless it is a sticky server's look after its node.
func (s *tap) asked(operation, key string) bend {
	if len(key) == storageKeySize {
		return s.note(operation)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bend
}

func (s *tap) set(b bend) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bend = b
}

// drain returns the log so far, in one line, and empties it.
func (s *tap) drain() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := strings.Join(s.log, " ")
	s.log = nil
	return log
}

func (s *tap) Get(ctx context.Context, key string, part store.Part) (store.Item, error) {
	next := func() (store.Item, error) { return s.Store.Get(ctx, key, part) }
	if bent := s.asked("get", key).get; bent != nil {
		return bent(ctx, next)
	}
	return next()
}

func (s *tap) Put(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
	next := func() (store.Version, error) { return s.Store.Put(ctx, key, item, at) }
	if bent := s.asked("put", key).put; bent != nil {
		return bent(ctx, next)
	}
	return next()
}

func (s *tap) Touch(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
	next := func() (store.Version, error) { return s.Store.Touch(ctx, key, ttl) }
	if bent := s.asked("touch", key).touch; bent != nil {
		return bent(ctx, next)
	}
	return next()
}

// down is a store that refuses every connection.
func down() bend {
	refused := fmt.Errorf("%w: connection refused", store.ErrUnavailable)
	return bend{
		get: func(context.Context, func() (store.Item, error)) (store.Item, error) { return store.Item{}, refused },
		put: func(context.Context, func() (store.Version, error)) (store.Version, error) {
			return store.Version{}, refused
		},
		touch: func(context.Context, func() (store.Version, error)) (store.Version, error) {
			return store.Version{}, refused
		},
	}
}

// hung is a store that takes everything and answers nothing.
func hung() bend {
	silent := func(ctx context.Context, _ func() (store.Version, error)) (store.Version, error) {
		<-ctx.Done()
		return store.Version{}, fmt.Errorf("%w: %w", store.ErrUnknownOutcome, ctx.Err())
	}
	return bend{
		get: func(ctx context.Context, _ func() (store.Item, error)) (store.Item, error) {
			<-ctx.Done()
			return store.Item{}, fmt.Errorf("%w: %w", store.ErrUnavailable, ctx.Err())
		},
		put:   silent,
		touch: silent,
	}
}

// A visitor is one browser: it keeps the session's cookie, and sends it to
// whichever app server it is told to.
type visitor struct {
	handler http.Handler
	mu      sync.Mutex
	cookie  string // as the Cookie header has it; guarded by mu
}

// visit returns a visitor of m, without a cookie, whose requests serve answers.
func visit(m *holdfast.Manager, serve func(http.ResponseWriter, *http.Request, *holdfast.Session)) *visitor {
	return &visitor{handler: m.Handler(page(serve))}
}

// page is a handler that gets its session.
func page(serve func(http.ResponseWriter, *http.Request, *holdfast.Session)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, holdfast.From(r.Context()))
	})
}

// with returns the same browser, with the cookie that it has now, before
// another handler.
func (v *visitor) with(h http.Handler) *visitor { return &visitor{handler: h, cookie: v.sends()} }

// session returns the same browser before a handler of m that does serve.
func (v *visitor) session(m *holdfast.Manager, serve func(*holdfast.Session)) *visitor {
	return v.with(m.Handler(page(func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) { serve(s) })))
}

func (v *visitor) sends() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.cookie
}

func (v *visitor) get(path string) *httptest.ResponseRecorder {
	return v.send(httptest.NewRequest(http.MethodGet, path, nil))
}

func (v *visitor) send(r *http.Request) *httptest.ResponseRecorder {
	if cookie := v.sends(); cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	v.handler.ServeHTTP(w, r)
	v.keep(w.Result())
	return w
}

func (v *visitor) keep(resp *http.Response) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range resp.Cookies() {
		v.cookie = c.Name + "=" + c.Value
		if c.MaxAge < 0 {
			v.cookie = ""
		}
	}
}

// show writes what most tests want to see.
func show(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
	n, _ := numberKey.Get(s)
	text, _ := textKey.Get(s)
	other, _ := otherKey.Get(s)
	fmt.Fprintf(w, "%d|%s|%s|%s", n, text, other, s.Owner())
}

// stored returns what show shows of the session with cookie, as another app
// server without any history sees it.
func stored(t testing.TB, on store.Store, opts *holdfast.Options, cookie string) string {
	t.Helper()
	v := visit(newManager(t, on, opts), show)
	v.cookie = cookie
	w := v.get("/")
	if w.Code != http.StatusOK {
		t.Errorf("reading what is stored: status %d", w.Code)
	}
	return strings.TrimSpace(w.Body.String())
}

// A pause stops a request in the middle.
type pause struct{ reached, goOn chan struct{} }

func newPause() *pause { return &pause{make(chan struct{}), make(chan struct{})} }

func (p *pause) here() {
	p.reached <- struct{}{}
	<-p.goOn
}

// during sends a request for path, does something while it waits at p, and
// returns its response.
func (v *visitor) during(p *pause, path string, something func()) *httptest.ResponseRecorder {
	answer := make(chan *httptest.ResponseRecorder)
	go func() { answer <- v.get(path) }()
	<-p.reached
	something()
	p.goOn <- struct{}{}
	return <-answer
}

// A logBook is what a manager logged.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func wantStatus(t testing.TB, w *httptest.ResponseRecorder, want int) {
	t.Helper()
	if w.Code != want {
		t.Errorf("status %d, want %d: %s", w.Code, want, strings.TrimSpace(w.Body.String()))
	}
}

func wantBody(t testing.TB, w *httptest.ResponseRecorder, want string) {
	t.Helper()
	if got := strings.TrimSpace(w.Body.String()); w.Code != http.StatusOK || got != want {
		t.Errorf("status %d %q, want 200 %q", w.Code, got, want)
	}
}

// newStandardLog writes to l what net/http logs.
func newStandardLog(l *logBook) *log.Logger { return log.New(l, "", 0) }

// losePut makes the store do the next Put, or not, without an answer, and
// answer nothing from then on.
func losePut(on *tap, happens bool) bend {
	return bend{put: func(_ context.Context, next func() (store.Version, error)) (store.Version, error) {
		if happens {
			next()
		}
		on.set(down())
		return store.Version{}, fmt.Errorf("%w: connection lost", store.ErrUnknownOutcome)
	}}
}

func httptestRequest(ctx context.Context) *http.Request {
	return httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
}
