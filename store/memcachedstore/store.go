package memcachedstore

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// A Store is one memcached. It implements [store.Store]. Its errors name the
// server and the operation.
type Store struct {
	network string // tcp or unix
	addr    string
	opts    Options
	calls   callPool

	current atomic.Pointer[conn] // may be dead; set under mu
	life    context.Context      // ends with Close
	end     context.CancelFunc   // of life
	wg      sync.WaitGroup       // attempts, and the goroutines of connections

	mu         sync.Mutex // guards the fields below
	closed     bool
	dialing    *attempt  // under way; nil: none
	generation uint64    // of the last connection, the first has 1
	failures   int       // attempts since a connection worked
	retryAt    time.Time // no attempt before
	lastErr    error     // of the last failed attempt
}

// New returns a Store over the memcached at addr: host:port, where an IPv6
// address stands in brackets, or the path of a unix socket, which begins with a
// slash. It does not connect: the first call does, so a server that is away is
// no error here. The Store must be closed. opts may be nil.
func New(addr string, opts *Options) (*Store, error) {
	network, err := checkAddress(addr)
	if err != nil {
		return nil, fmt.Errorf("memcachedstore: %w", err)
	}
	set, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Store{network: network, addr: addr, opts: set}
	s.life, s.end = context.WithCancel(context.Background())
	return s, nil
}

// Close ends the connection and the goroutines of s and waits for them. Calls
// under way and later ones fail with store.ErrClosed. It always returns nil.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	c := s.current.Load()
	s.mu.Unlock()
	s.end()
	if c != nil {
		c.fail(store.ErrClosed)
	}
	s.wg.Wait()
	return nil
}

// Get reads an item; see [store.Store].
func (s *Store) Get(ctx context.Context, key string, part store.Part) (store.Item, error) {
	return s.do(ctx, getRequest(key, part))
}

func getRequest(key string, part store.Part) request {
	if part == store.Head {
		return request{verb: head, key: key}
	}
	return request{verb: get, key: key}
}

// Put writes an item; see [store.Store]. A value that the server would refuse
// for its size is not sent, and the error is a *store.SizeError: above
// item_size_max less 1 KiB, with key and overhead. item_size_max is read at
// connect; 1 MiB is assumed where the server does not tell.
func (s *Store) Put(ctx context.Context, key string, item store.Item, at store.Version) (store.Version, error) {
	written, err := s.do(ctx, request{verb: put, key: key, item: item, at: at})
	return written.Version, err
}

// Touch sets the time to live of an item; see [store.Store].
func (s *Store) Touch(ctx context.Context, key string, ttl time.Duration) (store.Version, error) {
	touched, err := s.do(ctx, request{verb: touch, key: key, item: store.Item{TTL: ttl}})
	return touched.Version, err
}

// Delete removes an item; see [store.Store].
func (s *Store) Delete(ctx context.Context, key string, at store.Version) error {
	_, err := s.do(ctx, request{verb: remove, key: key, at: at})
	return err
}

// do sends r and waits for its result.
func (s *Store) do(ctx context.Context, r request) (store.Item, error) {
	item, err := s.try(ctx, r)
	return s.result(r.verb, item, err)
}

// result is what a method returns.
func (s *Store) result(verb verb, item store.Item, err error) (store.Item, error) {
	if err != nil {
		return store.Item{}, &callError{addr: s.addr, verb: verb, err: err}
	}
	return item, nil
}

func (s *Store) try(ctx context.Context, r request) (store.Item, error) {
	if err := store.CheckKey(r.key); err != nil {
		return store.Item{}, err
	}
	if err := ctx.Err(); err != nil {
		return store.Item{}, unavailable(err)
	}
	c := s.current.Load()
	for {
		if c != nil {
			if item, err := c.speaks.do(ctx, c, r); err != errGone {
				return item, err
			}
		}
		var err error
		if c, err = s.connect(ctx); err != nil {
			return store.Item{}, unavailable(err)
		}
	}
}

// A callError is the error of a method of Store.
type callError struct {
	addr string
	verb verb
	err  error
}

func (e *callError) Error() string {
	return "memcached " + e.addr + ": " + e.verb.String() + ": " + e.err.Error()
}

func (e *callError) Unwrap() error { return e.err }
