package memcachedstore

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// A call is one request on its way through a connection.
//
// Its state says who may touch it, and who gives it back to the pool: the
// caller if it was answered, otherwise whoever meets it abandoned. From queued
// it goes to sent or abandoned, under the mutex of the connection, so that no
// caller returns while its value is being copied. From sent it goes to answered
// or abandoned, whichever comes first.
type call struct {
	request
	opaque uint16
	state  atomic.Uint32
	reads  bool // its caller has the reading role
	start       // of a call that was started

	answer store.Item    // set before answered
	err    error         // set before answered
	done   chan struct{} // gets one element after answered

	timer *time.Timer // for callers whose context brings none; made at the first
}

// start is where a call that was started is under way.
type start struct {
	store *Store
	conn  *conn
}

const (
	queued    uint32 = iota // its command is not made yet
	sent                    // its command is in a batch, on the way or further
	answered                // the result is there, for the caller
	abandoned               // the caller has gone
)

// callPool keeps calls for the next request. Each Store has its own: a call
// holds a channel and a timer, and in tests with fake time these belong to the
// test that made them.
type callPool struct {
	pool sync.Pool
}

func (p *callPool) take(r request) *call {
	cl, ok := p.pool.Get().(*call)
	if !ok {
		cl = &call{done: make(chan struct{}, 1)}
	}
	cl.request, cl.reads = r, false
	cl.state.Store(queued)
	return cl
}

// startTimer returns a channel that gets an element after d. The timer stops
// with the caller's last touch of cl.
func (cl *call) startTimer(d time.Duration) <-chan time.Time {
	if cl.timer == nil {
		cl.timer = time.NewTimer(d)
	} else {
		cl.timer.Reset(d)
	}
	return cl.timer.C
}

// giveBack must be the last touch of cl. Nothing that belongs to a caller is
// kept.
func (p *callPool) giveBack(cl *call) {
	cl.request, cl.start, cl.answer, cl.err = request{}, start{}, store.Item{}, nil
	p.pool.Put(cl)
}

// finish hands the result to the caller of a sent call, or throws it away if
// the caller has gone.
func (p *callPool) finish(cl *call, item store.Item, err error) {
	cl.answer, cl.err = item, err
	if cl.state.CompareAndSwap(sent, answered) {
		cl.done <- struct{}{}
	} else {
		p.giveBack(cl)
	}
}
