package rig

import (
	"net"
	"sync"
)

// A gate holds up what passes connections while it is shut.
type gate struct {
	mu   sync.Mutex
	open chan struct{} // closed while the gate is open; guarded by mu
}

func newGate() *gate {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	return g
}

// set may be told twice what holds already.
func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch is := g.isOpenLocked(); {
	case open && !is:
		close(g.open)
	case !open && is:
		g.open = make(chan struct{})
	}
}

func (g *gate) isOpenLocked() bool {
	select {
	case <-g.open:
		return true
	default:
		return false
	}
}

// pass waits until the gate is open, or the connection closed.
func (g *gate) pass(closed <-chan struct{}) {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-open:
	case <-closed:
	}
}

type gatedListener struct {
	net.Listener
	gate *gate
}

func (l *gatedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &gatedConn{Conn: conn, gate: l.gate, closed: make(chan struct{})}, nil
}

type gatedConn struct {
	net.Conn
	gate   *gate
	once   sync.Once
	closed chan struct{}
}

// Read passes the gate last: what comes while it is shut is done later.
func (c *gatedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.gate.pass(c.closed)
	return n, err
}

func (c *gatedConn) Write(p []byte) (int, error) {
	c.gate.pass(c.closed)
	return c.Conn.Write(p)
}

func (c *gatedConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
