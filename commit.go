package holdfast

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync/atomic"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A commit is one change of a request on its way into the store. It is kept
// until its outcome is known.
type commit struct {
	m    *Manager // not the session: a change may wait in memory long after its request
	id   ID
	base *store.View // what the ops were made on; nil: the session is created
	ops  []op

	// decide is the function given to Do, which makes all ops after the first
	// given: on a newer record they are made again.
	s       *Session // whose Do it is
	decide  func(*Session) error
	given   int
	foreign error // of decide, when it ran again

	fence  fence
	late   atomic.Bool // somebody else was faster
	change store.Change
}

// newCommitLocked makes a commit of all ops of s. While it is under way they
// only grow behind those that it has, since gate is held.
func (s *Session) newCommitLocked() *commit {
	c := s.roomForCommitLocked()
	c.m, c.id, c.base, c.ops = s.m, s.token.id, s.view, s.opsLocked()
	c.change = store.Change{
		Commit:  newCommitID(),
		Apply:   c.apply,
		RenewTo: s.renewTo.Secret(),
		Grace:   s.m.options.RenewGrace,
	}
	if s.view != nil {
		c.fence = s.fenceLocked()
		c.change.Sync = c.fence.up
	} else {
		begun := s.draft
		c.change.Sync = begun.Login > 0 // a login holds when its answer leaves
		c.change.Apply = func(r *record.Record) error {
			r.Created, r.Deadline, r.IdleTimeout = begun.Created, begun.Deadline, c.m.options.IdleTimeout
			return c.apply(r)
		}
	}
	return c
}

func (s *Session) roomForCommitLocked() *commit {
	if s.first == nil || s.first.used {
		return new(commit)
	}
	s.first.used = true
	return &s.first.commit
}

func (s *Session) opsLocked() []op { return s.ops[:len(s.ops):len(s.ops)] }

func newCommitID() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// apply makes r, whatever the newest record is, into the one to store.
func (c *commit) apply(r *record.Record) error {
	if err := c.fence.check(); err != nil {
		return err
	}
	r.AppVersion = c.m.options.AppVersion
	if c.base == nil || r.SameState(c.base.Record) {
		return replay(c.ops, r)
	}
	c.late.Store(true)
	if c.fence.up {
		return ErrLockLost
	}
	base := c.base.Record
	if r.Owner != base.Owner || r.Login != base.Login {
		return ErrConflict // the session has changed hands
	}
	c.m.counts.replays.Add(1)
	c.m.counts.overwritten.Add(overwritten(c.ops, base, r))
	if c.decide != nil {
		if err := c.decideAgain(r); err != nil {
			return err
		}
	}
	return replay(c.ops, r)
}

// overwritten counts the sets among ops that replace what another request has
// set since base.
func overwritten(ops []op, base, newer *record.Record) (n uint64) {
	for i := range ops {
		if ops[i].kind != opSet {
			continue
		}
		name := ops[i].attr.Name
		before, _ := base.Get(name)
		if now, _ := newer.Get(name); !same(before, now) {
			n++
		}
	}
	return n
}

// Commit stores what this request changed, now: afterwards the session shows
// what was stored. Without changes it does nothing. The middleware commits
// before the response header leaves; after a Commit that failed it leaves it
// to the handler to call Commit again, unless the session was changed since.
func (s *Session) Commit() error {
	return s.gated(s.commitGated)
}

// commitGated commits until nothing is left to do: at first perhaps a commit
// whose outcome is unknown, then what came after it.
func (s *Session) commitGated() error {
	for {
		c := s.nextCommit()
		if c == nil {
			return nil
		}
		if err := s.run(c); err != nil {
			return s.fail(err)
		}
	}
}

// commitAtEndGated is the middleware's commit. It does not try again what the
// handler's own Commit failed to do: the handler has answered for that, and a
// change must not be stored behind an answer that says it was not.
func (s *Session) commitAtEndGated() error {
	s.mu.Lock()
	given := s.commitFailed
	s.mu.Unlock()
	if given {
		return nil
	}
	return s.commitGated()
}

func (s *Session) nextCommit() *commit {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.uncertain != nil:
		return s.uncertain
	case len(s.ops) == 0 && s.renewTo == "":
		return nil
	}
	return s.newCommitLocked()
}

// run commits c and takes note of what came of it.
func (s *Session) run(c *commit) error {
	if err := s.cookiePossible(c); err != nil {
		return err
	}
	view, err := s.store(c)
	if err != nil {
		s.notCommitted(c, err)
		return err
	}
	s.committed(c, view)
	return nil
}

// notCommitted keeps a commit whose outcome is unknown, so that the next one
// finds out instead of doing it twice.
func (s *Session) notCommitted(c *commit, err error) {
	s.mu.Lock()
	s.uncertain, s.commitFailed = nil, true
	switch {
	case c.foreign == nil && errors.Is(err, ErrUnknownOutcome):
		s.uncertain = c
	case errors.Is(err, ErrDestroyed), errors.Is(err, ErrRenewed):
		s.renewTo = ""
	case errors.Is(err, ErrLockLost):
		s.m.counts.fenced.Add(1)
	}
	outdated := c.decide != nil && s.uncertain == nil
	s.mu.Unlock()
	if outdated { // it may not be stored later: then it would hold no more
		s.forget(c.given, len(c.ops))
	}
}

// committed makes view what the request sees.
func (s *Session) committed(c *commit, view *store.View) {
	s.m.counts.commits.Add(1)
	s.mu.Lock()
	s.uncertain, s.commitFailed = nil, false
	if s.renewTo.Secret() == c.change.RenewTo { // else it was asked for after c was made
		s.renewTo = ""
	}
	s.view, s.ops = view, s.ops[len(c.ops):]
	if mode := s.m.options.Locking.Mode; c.base == nil && (mode == LockAll || mode == LockAuto) {
		s.lock.fenced = true // without a lock: nobody else knew the session until now
	}
	renewed := c.change.RenewTo != "" && !view.Aliased
	if renewed {
		s.token.id = ID(c.change.RenewTo)
	}
	s.grantLocked(view, c.base == nil || renewed)
	s.prolongCookieLocked(view, beganGrain(view))
	if s.m.local != nil && s.out != nil && c.late.Load() {
		s.out.repeatCookie() // another server's memory may be old now: the browser is to come back to this one
	}
	id := s.token.id
	s.mu.Unlock()

	s.m.seen.note(id, view, nil) // storing a session extends its life, too
	s.tellCommit(c, view.Record, id, renewed)
	s.redraft()
}
