package holdfast

import (
	"errors"
	"time"

	"github.com/holdfast-sessions/holdfast/lock"
	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
)

// A sessionLock is what one request has to do with the lock of its session.
type sessionLock struct {
	asked   bool       // by Session.Lock
	held    *lock.Lock // nil: none
	fenced  bool       // no commit may meet another's change
	refused error      // why Session.Lock could not have it
	changed bool       // there was something to commit
	judged  bool       // in mode auto: what the request did says something about its path

	waited time.Duration // of Locking.Wait, for all locks; guarded by gate
}

// loadAlone loads the session of t, under its lock if this request locks.
func (s *Session) loadAlone(t token) (*store.View, error) {
	auto := s.m.options.Locking.Mode == LockAuto
	if s.locks() {
		view, err := s.fetchAlone(t)
		s.judge(auto && err == nil)
		return view, err
	}
	view, err := s.fetch(t)
	if auto && err == nil {
		s.judge(true)
		s.mu.Lock()
		s.lock.fenced = true // should it change something, against all that it has done so far
		s.mu.Unlock()
	}
	return view, err
}

func (s *Session) judge(judged bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lock.judged = judged && s.req != nil
}

// locks reports whether this request locks the session that it uses.
func (s *Session) locks() bool {
	s.mu.Lock()
	asked := s.lock.asked
	s.mu.Unlock()
	l := &s.m.options.Locking
	switch l.Mode {
	case LockAll:
		return true
	case LockAuto:
		return asked || s.req == nil || !s.m.readOnly.knows(s.req)
	case LockRequests:
		return asked || s.req != nil && l.Request(s.req)
	case LockNone:
	}
	return asked
}

// maxMoves bounds how often a session can get a new id while one request waits for
// its lock.
const maxMoves = 8

// fetchAlone loads the session of t under its lock. A session that was renewed has the
// lock of its newest id, so that requests with either id wait for each other. The
// waits for all of them share one Locking.Wait, and nobody waits until the lock of a
// former id is given back.
func (s *Session) fetchAlone(t token) (*store.View, error) {
	if s.out == nil || s.out.goesOn() {
		s.lock.waited = 0 // as in withBudget
	}
	key := placement.StorageKey(s.m.options.Namespace, t.id.Secret())
	for range maxMoves {
		held, err := s.takeLock(key)
		if err != nil {
			return nil, err
		}
		view, err := s.fetchStored(t) // what this server remembers may be from before the lock
		if err == nil && view.Key == key {
			return view, s.keepLock(held)
		}
		held.ReleaseWithin(0)
		if err != nil {
			return nil, err
		}
		key = view.Key
	}
	return nil, errBusy
}

func (s *Session) takeLock(key string) (*lock.Lock, error) {
	if err := s.m.work.begin(); err != nil {
		return nil, err
	}
	defer s.m.work.end()
	began := time.Now()
	held, err := s.m.locks.Take(s.ctx, key, s.lock.waited)
	s.lock.waited += time.Since(began)
	if errors.Is(err, lock.ErrTimeout) {
		return nil, &lockedError{status: s.m.options.Locking.Status, cause: err}
	}
	if err != nil {
		s.m.noteHealth(err)
	}
	return held, err
}

// afterwards runs work for which no request waits, only Shutdown does.
func (m *Manager) afterwards(work func()) {
	if m.work.begin() != nil {
		work()
		return
	}
	go func() {
		defer m.work.end()
		work()
	}()
}

// keepLock leaves held to the request, unless that has ended.
func (s *Session) keepLock(held *lock.Lock) error {
	s.mu.Lock()
	over := s.over
	if !over {
		s.lock.held, s.lock.fenced, s.lock.refused = held, true, nil
	}
	s.mu.Unlock()
	if over {
		held.ReleaseWithin(0)
		return errRequestOver
	}
	return nil
}

// A lockedError is ErrLockTimeout with the status that the program wants for it.
type lockedError struct {
	status int
	cause  error
}

func (e *lockedError) Error() string { return "session locked: " + e.cause.Error() }
func (e *lockedError) Unwrap() error { return ErrLockTimeout }

// A fence keeps a commit from being applied to what its request has not seen.
type fence struct {
	held    *lock.Lock
	up      bool
	refused error
}

// fenceLocked is the fence of a commit of this request's to the session that it has
// loaded.
func (s *Session) fenceLocked() fence {
	s.lock.changed = true
	return fence{s.lock.held, s.lock.fenced, s.lock.refused}
}

// check refuses a commit that has no right to be made, even if nobody would notice: a
// lock's next holder shall not lose to one that stood still.
func (f *fence) check() error {
	if f.held != nil && f.held.Lost() {
		return ErrLockLost
	}
	return f.refused
}
