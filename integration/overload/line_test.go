package overload

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A line carries the bytes between an app server and a node, which it can make
// appear slow.
type line struct {
	node     string
	listener net.Listener
	delay    atomic.Int64 // of each piece of an answer, in nanoseconds
	running  sync.WaitGroup

	mu    sync.Mutex
	open  []net.Conn // guarded by mu
	ended bool       // guarded by mu
}

func openLine(t *testing.T, node string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{node: node, listener: listener}
	l.running.Go(l.accept)
	t.Cleanup(l.close)
	return l
}

func (l *line) addr() string { return l.listener.Addr().String() }

// slow makes each answer come so much later.
func (l *line) slow(by time.Duration) { l.delay.Store(int64(by)) }

func (l *line) accept() {
	for {
		app, err := l.listener.Accept()
		if err != nil {
			return
		}
		node, err := net.Dial("tcp", l.node)
		if err != nil || !l.keep(app, node) {
			app.Close()
			continue
		}
		l.running.Go(func() { carry(node, app, nil) })
		l.running.Go(func() { carry(app, node, &l.delay) })
	}
}

func (l *line) keep(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, conns...)
	return !l.ended
}

// carry answers one piece after the other: a slow node does not do them at once.
func carry(to, from net.Conn, delay *atomic.Int64) {
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if delay != nil {
			time.Sleep(time.Duration(delay.Load()))
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (l *line) close() {
	l.listener.Close()
	l.mu.Lock()
	l.ended = true
	for _, c := range l.open {
		c.Close()
	}
	l.mu.Unlock()
	l.running.Wait()
}
