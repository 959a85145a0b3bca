package schedules

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/node"
)

// A link is the way between an app server and a node, in both directions. The
// network's mutex guards it.
type link struct {
	route
	to    *cacheNode
	state linkState
	delay time.Duration // of each message, beside the usual
	held  []*message    // while it is silent
	dials int
}

type linkState uint8

const (
	open   linkState = iota
	cut              // refuses at once
	silent           // takes everything and delivers nothing
)

// A cacheNode is one place in the list of nodes. The network's mutex guards it, but
// not process and hogs.
type cacheNode struct {
	name    string
	network *network

	process *node.Server // nil: dead
	door    *door
	hogs    []net.Conn

	away   bool          // refuses connections, and keeps what it has
	frozen bool          // as by SIGSTOP
	held   []*message    // meanwhile
	slow   time.Duration // each message of its
	mood   mood
}

// A mood is how a node answers.
type mood uint8

const (
	sane mood = iota
	erring
	babbling
	unconditional // a planted defect: compare-and-set is ignored
)

// nodeMemory is small, so that a node can be filled.
const nodeMemory = 4 << 20

// start begins an empty process.
func (c *cacheNode) start() {
	p := node.New(&node.Options{MaxMemory: nodeMemory})
	d := &door{conns: make(chan net.Conn, 64), closed: make(chan struct{})}
	go func() { _ = p.Serve(d) }()
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.process, c.door, c.frozen, c.held = p, d, false, nil
}

// kill ends the process as kill -9 does.
func (c *cacheNode) kill() {
	c.network.mu.Lock()
	p := c.process
	c.process, c.held = nil, nil
	c.network.mu.Unlock()
	c.network.sever(func(w *wire) bool { return w.link.to == c })
	if p != nil {
		_ = p.Close() // always nil
	}
}

// accept takes a connection, unless nobody is there.
func (c *cacheNode) accept(w *wire) bool {
	if c.process == nil || c.away {
		return false
	}
	select {
	case c.door.conns <- w.atNode:
		return true
	default:
		return false
	}
}

// freeze stops the process as SIGSTOP does.
func (c *cacheNode) freeze() {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.frozen = true
}

// thaw lets it go on: what was sent meanwhile is done now.
func (c *cacheNode) thaw() {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	held := c.held
	c.frozen, c.held = false, nil
	c.network.againLocked(held)
}

// leave makes the node unreachable with all that it has.
func (c *cacheNode) leave() {
	c.network.mu.Lock()
	c.away = true
	c.network.mu.Unlock()
	c.network.sever(func(w *wire) bool { return w.link.to == c })
}

// comeBack ends leave.
func (c *cacheNode) comeBack() {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.away = false
}

func (c *cacheNode) answer(m mood, slow time.Duration) {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.mood, c.slow = m, slow
}

// spoil is what the node answers m instead of doing it; nil: nothing.
func (c *cacheNode) spoil(m *message) []byte {
	switch c.mood {
	case erring:
		return bytes.Repeat([]byte("SERVER_ERROR out of order\r\n"), len(commandsIn(m.data)))
	case babbling:
		return fmt.Appendf(nil, "%X\r\n%X\r\n", c.network.rng.Uint64(), c.network.rng.Uint64())
	case unconditional:
		m.data = withoutConditions(m.data)
	}
	return nil
}

// fill takes all memory with values that are announced and never come: what was
// stored is evicted, and whatever is to be stored is refused.
func (c *cacheNode) fill() {
	const item = 1<<20 - 200
	for i := range nodeMemory/item + 1 {
		c.reserve(fmt.Sprint("hog", i), item)
	}
	for i := range 8 {
		c.reserve(fmt.Sprint("piglet", i), item>>(i+1))
	}
}

func (c *cacheNode) reserve(key string, size int) {
	ours, theirs := net.Pipe()
	c.door.conns <- theirs
	c.hogs = append(c.hogs, ours)
	go func() { _, _ = fmt.Fprintf(ours, "set %s 0 0 %d\r\n", key, size) }()
	go drain(ours)
}

func drain(conn net.Conn) {
	b := make([]byte, 256)
	for {
		if _, err := conn.Read(b); err != nil {
			return
		}
	}
}

// relieve ends fill.
func (c *cacheNode) relieve() {
	for _, hog := range c.hogs {
		_ = hog.Close() // a pipe
	}
	c.hogs = nil
}

// A door is a listener in memory.
type door struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (d *door) Accept() (net.Conn, error) {
	select {
	case conn := <-d.conns:
		return conn, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

func (d *door) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

func (d *door) Addr() net.Addr { return place("node") }
