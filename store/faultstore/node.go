package faultstore

import (
	"context"
	"sync"

	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// A Node is one server with its memory. Its methods are safe for concurrent
// use, and work at once.
type Node struct {
	memory *memorystore.Store

	mu          sync.Mutex // guards all below, what clients and calls say of it, and the order of calls
	state       state
	keys        map[string]struct{} // all that were ever written
	clients     []*Client
	cut         map[string]bool // by name of the client
	connections uint32          // ever made
	sent        []*call         // to a frozen node, in this order
	calls       int
	between     Interceptor
}

type state int

const (
	up state = iota
	dead
	frozen
)

// An Interceptor stands between clients and node. next sends the call, and may
// be called once or not at all. The error that it returns is the call's, so it
// can refuse a call, lose its answer, or change the node before or after it.
// The contract of store.Store says which errors may be made up.
type Interceptor func(ctx context.Context, call Call, next func() error) error

// A Call is one call as an Interceptor sees it.
type Call struct {
	Client string // its name
	Verb   string // get, head, put, touch or delete
	Key    string
}

// New returns an empty node that works.
func New() *Node {
	return &Node{
		memory:  memorystore.New(nil),
		keys:    make(map[string]struct{}),
		cut:     make(map[string]bool),
		between: pass,
	}
}

// Kill ends the node as kill -9 does. Its memory is gone, calls under way get
// no answer, and later ones are refused at once.
func (n *Node) Kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.endLocked(dead)
}

// Revive starts a dead node, empty. One that lives is started again, empty.
func (n *Node) Revive() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.endLocked(up)
}

// endLocked ends the process; what becomes of the node is next.
func (n *Node) endLocked(next state) {
	n.disconnectLocked(everybody)
	n.sent = nil
	n.memory.Clear()
	n.state = next
}

// Freeze stops the node as SIGSTOP does. Calls wait until their context ends.
// What they were to write is sent all the same.
func (n *Node) Freeze() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state == up {
		n.state = frozen
	}
}

// Thaw lets a frozen node go on: what was sent to it happens now, in order, also
// that of calls that have ended and of clients that are gone.
func (n *Node) Thaw() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state != frozen {
		return
	}
	n.state = up
	for _, c := range n.sent {
		c.finish(c.effect())
	}
	n.sent = nil
}

// Empty loses all items, as flush_all does. The node goes on.
func (n *Node) Empty() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.memory.Clear()
}

// Reset ends all connections. Calls under way get no answer, though what they
// sent still happens, and versions read before match nothing any more.
func (n *Node) Reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.disconnectLocked(everybody)
}

// Cut makes the node unreachable for the clients of that name: their calls are
// refused at once. Those under way end as with Reset.
func (n *Node) Cut(client string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut[client] = true
	n.disconnectLocked(func(c *Client) bool { return c.name == client })
}

// Mend undoes Cut.
func (n *Node) Mend(client string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.cut, client)
}

// Calls returns how many calls clients have made, with those that failed.
func (n *Node) Calls() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.calls
}

// Intercept puts f between all clients and the node; nil takes it away.
func (n *Node) Intercept(f Interceptor) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.between = f; f == nil {
		n.between = pass
	}
}

// disconnectLocked ends the connections of the clients that match.
func (n *Node) disconnectLocked(match func(*Client) bool) {
	for _, c := range n.sent {
		if match(c.client) {
			c.lose()
		}
	}
	for _, c := range n.clients {
		if match(c) {
			c.connection = 0
		}
	}
}

func everybody(*Client) bool { return true }
