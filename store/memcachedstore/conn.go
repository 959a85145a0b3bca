package memcachedstore

import (
	"bufio"
	"errors"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

const (
	maxCalls       = 16384    // under way on one connection, or waiting for one
	maxQueuedBytes = 32 << 20 // of values that wait to be sent
	itemOverhead   = 64       // of an item beside key and value: header, token, flags, line end
	sizeReserve    = 1 << 10  // kept free below the server's limit
)

var (
	errGone    = errors.New("connection lost")
	errTooMany = errors.New("too many calls under way: the server is slower than its callers")
)

// A wire is an open connection, greeted and ready for commands.
type wire struct {
	net.Conn               // through TLS if there is any
	raw      net.Conn      // to close: TLS would wait to say a last word
	in       *bufio.Reader // of Conn
	patient  bool          // a write may be interrupted by its deadline and go on later
	maxItem  int           // the server's item_size_max
	speaks   dialect
}

// A conn is a wire with a queue of calls and three goroutines: writer, reader
// and watch. Once dead it stays dead.
type conn struct {
	wire
	generation uint64
	stall      time.Duration // Options.StallTimeout
	patience   time.Duration // Options.CallTimeout
	pool       *callPool

	mu          sync.Mutex // guards the fields below, and a call's way out of queued
	queue       []*call    // in order of arrival
	queuedBytes int        // of the values in queue
	sent        []*call    // in batches and not yet taken by the reader, in order
	accepted    uint64     // calls that were ever queued
	dropped     uint64     // of these, abandoned before they were sent
	opaque      uint16     // of the last command
	writing     bool       // somebody has the writing role
	reading     bool       // somebody has the reading role; so it is while calls are in sent
	parked      *call      // has the reading role, and was not yet waited for
	single      int        // calls in a row that the reader found alone
	watched     bool       // the watch timer is set
	seen        uint64     // answers at the last look of watch
	since       time.Time  // when watch first saw them
	cause       error      // why the connection is dead; nil while it lives
	died        time.Time  // with cause

	dead    chan struct{} // closed after cause was set
	toWrite chan struct{} // hands the writing role to the writer goroutine
	toRead  chan struct{} // hands the reading role to the reader goroutine
	watch   *time.Timer
	answers atomic.Uint64 // that came for calls; whoever has the reading role adds

	out     []byte    // the batch; whoever has the writing role owns these three
	rest    []byte    // the part of it that the kernel has not yet taken
	writeBy time.Time // for writes by callers, as set on the wire

	taken  []*call   // from sent; whoever has the reading role owns these three
	next   int       // of taken, the call that gets the next answer
	readBy time.Time // for reads by callers, as set on the wire
}

// newConn starts the goroutines of a connection in wg. They end after fail.
func newConn(w wire, generation uint64, o *Options, pool *callPool, wg *sync.WaitGroup) *conn {
	c := &conn{
		wire: w, generation: generation, stall: o.StallTimeout, patience: o.CallTimeout, pool: pool,
		dead:    make(chan struct{}),
		toWrite: make(chan struct{}, 1),
		toRead:  make(chan struct{}, 1),
		watch:   time.NewTimer(o.StallTimeout),
		single:  crowd,
	}
	c.watch.Stop()
	wg.Go(c.reader)
	wg.Go(c.writer)
	wg.Go(c.watcher)
	return c
}

// submit queues cl, and writes if nobody does. If nobody reads either, the
// caller gets the reading role. errGone says that the connection was dead
// already; after any error cl is still the caller's own.
func (c *conn) submit(cl *call) error {
	c.mu.Lock()
	if err := c.admitLocked(&cl.request); err != nil {
		c.mu.Unlock()
		return err
	}
	c.unparkLocked()
	c.queue = append(c.queue, cl)
	c.queuedBytes += len(cl.item.Value)
	c.accepted++
	c.watchLocked()
	if c.writing {
		c.mu.Unlock()
		return nil
	}
	c.writing = true
	c.giveReadingLocked(cl)
	if c.single < crowd {
		c.mu.Unlock()
		runtime.Gosched() // who can run queues its call first: larger batches
		c.mu.Lock()
	}
	var batch []byte
	if c.patient {
		batch = c.takeLocked()
	}
	c.mu.Unlock()
	if !c.writeFirst(batch) && c.claimReading(cl) {
		c.unsend(cl)
		return errGone
	}
	return nil
}

// admitLocked judges r on the very connection that would carry it: a version
// or a size limit of another one says nothing here.
func (c *conn) admitLocked(r *request) error {
	switch {
	case c.cause != nil:
		return errGone
	case !c.mayMatch(r.at):
		return store.ErrConflict
	case c.waitingLocked() >= maxCalls:
		return unavailable(errTooMany)
	case r.verb != put:
		return nil
	}
	if err := c.fits(r); err != nil {
		return err
	}
	if c.queuedBytes > 0 && c.queuedBytes+len(r.item.Value) > maxQueuedBytes {
		return unavailable(errTooMany)
	}
	return nil
}

// fits is the *store.SizeError of an item that the server would refuse.
func (c *conn) fits(r *request) error {
	size, limit := len(r.key)+len(r.item.Value)+itemOverhead, c.maxItem-sizeReserve
	if size > limit {
		return &store.SizeError{Size: size, Limit: limit}
	}
	return nil
}

// mayMatch is false for versions that no item has on this connection.
func (c *conn) mayMatch(at store.Version) bool {
	return at == store.Absent || at == store.Any ||
		at.Token != 0 && c.speaks.mayMatch(c.generation, at)
}

// waitingLocked counts the calls whose answer is still to come, or whose
// command is still to be sent.
func (c *conn) waitingLocked() uint64 {
	return c.accepted - c.dropped - c.answers.Load()
}

// giveUp ends the wait of cl's caller, and returns the state in which it found
// cl. Answered: the result is there or about to be. Otherwise cl is no longer
// the caller's.
func (c *conn) giveUp(cl *call) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case cl.state.CompareAndSwap(queued, abandoned):
		c.queuedBytes -= len(cl.item.Value)
		c.dropped++
		cl.item.Value = nil
		return queued
	case cl.state.CompareAndSwap(sent, abandoned):
		return sent
	}
	return answered
}

// fail ends the connection; only the first cause counts. The reader then
// finishes all calls.
func (c *conn) fail(cause error) {
	c.mu.Lock()
	first := c.cause == nil
	if first {
		c.cause, c.died = cause, time.Now()
		close(c.dead)
	}
	c.mu.Unlock()
	if first {
		_ = c.raw.Close() // there is nothing left that could be lost
	}
}

// obituary returns when and why the connection died; cause is nil while it
// lives. It was useless if calls asked and none got an answer.
func (c *conn) obituary() (died time.Time, useless bool, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.died, c.accepted > 0 && c.answers.Load() == 0, c.cause
}
