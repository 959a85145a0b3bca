package holdfast

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A commit is one change of a request on its way into the store. It is kept
// until its outcome is known.
type commit struct {
	s    *Session
	id   ID
	base *store.View // what the ops were made on; nil: the session is created
	ops  []op

	// decide is the function given to Do, which makes all ops after the first
	// given: on a newer record they are made again.
	decide  func(*Session) error
	given   int
	foreign error // of decide, when it ran again

	change store.Change
}

// newCommitLocked makes a commit of all ops of s. While it is under way they
// only grow behind those that it has, since gate is held.
func (s *Session) newCommitLocked() *commit {
	c := &commit{s: s, id: s.token.id, base: s.view, ops: s.opsLocked()}
	c.change = store.Change{
		Commit:  newCommitID(),
		Apply:   c.apply,
		RenewTo: s.renewTo.Secret(),
		Grace:   s.m.options.RenewGrace,
	}
	if s.view == nil {
		begun := s.draft
		c.base = nil
		c.change.Apply = func(r *record.Record) error {
			r.Created, r.Deadline, r.IdleTimeout = begun.Created, begun.Deadline, s.m.options.IdleTimeout
			return c.apply(r)
		}
	}
	return c
}

func (s *Session) opsLocked() []op { return s.ops[:len(s.ops):len(s.ops)] }

func newCommitID() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// apply makes r, whatever the newest record is, into the one to store.
func (c *commit) apply(r *record.Record) error {
	r.AppVersion = c.s.m.options.AppVersion
	if c.base == nil || r.Revision == c.base.Record.Revision {
		return replay(c.ops, r)
	}
	// Somebody else was faster.
	base := c.base.Record
	if r.Owner != base.Owner || r.Login != base.Login {
		return ErrConflict // the session has changed hands
	}
	c.s.m.counts.replays.Add(1)
	c.s.m.counts.overwritten.Add(overwritten(c.ops, base, r))
	if c.decide != nil {
		if err := c.decideAgain(r); err != nil {
			return err
		}
	}
	return replay(c.ops, r)
}

// decideAgain runs the function given to Do on the newer record r, with the ops
// from before it applied.
func (c *commit) decideAgain(r *record.Record) error {
	draft := r.Clone()
	if err := replay(c.ops[:c.given], draft); err != nil {
		return err
	}
	c.s.setDraft(draft, c.ops[:c.given:c.given])
	c.ops, c.foreign = c.s.decide(c.decide)
	return c.foreign
}

func (s *Session) setDraft(draft *record.Record, ops []op) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draft, s.ops = draft, ops
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
// to the handler to call Commit again.
func (s *Session) Commit() error {
	return s.gated(s.commitGated)
}

// gated runs work while gate is held, and then the hooks of what happened.
func (s *Session) gated(work func() error) error {
	if s.m == nil {
		return ErrNoSession
	}
	if s.insideDo() {
		return s.fail(errInsideDo)
	}
	err := s.underGate(work)
	s.tell()
	return err
}

func (s *Session) insideDo() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inDo
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

// cookiePossible refuses a commit that needs a cookie when none can be sent any more.
func (s *Session) cookiePossible(c *commit) error {
	if c.base != nil && c.change.RenewTo == "" {
		return nil
	}
	if s.out == nil {
		return fmt.Errorf("%w: outside of a request nobody gets the cookie with a new id", ErrTooLate)
	}
	if !s.out.canSetCookie() {
		return fmt.Errorf("%w: begin or renew a session before the first byte of the response", ErrTooLate)
	}
	return nil
}

// notCommitted keeps a commit whose outcome is unknown, so that the next one
// finds out instead of doing it twice.
func (s *Session) notCommitted(c *commit, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uncertain, s.commitFailed = nil, true
	switch {
	case errors.Is(err, ErrUnknownOutcome):
		s.uncertain = c
	case errors.Is(err, ErrDestroyed), errors.Is(err, ErrRenewed):
		s.renewTo = ""
	}
}

// committed makes view what the request sees.
func (s *Session) committed(c *commit, view *store.View) {
	s.m.counts.commits.Add(1)
	s.mu.Lock()
	s.uncertain, s.renewTo, s.commitFailed = nil, "", false
	s.view, s.draft = view, nil
	s.ops = s.ops[len(c.ops):]
	renewed := c.change.RenewTo != "" && !view.Aliased
	if renewed {
		s.token.id = ID(c.change.RenewTo)
	}
	s.grantLocked(view, c.base == nil || renewed)
	rest, id := s.opsLocked(), s.token.id
	s.mu.Unlock()

	s.tellCommit(c, view.Record, id, renewed)
	if len(rest) > 0 { // of another goroutine of this request, made meanwhile
		draft := view.Record.Clone()
		s.keep(replay(rest, draft))
		s.setDraft(draft, s.ops)
	}
}

// grantLocked has the response set the cookie if the id is new, or its hint wrong.
func (s *Session) grantLocked(view *store.View, newID bool) {
	if s.out == nil || view.Aliased {
		return
	}
	home := homeOf(view.Record)
	if newID || home != s.token.node {
		s.token.node, s.token.route = home, s.m.options.Route
		s.out.sendCookie()
	}
}

func homeOf(r *record.Record) string {
	if len(r.Members) == 0 {
		return ""
	}
	return r.Members[0]
}

// Do runs fn, a read, a decision and the changes that follow from it, and
// commits. When another request was faster, fn runs again on the newer session,
// so that its decision holds for what is stored. It must do nothing that cannot
// be done twice, and not call Commit, Do, Refresh, Login, Renew or Destroy. An error of
// fn is returned, and what fn changed is forgotten.
func (s *Session) Do(fn func(*Session) error) error {
	if err := s.load(); err != nil {
		return s.fail(err)
	}
	return s.gated(func() error { return s.doGated(fn) })
}

func (s *Session) doGated(fn func(*Session) error) error {
	if err := s.settleGated(); err != nil {
		return err
	}
	before := s.pendingOps()
	ops, foreign := s.decide(fn)
	if foreign != nil {
		s.forget(before)
		return foreign
	}
	if len(ops) == 0 {
		return nil
	}
	s.mu.Lock()
	c := s.newCommitLocked()
	s.mu.Unlock()
	c.decide, c.given = fn, before
	err := s.run(c)
	if c.foreign != nil && errors.Is(err, c.foreign) {
		s.forget(before)
		s.setCommitFailed(false) // fn decided so; nothing failed
		return c.foreign
	}
	return s.fail(err)
}

func (s *Session) setCommitFailed(failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commitFailed = failed
}

// settleGated finds out what became of a commit with an unknown outcome, before
// anybody decides on what it may have changed.
func (s *Session) settleGated() error {
	s.mu.Lock()
	c := s.uncertain
	s.mu.Unlock()
	if c == nil {
		return nil
	}
	return s.fail(s.run(c))
}

func (s *Session) pendingOps() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ops)
}

// decide runs fn, which may read and change the session but not commit, and returns
// all ops after it.
func (s *Session) decide(fn func(*Session) error) ([]op, error) {
	s.setInDo(true)
	defer s.setInDo(false)
	err := fn(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opsLocked(), err
}

func (s *Session) setInDo(in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inDo = in
}

// forget drops all ops but the first n.
func (s *Session) forget(n int) {
	s.mu.Lock()
	kept, view := s.ops[:n:n], s.view
	s.mu.Unlock()
	if view == nil && n == 0 {
		s.reset()
		return
	}
	draft := s.m.newRecord()
	if view != nil {
		draft = view.Record.Clone()
	}
	s.keep(replay(kept, draft))
	s.setDraft(draft, kept)
}

// reset forgets a session that was begun and not stored.
func (s *Session) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.begun, s.token = nothing, false, token{}
	s.view, s.draft, s.ops = nil, nil, nil
	s.uncertain, s.renewTo, s.commitFailed = nil, "", false
}

// Refresh shows the session as it is stored now, with what this request has
// changed and not committed on top, and extends its life. It is for requests that
// go on for long, such as WebSockets.
func (s *Session) Refresh() error {
	if err := s.load(); err != nil {
		return s.fail(err)
	}
	return s.gated(s.refreshGated)
}

func (s *Session) refreshGated() error {
	if err := s.settleGated(); err != nil {
		return err
	}
	s.mu.Lock()
	stored, t := s.view != nil, s.token
	s.mu.Unlock()
	if !stored {
		return nil
	}
	view, err := s.fetch(t)
	if errors.Is(err, store.ErrNotFound) {
		return s.fail(fmt.Errorf("%w: %w", ErrNoSession, err))
	}
	if err != nil {
		return s.fail(err)
	}
	s.mu.Lock()
	s.view, s.draft = view, nil
	ops := s.opsLocked()
	s.mu.Unlock()
	if len(ops) > 0 {
		s.forget(len(ops))
	}
	return nil
}
