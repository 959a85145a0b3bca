package holdfast

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/holdfast-sessions/holdfast/lock"
)

// Locking says which requests have their session to themselves. Nothing that was
// acknowledged is lost without locks, so they are for programs that read an
// attribute and set it to something else made of it, and cannot use Key.Update or
// Session.Do. See docs/locks.md.
//
// A request takes its lock when it first uses its session, and holds it until its
// handler returns or calls Session.Unlock. One that does not use its session, or has
// none yet, takes none.
type Locking struct {
	// Mode says which requests lock by themselves. Zero: none; any can call
	// Session.Lock.
	Mode LockMode

	// Request says which requests lock. Mode LockRequests only.
	Request func(*http.Request) bool

	// Wait is how long a request waits for the lock before it fails with
	// ErrLockTimeout: all in all, also if its session gets a new id and so another
	// lock meanwhile. Zero: 5 seconds.
	Wait time.Duration

	// Lease is how long the lock of an app server that died stays in the way, at
	// least a second. It is renewed meanwhile: requests may be longer. Less than
	// Wait, or who waits for a server that has died waits in vain. Zero: 4 seconds.
	Lease time.Duration

	// MaxWaiting is how many requests of one session wait on this server; those
	// above it fail with ErrLockTimeout at once. Zero: 100.
	MaxWaiting int

	// Status is what StatusOf makes of ErrLockTimeout: 503 or 423 (Locked). Zero: 503.
	Status int
}

// A LockMode says which requests lock the session that they use.
type LockMode uint8

// The lock modes.
const (
	LockNone     LockMode = iota // those that call Session.Lock
	LockAll                      // all
	LockAuto                     // all but those whose method and path have never changed a session so far
	LockRequests                 // those that Locking.Request chooses
)

// String returns the mode's name in settings.
func (m LockMode) String() string {
	names := [...]string{"none", "all", "auto", "requests"}
	if int(m) < len(names) {
		return names[m]
	}
	return fmt.Sprintf("LockMode(%d)", uint8(m))
}

const (
	defaultLockWait = 5 * time.Second
	defaultLease    = 4 * time.Second // less than the wait: who waits for a dead server gets the lock
	minLease        = time.Second     // it is renewed three times as often, in the store
	defaultWaiting  = 100
)

// withDefaults returns l with its zeros replaced, or what is wrong with it.
func (l Locking) withDefaults() (Locking, error) {
	l.Wait = cmp.Or(l.Wait, defaultLockWait)
	l.Lease = cmp.Or(l.Lease, defaultLease)
	l.MaxWaiting = cmp.Or(l.MaxWaiting, defaultWaiting)
	l.Status = cmp.Or(l.Status, http.StatusServiceUnavailable)
	switch {
	case l.Mode > LockRequests:
		return l, fmt.Errorf("holdfast: Locking.Mode %v: take one of the LockModes", l.Mode)
	case l.Mode == LockRequests && l.Request == nil:
		return l, errors.New("holdfast: Locking.Mode LockRequests without Request: say which requests lock")
	case l.Mode != LockRequests && l.Request != nil:
		return l, fmt.Errorf("holdfast: Locking.Request is asked with Mode LockRequests only, and Mode is %v", l.Mode)
	case l.Wait < 0:
		return l, errors.New("holdfast: Locking.Wait is negative: waiting must be bounded")
	case l.Lease < minLease:
		return l, fmt.Errorf("holdfast: Locking.Lease of %v: take %v or more", l.Lease, minLease)
	case l.MaxWaiting < 0:
		return l, errors.New("holdfast: Locking.MaxWaiting is negative: zero is the default")
	case l.Status != http.StatusServiceUnavailable && l.Status != http.StatusLocked:
		return l, fmt.Errorf("holdfast: Locking.Status %d: take 503 or 423", l.Status)
	}
	return l, nil
}

// Lock has this request use the session alone: until it ends or calls Unlock, others
// that lock wait. Call it before anything else: a session that was loaded before is
// read again, with what this request has changed so far on top. Without a session it
// does nothing. A second call does nothing.
//
// A commit of a request with a lock that meets another's change fails with
// ErrLockLost. After a Lock that failed, changes are not stored.
//
// Errors: ErrLockTimeout, ErrLockLost if this request had the lock and lost it,
// otherwise those of reading a session.
func (s *Session) Lock() error {
	if s.m == nil {
		return ErrNoSession
	}
	s.mu.Lock()
	s.lock.asked = true
	s.mu.Unlock()
	if err := s.load(); err != nil {
		return err
	}
	return s.gated(s.lockGated)
}

// lockGated locks a session that was loaded.
func (s *Session) lockGated() error {
	s.mu.Lock()
	view, held := s.view, s.lock.held
	s.mu.Unlock()
	switch {
	case view == nil:
		return nil
	case held != nil && held.Lost():
		return s.fail(ErrLockLost)
	case held != nil:
		return nil
	}
	err := s.settleGated()
	if err == nil {
		s.mu.Lock()
		t := s.token // a renewal may have been settled
		s.mu.Unlock()
		view, err = s.fetchAlone(t)
		err = ended(err)
	}
	s.mu.Lock()
	if s.lock.refused = err; err == nil {
		s.view = view
	}
	s.mu.Unlock()
	if err == nil {
		s.redraft()
	}
	return s.fail(err)
}

// Unlock stores what this request changed and ends its lock, as a stream should that
// goes on for long. Its error is that of Commit; the lock has ended in any case.
// Later changes are applied to the newest state, as without locks; but what could not
// be stored, and what follows it, is still not stored over another's change.
func (s *Session) Unlock() error {
	err := s.Commit()
	s.unlock()
	return err
}

// unlock ends the lock, if there is one.
func (s *Session) unlock() {
	s.mu.Lock()
	held, pending := s.lock.held, len(s.ops) > 0
	s.lock.asked, s.lock.held = false, nil
	switch {
	case !pending:
		s.lock.fenced, s.lock.refused = false, nil
	case held != nil && held.Lost(): // the next holder may have stored nothing yet
		s.lock.refused = ErrLockLost
	}
	s.mu.Unlock()
	if held != nil {
		s.giveBack(held)
	}
}

// giveBack releases held, which takes no more than what is left of the request's time
// for session work. What is left is not known while another goroutine does some.
func (s *Session) giveBack(held *lock.Lock) {
	if !s.gate.TryLock() {
		held.ReleaseWithin(0)
		return
	}
	defer s.gate.Unlock()
	began := time.Now()
	held.ReleaseWithin(s.m.options.OperationTimeout - s.spent)
	s.spent += time.Since(began)
}
