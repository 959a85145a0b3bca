package schedules

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A wire is one connection.
type wire struct {
	network *network
	link    *link
	number  int // of its link
	of      *appServer
	answer  chan bool // to the dialer

	atServer, atNode *end

	// The network's mutex guards all below.
	messages            int
	lastThere, lastBack time.Time // arrivals
	severed             bool      // reset
	conversation        conversation
}

var errEnded = errors.New("the other side has closed the connection")

// An end is what one side of a wire has in hand: a net.Conn whose writes never wait.
// There is one reader at a time, as package memcachedstore and node have it.
type end struct {
	wire   *wire
	server bool // else the node's

	kick chan struct{} // a reader looks again

	mu       sync.Mutex // guards all below
	received []byte
	err      error // of reads, when received is empty, and of writes
	closed   bool
	deadline time.Time // of reads
}

func newEnd(w *wire, server bool) *end {
	return &end{wire: w, server: server, kick: make(chan struct{}, 1)}
}

// receive appends what has arrived; err is the last thing that does.
func (e *end) receive(b []byte, err error) {
	e.mu.Lock()
	if e.err == nil {
		e.received, e.err = append(e.received, b...), err
	}
	e.mu.Unlock()
	e.look()
}

func (e *end) look() {
	select {
	case e.kick <- struct{}{}:
	default:
	}
}

// Read waits for bytes, the end or the deadline.
func (e *end) Read(p []byte) (int, error) {
	for {
		n, wait, err := e.take(p)
		if n > 0 || err != nil {
			return n, err
		}
		if wait == 0 {
			<-e.kick
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-e.kick:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// take returns what there is, or how long to wait for more: 0 is for ever.
func (e *end) take(p []byte) (n int, wait time.Duration, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return 0, 0, net.ErrClosed
	case len(e.received) > 0:
		n = copy(p, e.received)
		e.received = e.received[n:]
		return n, 0, nil
	case e.err == errEnded:
		return 0, 0, io.EOF
	case e.err != nil:
		return 0, 0, e.err
	case e.deadline.IsZero():
		return 0, 0, nil
	}
	if wait = time.Until(e.deadline); wait <= 0 {
		return 0, 0, os.ErrDeadlineExceeded
	}
	return 0, wait, nil
}

// Write sends all of p at once.
func (e *end) Write(p []byte) (int, error) {
	e.mu.Lock()
	err := e.err
	if e.closed {
		err = net.ErrClosed
	}
	e.mu.Unlock()
	if err != nil && err != errEnded {
		return 0, err
	}
	if e.server && e.wire.of.gone() {
		return 0, net.ErrClosed
	}
	e.wire.network.post(e.wire, e.server, data, p)
	return len(p), nil
}

// Close tells the other side, behind what was sent before.
func (e *end) Close() error {
	e.mu.Lock()
	first := !e.closed
	e.closed = true
	e.mu.Unlock()
	if first {
		e.wire.network.post(e.wire, e.server, fin, nil)
		e.look()
	}
	return nil
}

// SetReadDeadline may be called while a Read waits.
func (e *end) SetReadDeadline(t time.Time) error {
	e.mu.Lock()
	e.deadline = t
	e.mu.Unlock()
	e.look()
	return nil
}

func (e *end) SetDeadline(t time.Time) error    { return e.SetReadDeadline(t) }
func (e *end) SetWriteDeadline(time.Time) error { return nil }
func (e *end) LocalAddr() net.Addr              { return place("server") }
func (e *end) RemoteAddr() net.Addr             { return place("node") }

type place string

func (p place) Network() string { return "memory" }
func (p place) String() string  { return string(p) }
