package lock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/turns"
)

// ErrTimeout says that others held the lock for all the time that the caller waits,
// or that too many wait for it already.
var ErrTimeout = errors.New("others have the lock")

// Options of Locks. Every zero field but Stores means the default.
type Options struct {
	// Stores returns the nodes that can be asked, in the order in which all app
	// servers try them for key. The first that answers keeps the lock. The values
	// are compared with ==. Required.
	Stores func(key string) []store.Store

	Wait    time.Duration // for a lock; zero: 5 seconds
	Lease   time.Duration // how long a lock outlives its owner's last sign of life; zero: 4 seconds
	Timeout time.Duration // of one call to a node; zero: 250 milliseconds

	// MaxWaiting is how many wait for one lock on this app server. Zero: 100.
	MaxWaiting int

	// Behind runs what nobody has to wait for: who waited in vain leaves the queue, and
	// so does who gives back a lock for which others have queued meanwhile, or not within
	// its time. Nil: Take and Release wait for it, for Timeout more.
	Behind func(work func())
}

// Stats counts what happened to locks since New.
type Stats struct {
	Taken    uint64 `json:"taken"`
	Waited   uint64 `json:"waited"`   // taken after others
	Timeouts uint64 `json:"timeouts"` // not taken: waited in vain, or too many waited
	Lost     uint64 `json:"lost"`     // held, and lost before they were released
}

// Locks are the locks that one app server takes.
type Locks struct {
	opts  Options
	turns turns.Turns // of those who want one lock: one of them is in the queue on the node

	taken, waited, timeouts, lost atomic.Uint64

	mu      sync.Mutex
	crowd   map[string]int   // who has or wants a lock, by key; guarded by mu
	watches map[string]watch // what waits in vain have seen, by key; guarded by mu
}

// maxWatches bounds what is remembered. Forgetting only means watching for longer.
const maxWatches = 1024

// New returns the locks of one app server.
func New(opts Options) *Locks {
	opts.Wait = cmp.Or(opts.Wait, 5*time.Second)
	opts.Lease = cmp.Or(opts.Lease, 4*time.Second)
	opts.Timeout = cmp.Or(opts.Timeout, 250*time.Millisecond)
	opts.MaxWaiting = cmp.Or(opts.MaxWaiting, 100)
	if opts.Behind == nil {
		opts.Behind = func(work func()) { work() }
	}
	return &Locks{opts: opts, crowd: make(map[string]int), watches: make(map[string]watch)}
}

// Stats returns the counts so far.
func (l *Locks) Stats() Stats {
	return Stats{Taken: l.taken.Load(), Waited: l.waited.Load(), Timeouts: l.timeouts.Load(), Lost: l.lost.Load()}
}

// Take waits for the lock called key, a storage key, for as long as waited leaves of
// Options.Wait: a caller may have waited for another lock before, of the same session.
// Whoever gets it releases it.
//
// Errors: ErrTimeout; store.ErrUnavailable if no node could be asked, or ctx ended.
func (l *Locks) Take(ctx context.Context, key string, waited time.Duration) (*Lock, error) {
	others, ok := l.enter(key)
	if !ok {
		l.timeouts.Add(1)
		return nil, fmt.Errorf("%w: %d requests wait for it already", ErrTimeout, l.opts.MaxWaiting)
	}
	k, err := l.inTurn(ctx, key, waited)
	if err != nil {
		l.leave(key)
		if errors.Is(err, ErrTimeout) {
			l.timeouts.Add(1)
		}
		return nil, err
	}
	l.taken.Add(1)
	if others > 0 || k.queued {
		l.waited.Add(1)
	}
	return k, nil
}

// inTurn takes the lock when those who asked this app server before have had it.
func (l *Locks) inTurn(ctx context.Context, key string, waited time.Duration) (*Lock, error) {
	waiting, cancel := context.WithTimeout(ctx, l.opts.Wait-waited)
	defer cancel()
	if waiting.Err() != nil || !l.turns.Take(waiting, key) {
		return nil, l.inVain(ctx)
	}
	k, err := l.somewhere(waiting, key)
	if err == nil {
		return k, nil
	}
	l.turns.Give(key)
	if waiting.Err() != nil && (ctx.Err() != nil || waited > 0 || !errors.Is(err, store.ErrUnavailable)) {
		err = l.inVain(ctx)
	}
	return nil, err
}

// inVain is why a wait has ended whose caller's context is ctx.
func (l *Locks) inVain(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: waited %v", ErrTimeout, l.opts.Wait)
}

// somewhere takes the lock on the first node that answers.
func (l *Locks) somewhere(ctx context.Context, key string) (*Lock, error) {
	err := errors.New("no cache node can be asked for it")
	for _, on := range l.opts.Stores(key) {
		c := &contender{Locks: l, place: l.place(on, key), mine: ticket{owner: newOwner()}, seen: l.watch(key)}
		var k *Lock
		if k, err = c.contend(ctx); err == nil {
			return k, nil
		}
		if ctx.Err() != nil {
			l.keepWatch(key, c.seen)
			return nil, err // whoever waited for a node has no time left for the next one
		}
	}
	return nil, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

// prefix keeps locks apart from sessions, whose keys have no colon.
const prefix = "lock:"

func (l *Locks) place(on store.Store, key string) place {
	const spare = 2 * time.Second // servers may end an item a second early
	return place{on: on, key: prefix + key, ttl: 2*l.opts.Lease + spare, timeout: l.opts.Timeout}
}

// enter reports whether one more may want the lock, and how many do.
func (l *Locks) enter(key string) (others int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	others = l.crowd[key]
	if others > l.opts.MaxWaiting {
		return others, false
	}
	l.crowd[key] = others + 1
	return others, true
}

func (l *Locks) leave(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.crowd[key]--; l.crowd[key] == 0 {
		delete(l.crowd, key)
	}
}

// watch returns what earlier waits for key have seen: one that gives up sooner than a
// lease ends must not let the next begin anew. Who has the turn at key owns it.
func (l *Locks) watch(key string) watch {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.watches[key]
	delete(l.watches, key)
	if w == nil {
		w = make(watch)
	}
	return w
}

func (l *Locks) keepWatch(key string, w watch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.watches) >= maxWatches {
		clear(l.watches)
	}
	l.watches[key] = w
}
