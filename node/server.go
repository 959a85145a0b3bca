// Package node is a small cache node in this process: an in-memory server that
// speaks memcached's text protocol, classic and meta commands. It is for trying
// and testing without an installed memcached, not for production.
//
//	l, err := net.Listen("tcp", "127.0.0.1:0")
//	n := node.New(nil)
//	go n.Serve(l)
//	defer n.Close()
//
// It answers as memcached 1.6.18 does, also where that surprises: an `ms` that
// is too large deletes the stored item, an expiry time above 30 days is a date.
// Package integration compares the two, answer by answer. It has no slab
// classes, no background threads, no TLS, no authentication and no binary
// protocol.
//
// Everything is bounded: item size, memory, connections and the length of a line.
// Time is time.Now, so that a node runs in the fake time of package synctest.
package node

import (
	"cmp"
	"errors"
	"io"
	"net"
	"sync"
)

// Options are the settings of a [Server]. The zero value is the default.
type Options struct {
	// MaxItem is the largest item that is taken, in bytes as memcached counts
	// them: key, value and 59 to 63 for the rest. Zero: 1 MiB.
	MaxItem int

	// MaxMemory bounds the items held together, those under way included, in
	// bytes. The least recently used go when it is reached. Zero: 64 MiB.
	MaxMemory int

	// MaxConns bounds the connections open at a time. Zero: 1024.
	MaxConns int
}

// A Server is one cache node. Its methods are safe for concurrent use.
type Server struct {
	opts  Options
	clock clock
	traffic

	cacheMu sync.Mutex // guards cache: a command is one step
	cache   *cache

	netMu     sync.Mutex // guards all below
	listeners map[net.Listener]struct{}
	conns     map[net.Conn]struct{}
	closed    bool
	serving   sync.WaitGroup // a connection each; only added to before closed
}

// New returns an empty node. A nil opts is the default.
func New(opts *Options) *Server {
	if opts == nil {
		opts = &Options{}
	}
	s := &Server{
		opts: Options{
			MaxItem:   cmp.Or(opts.MaxItem, 1<<20),
			MaxMemory: cmp.Or(opts.MaxMemory, 64<<20),
			MaxConns:  cmp.Or(opts.MaxConns, 1024),
		},
		clock:     newClock(),
		listeners: map[net.Listener]struct{}{},
		conns:     map[net.Conn]struct{}{},
	}
	s.cache = newCache(s.clock, s.opts.MaxItem, s.opts.MaxMemory)
	return s
}

// Serve answers the connections that l accepts, until Close, and then returns
// nil. An error is that of l. Serve closes l.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	if !s.listen(l) {
		return errors.New("node: Serve after Close")
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return s.endListening(l, err)
		}
		s.welcome(conn)
	}
}

func (s *Server) listen(l net.Listener) bool {
	s.netMu.Lock()
	defer s.netMu.Unlock()
	if !s.closed {
		s.listeners[l] = struct{}{}
	}
	return !s.closed
}

func (s *Server) endListening(l net.Listener, err error) error {
	s.netMu.Lock()
	defer s.netMu.Unlock()
	delete(s.listeners, l)
	if s.closed {
		return nil
	}
	return err
}

// welcome serves conn in a goroutine of its own, or turns it away.
func (s *Server) welcome(conn net.Conn) {
	if !s.begin(conn) {
		conn.Close()
	}
}

// begin reports false after Close.
func (s *Server) begin(conn net.Conn) bool {
	s.netMu.Lock()
	defer s.netMu.Unlock()
	if s.closed {
		return false
	}
	full := len(s.conns) >= s.opts.MaxConns
	s.conns[conn] = struct{}{}
	s.serving.Go(func() {
		defer s.forget(conn)
		if full {
			turnAway(conn)
			return
		}
		s.connected.Add(1)
		newClient(s, conn).serve()
	})
	return true
}

func (s *Server) forget(conn net.Conn) {
	conn.Close()
	s.netMu.Lock()
	defer s.netMu.Unlock()
	delete(s.conns, conn)
}

// Flush loses all items, as the command flush_all does.
func (s *Server) Flush() { s.flush(never) }

// flush loses all items at the given tick, or now.
func (s *Server) flush(at tick) {
	s.cacheMu.Lock()
	defer s.cacheMu.Unlock()
	s.cache.flush(at)
}

// Close ends all listeners and connections and waits until nothing of the node
// runs any more. It always returns nil.
func (s *Server) Close() error {
	for _, c := range s.stop() {
		c.Close()
	}
	s.serving.Wait()
	return nil
}

// stop takes no more connections, and returns what is to be closed.
func (s *Server) stop() []io.Closer {
	s.netMu.Lock()
	defer s.netMu.Unlock()
	s.closed = true
	var open []io.Closer
	for l := range s.listeners {
		open = append(open, l)
	}
	for conn := range s.conns {
		open = append(open, conn)
	}
	return open
}
