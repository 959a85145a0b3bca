package holdfast_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
)

func nodes(name string, on store.Store) []store.Node { return []store.Node{{Name: name, Store: on}} }

// A closingStore notes when it is closed.
type closingStore struct{ *tap }

func (s closingStore) Close() error {
	s.note("close")
	return nil
}

// The order of a stop: no new requests, those under way end and are stored, then
// the store is closed.
func TestServeStopsInOrder(t *testing.T) {
	on := newTap()
	m, err := holdfast.New(nodes("n1", closingStore{on}), nil)
	if err != nil {
		t.Fatal(err)
	}
	reached, goOn := make(chan bool), make(chan bool)
	srv := &http.Server{Handler: m.Handler(page(func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		increment(s)
		close(reached)
		<-goOn
		io.WriteString(w, "page")
	}))}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- holdfast.ServeListener(ctx, srv, listener, m) }()
	answered := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answered <- fmt.Sprint(resp.StatusCode, " ", string(body), " ", len(resp.Cookies()))
	}()
	<-reached
	stop()
	refuses := func() bool { // no new connections
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	}
	for !refuses() {
		time.Sleep(time.Millisecond)
	}
	if log := on.drain(); log != "" {
		t.Errorf("with a request under way the store was asked to %s", log)
	}
	close(goOn)
	if got := <-answered; got != "200 page 1" {
		t.Errorf("the request under way got %q", got)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if log := on.drain(); log != "put close" {
		t.Errorf("the store was asked to %s, want put close", log)
	}
	if err := m.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown again: %v", err)
	}
	if log := on.drain(); log != "" {
		t.Errorf("Shutdown again asked the store to %s", log)
	}
}

func TestServeReturnsWhyTheServerFailed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m, _ := holdfast.New(nil, nil)
	if err := holdfast.Serve(t.Context(), &http.Server{Addr: listener.Addr().String()}, m); err == nil {
		t.Error("Serve on an address in use: no error")
	}
	listener.Close()
	if err := holdfast.ServeListener(t.Context(), &http.Server{}, listener, m); !errors.Is(err, net.ErrClosed) {
		t.Errorf("ServeListener on a closed listener: %v, want net.ErrClosed", err)
	}
	w := visit(m, show).with(m.Handler(page(show)))
	w.cookie = "__Host-session=UNKNOWNUNKNOWNUNKNOWNUNKNO"
	wantStatus(t, w.get("/"), http.StatusServiceUnavailable) // m is shut down
}

func TestAfterShutdownSessionsAreUnavailable(t *testing.T) {
	on := newTap()
	m, err := holdfast.New(nodes("n1", on), nil)
	if err != nil {
		t.Fatal(err)
	}
	v := visit(m, show)
	v.cookie = beginSession(m, increments)
	if err := m.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	w := v.get("/")
	wantStatus(t, w, http.StatusServiceUnavailable)
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	v.session(m, func(s *holdfast.Session) {
		if _, err := textKey.Lookup(s); !errors.Is(err, holdfast.ErrClosed) || !errors.Is(err, holdfast.ErrUnavailable) {
			t.Errorf("Lookup: %v, want ErrClosed", err)
		}
	}).get("/")
	if err := m.With(t.Context(), "UNKNOWNUNKNOWNUNKNOWNUNKNO", mustNotRun(t)); !errors.Is(err, holdfast.ErrClosed) {
		t.Errorf("With: %v, want ErrClosed", err)
	}
	wantBody(t, v.with(m.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "file") }))).get("/"), "file")
	if got := stored(t, on, nil, v.sends()); got != "1|||" {
		t.Errorf("stored %q", got)
	}
}

func TestShutdownWaitsForSessionWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTap()
		m, _ := holdfast.New(nodes("n1", closingStore{on}), nil)
		cookie := beginSession(m, increments)
		on.drain()
		on.set(slow(300 * time.Millisecond))
		go (&visitor{cookie: cookie}).session(m, func(s *holdfast.Session) { textKey.Get(s) }).get("/")
		time.Sleep(100 * time.Millisecond)
		start := time.Now()
		if err := m.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if took := time.Since(start); took != 200*time.Millisecond || on.drain() != "get close" {
			t.Errorf("it took %v, want the rest of the work, 200ms", took)
		}
	})
}

func TestShutdownGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTap()
		m, _ := holdfast.New(nodes("n1", closingStore{on}), &holdfast.Options{OperationTimeout: time.Hour})
		cookie := beginSession(m, increments)
		on.drain()
		on.set(slow(time.Minute))
		go (&visitor{cookie: cookie}).session(m, func(s *holdfast.Session) { textKey.Get(s) }).get("/")
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := m.Shutdown(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "still under way") {
			t.Errorf("Shutdown: %v", err)
		}
		if log := on.drain(); log != "get close" {
			t.Errorf("log %s, want the store closed all the same", log)
		}
		time.Sleep(time.Minute)
	})
}

// What runs behind requests is waited for, too.
func TestShutdownWaitsForWhatRunsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTap()
		m, _ := holdfast.New(nodes("n1", closingStore{on}), nil)
		cookie := beginSession(m, increments)
		time.Sleep(10 * time.Minute)
		on.drain()
		on.set(slow(100 * time.Millisecond))
		(&visitor{cookie: cookie}).session(m, func(*holdfast.Session) {}).get("/")
		synctest.Wait()
		if err := m.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if log := on.drain(); !strings.HasPrefix(log, "get ") || !strings.HasSuffix(log, "close") {
			t.Errorf("log %s", log)
		}
	})
}

func TestServeSpeaksHTTPSWithATLSConfig(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m, _ := holdfast.New(nil, nil)
	srv := &http.Server{Handler: m.Handler(page(show)), TLSConfig: certified.TLS.Clone()}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- holdfast.ServeListener(ctx, srv, listener, m) }()
	resp, err := certified.Client().Get("https://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	stop()
	if err := <-served; err != nil || resp.TLS == nil {
		t.Errorf("Serve: %v, TLS: %v", err, resp.TLS != nil)
	}
}

// A pipeListener hands out one connection, in fake time.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// A request that does not end is cut after 30 seconds, and that is said.
func TestServeCutsWhatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTap()
		m, _ := holdfast.New(nodes("n1", closingStore{on}), nil)
		ended := make(chan struct{})
		srv := &http.Server{Handler: m.Handler(page(func(_ http.ResponseWriter, r *http.Request, s *holdfast.Session) {
			defer close(ended)
			textKey.Set(s, "new")
			<-r.Context().Done()
		}))}
		listener := &pipeListener{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- holdfast.ServeListener(ctx, srv, listener, m) }()
		here, there := net.Pipe()
		listener.conns <- there
		go io.WriteString(here, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		go io.Copy(io.Discard, here)
		time.Sleep(time.Second)
		stop()
		start := time.Now()
		err := <-served
		if took := time.Since(start); took < 30*time.Second || took > 31*time.Second {
			t.Errorf("Serve took %v to stop, want 30s", took)
		}
		if err == nil || !strings.Contains(err.Error(), "were cut") {
			t.Errorf("Serve: %v", err)
		}
		<-ended
		if log := on.drain(); !strings.HasSuffix(log, "close") {
			t.Errorf("log %s, want the store closed at the end", log)
		}
	})
}
