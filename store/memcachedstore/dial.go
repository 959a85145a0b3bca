package memcachedstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

const (
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
)

// An attempt is one dial, shared by all calls that need a connection meanwhile.
type attempt struct {
	ctx     context.Context // ends with DialTimeout or Close
	waiters int             // guarded by Store.mu
	done    chan struct{}   // closed after conn and err were set
	conn    *conn
	err     error
}

// connect returns a live connection, and dials if there is none and no failed
// attempt is too recent. It waits no longer than ctx.
func (s *Store) connect(ctx context.Context) (*conn, error) {
	s.mu.Lock()
	c, a, err := s.joinLocked()
	s.mu.Unlock()
	if c != nil || err != nil {
		return c, err
	}
	defer s.leave(a)
	select {
	case <-a.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("connecting: %w", ctx.Err())
	case <-a.ctx.Done():
		// Also a Dial that ignores its context must not hold callers.
	}
	select {
	case <-a.done:
		return a.conn, a.err
	case <-s.life.Done():
		return nil, store.ErrClosed
	default:
		return nil, fmt.Errorf("connecting: %w", a.ctx.Err())
	}
}

// joinLocked finds the live connection, or the attempt to wait for, or the
// reason why there is neither.
func (s *Store) joinLocked() (*conn, *attempt, error) {
	if s.closed {
		return nil, nil, store.ErrClosed
	}
	if s.dialing == nil {
		if c := s.liveLocked(); c != nil {
			return c, nil, nil
		}
		if time.Now().Before(s.retryAt) {
			return nil, nil, s.lastErr
		}
		s.startLocked()
	}
	if s.dialing.waiters >= maxCalls {
		return nil, nil, errTooMany
	}
	s.dialing.waiters++
	return nil, s.dialing, nil
}

// liveLocked is the current connection if it lives. One that died useless
// counts as a failed attempt: otherwise a server that takes connections and
// then drops them would be dialed without a pause.
func (s *Store) liveLocked() *conn {
	c := s.current.Load()
	if c == nil {
		return nil
	}
	died, useless, cause := c.obituary()
	if cause == nil {
		return c
	}
	s.current.Store(nil)
	if useless {
		s.pauseLocked(died, cause)
	} else {
		s.failures = 0
	}
	return nil
}

// startLocked dials in a goroutine of its own, which goes on when the callers
// have gone: the connection is for the next ones.
func (s *Store) startLocked() {
	ctx, cancel := context.WithTimeout(s.life, s.opts.DialTimeout)
	a := &attempt{ctx: ctx, done: make(chan struct{})}
	s.dialing = a
	s.wg.Go(func() {
		defer cancel()
		s.dial(a)
	})
}

func (s *Store) dial(a *attempt) {
	w, err := open(a.ctx, s.network, s.addr, &s.opts)
	s.mu.Lock()
	unwanted := err == nil && s.closed
	switch {
	case s.closed:
		a.err = store.ErrClosed
	case err != nil:
		a.err = err
		s.pauseLocked(time.Now(), err)
	default:
		s.generation++
		a.conn = newConn(w, s.generation, &s.opts, &s.calls, &s.wg)
		s.current.Store(a.conn)
	}
	s.dialing = nil
	close(a.done)
	s.mu.Unlock()
	if unwanted {
		_ = w.raw.Close() // never used
	}
}

// pauseLocked notes a failed attempt. Until retryAt calls fail with err at
// once. The pause doubles with each failure; a random part of it keeps many
// clients from coming back at the same moment.
func (s *Store) pauseLocked(began time.Time, err error) {
	pause := min(firstPause<<min(s.failures, 10), longestPause)
	s.failures++
	s.retryAt = began.Add(pause/2 + rand.N(pause/2))
	s.lastErr = err
}

func (s *Store) leave(a *attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.waiters--
}
