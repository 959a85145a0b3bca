package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/node"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

// lives is how often an app server of each mode starts and stops.
const lives = 1000

// TestStartAndStopLeaveNothing: app servers that come and go in one process leave no
// goroutine, no file and no connection, here or at the cache node. It does not run
// beside others: what they have open is none of its business.
func TestStartAndStopLeaveNothing(t *testing.T) {
	cache := servers.StartMemcached(t)
	for name, opts := range map[string]holdfast.Options{
		"non-sticky":            {},
		"non-sticky with locks": {Locking: holdfast.Locking{Mode: holdfast.LockAll}, Keys: [][]byte{make([]byte, 32)}},
		"sticky":                {Sticky: true, Route: "app1"},
		"sticky, asynchronous":  {Sticky: true, BackupAsync: true, Route: "app1"},
	} {
		t.Run(name, func(t *testing.T) {
			before := holdings(t)
			began := time.Now()
			for n := range lives {
				oneLife(t, cache.Addr, opts, faultOf(n))
			}
			t.Logf("%d lives in %v", lives, time.Since(began).Round(time.Millisecond))
			before.wantNothingNew(t)
			wantNoConnection(t, cache.Addr)
		})
	}
}

// A lifeFault is what is wrong in one life of an app server.
type lifeFault int

const (
	noFault  lifeFault = iota
	nodeDies           // between two requests
	hasty              // the manager is given no time for its shutdown
)

// faultOf has most lives go well.
func faultOf(n int) lifeFault {
	switch n % 8 {
	case 3:
		return nodeDies
	case 6:
		return hasty
	}
	return noFault
}

// oneLife starts an app server on the memcached at cache and a node of its own,
// uses it, and stops all but the memcached.
func oneLife(t *testing.T, cache string, opts holdfast.Options, fault lifeFault) {
	t.Helper()
	second, addr := startEmbedded(t)
	defer second.Close()
	nodes, err := memcachedstore.Nodes("n1:"+cache+" n2:"+addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	opts.Cookie = holdfast.Cookie{Name: cookieName, AllowInsecure: true}
	opts.OperationTimeout = 5 * time.Second
	m, err := holdfast.New(nodes, &opts)
	if err != nil {
		t.Fatal(err)
	}
	visitor := newBrowser()
	defer visitor.client.CloseIdleConnections()
	stop := serveCounter(t, m, fault)
	for n := range 4 {
		if n == 2 && fault == nodeDies {
			second.Close()
		}
		if got := visitor.get(stop.url); got.status != http.StatusOK || got.body != strconv.Itoa(n+1) {
			t.Fatalf("visit %d: status %d, %v, body %q", n+1, got.status, got.err, got.body)
		}
	}
	stop.now()
}

func startEmbedded(t *testing.T) (s *node.Server, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = node.New(nil)
	go func() { _ = s.Serve(l) }() // nil, after Close
	return s, l.Addr().String()
}

// A served is an app server that runs.
type served struct {
	url string
	now func() // stops it
}

var leakVisits = holdfast.NewKey[int]("visits")

// serveCounter serves a page that counts its visits.
func serveCounter(t *testing.T, m *holdfast.Manager, fault lifeFault) served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	handler := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		if err := leakVisits.Update(s, func(n *int) error { *n++; return nil }); err != nil {
			return // the error page tells
		}
		n, _ := leakVisits.Get(s)
		fmt.Fprint(w, n)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- holdfast.ServeListener(ctx, &http.Server{Handler: handler}, l, m) }()
	return served{"http://" + l.Addr().String(), func() {
		if fault == hasty {
			gone, cancelGone := context.WithCancel(ctx)
			cancelGone()
			if err := m.Shutdown(gone); err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("hasty shutdown: %v", err)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the end of the app server: %v", err)
		}
	}}
}

// TestCommandsLeaveNothing: a command that was asked to stop ends well, takes its
// children with it, gives back its port, and leaves no connection at the cache node.
func TestCommandsLeaveNothing(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{
		"non-sticky":           nil,
		"sticky":               {"--sticky"},
		"sticky, asynchronous": {"--sticky", "--backup-async"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache := servers.StartMemcached(t)
			app := newApp(t, freeAddr(t), "app1", cache.Addr, flags...)
			for range 3 {
				app.Start()
				user := newBrowser()
				user.post(app.url()+"/session", "x", "1").want(t, http.StatusOK)
				watch := watching(t, app, user)
				wantStopped(t, app.Process, app.addr)
				watch.Close()
				wantNoConnection(t, cache.Addr)
			}
		})
	}
}

// TestDemoTakesItsNodesWithIt: the memcached processes that the demo has started
// end with it.
func TestDemoTakesItsNodesWithIt(t *testing.T) {
	t.Parallel()
	servers.StartMemcached(t) // skips or fails where there is none
	path, err := buildCommand()
	if err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	ready := func() error {
		resp, err := http.Get("http://" + addr + "/")
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
	demo := servers.NewProcess(t, ready, path, "demo", "--listen", addr, "--memcached")
	demo.Start()
	wantStopped(t, demo, addr)
}

// watching opens a stream that does not end by itself.
func watching(t *testing.T, app *appServer, user *browser) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", app.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := fmt.Fprintf(conn, "GET /events HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n\r\n", app.addr, user.jar()); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal("the stream does not begin: ", err)
	}
	return conn
}

// wantStopped sends SIGTERM to a command that listens on addr.
func wantStopped(t *testing.T, p *servers.Process, addr string) {
	t.Helper()
	group := p.Pid() // it leads a process group of its own
	if err := p.Stop(); err != nil {
		t.Errorf("after SIGTERM it ends with %v", err)
	}
	if err := syscall.Kill(-group, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("its process group after its end: %v, want none", err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatalf("its address after its end: %v", err)
	}
	l.Close()
}
