package drill

import (
	"net"
	"sync"

	"github.com/holdfast-sessions/holdfast/node"
)

// embedded is a cache node inside this process.
type embedded struct {
	address string
	server  *node.Server
	gate    *gate
	serving sync.WaitGroup
}

func (e *embedded) start() error {
	l, err := net.Listen("tcp", e.address)
	if err != nil {
		return err
	}
	e.server, e.gate = node.New(nil), &gate{open: opened()}
	server, gated := e.server, &gatedListener{l, e.gate}
	e.serving.Go(func() { _ = server.Serve(gated) }) // ends with kill
	return nil
}

func (e *embedded) kill() error {
	err := e.server.Close()
	e.serving.Wait()
	return err
}

func (e *embedded) freeze(frozen bool) error {
	e.gate.set(!frozen)
	return nil
}

// A gate holds up what passes connections while it is shut.
type gate struct {
	mu   sync.Mutex
	open chan struct{} // closed while the gate is open; guarded by mu
}

func opened() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if open {
		close(g.open)
	} else {
		g.open = make(chan struct{})
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
