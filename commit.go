package holdfast

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

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
	later := c.s.startOver(c, draft)
	defer c.s.goOn(later)
	c.ops, c.foreign = c.s.decide(c.decide, c.given)
	return c.foreign
}

// startOver shows draft, which has the ops from before the decision of c, and
// returns the ops from after it. If the outcome of c was unknown, it is known
// now: it did not happen.
func (s *Session) startOver(c *commit, draft *record.Record) (later []op) {
	s.mu.Lock()
	defer s.mu.Unlock()
	later = s.ops[len(c.ops):]
	s.draft, s.ops, s.uncertain = draft, c.ops[:c.given:c.given], nil
	return later
}

func (s *Session) goOn(later []op) {
	if len(later) == 0 {
		return
	}
	s.mu.Lock()
	s.ops = append(s.ops, later...)
	s.mu.Unlock()
	s.redraft()
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
	s.uncertain, s.commitFailed = nil, true
	switch {
	case c.foreign == nil && errors.Is(err, ErrUnknownOutcome):
		s.uncertain = c
	case errors.Is(err, ErrDestroyed), errors.Is(err, ErrRenewed):
		s.renewTo = ""
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
	renewed := c.change.RenewTo != "" && !view.Aliased
	if renewed {
		s.token.id = ID(c.change.RenewTo)
	}
	s.grantLocked(view, c.base == nil || renewed)
	s.prolongCookieLocked(view, beganGrain(view))
	id := s.token.id
	s.mu.Unlock()

	s.tellCommit(c, view.Record, id, renewed)
	s.redraft()
}

// redraft makes the draft anew after view or ops have changed. Updates may run
// again, so mu is not held meanwhile; another goroutine of the request may add
// to ops, and then it begins again.
func (s *Session) redraft() {
	for {
		s.mu.Lock()
		view, ops := s.view, s.opsLocked()
		s.mu.Unlock()
		var draft *record.Record
		if len(ops) > 0 {
			draft = s.m.newRecord()
			if view != nil {
				draft = view.Record.Clone()
			}
			s.keep(replay(ops, draft))
		}
		if s.setDraft(draft, len(ops)) {
			return
		}
	}
}

// setDraft reports whether draft, which has n ops applied, has all of them.
func (s *Session) setDraft(draft *record.Record, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ops) != n {
		return false
	}
	s.draft = draft
	return true
}

// grantLocked has the response set the cookie if the id is new, or its hint wrong.
func (s *Session) grantLocked(view *store.View, newID bool) {
	if s.out == nil || view.Aliased {
		return
	}
	home := homeOf(view.Record)
	if newID || home != s.token.node {
		s.token.node, s.token.route = home, s.m.options.Route
		if newID {
			s.out.sendCookie()
		}
		s.out.repeatCookie()
	}
}

// prolongCookieLocked has the response send a lasting cookie again when this
// request has extended the session's life.
func (s *Session) prolongCookieLocked(view *store.View, extended bool) {
	if extended && s.out != nil && view.Record.Persistent {
		s.out.repeatCookie()
	}
}

// beganGrain reports whether the commit that made view is the first one in its
// sixteenth of the idle timeout. Commits extend the life without any read seeing it.
func beganGrain(view *store.View) bool {
	r := view.Record
	grain := r.IdleTimeout / grains
	return grain > 0 && view.LastAccessed.Sub(r.Created)/grain != r.LastAccessed.Sub(r.Created)/grain
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
		return err
	}
	return s.gated(func() error { return s.doGated(fn) })
}

func (s *Session) doGated(fn func(*Session) error) error {
	if err := s.settleGated(); err != nil {
		return err
	}
	before := s.pendingOps()
	ops, foreign := s.decide(fn, before)
	if foreign != nil {
		s.forget(before, len(ops))
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
	if c.foreign != nil {
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

// needsNewID reports whether the next commit gives the session a new id.
func (s *Session) needsNewID() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renewTo != "" || s.view == nil && len(s.ops) > 0
}

// decide runs fn, which may read and change the session but not commit, and returns
// all ops after it. When fn panics it forgets the ops after the first given.
func (s *Session) decide(fn func(*Session) error, given int) (ops []op, err error) {
	s.setInDo(true)
	decided := false
	defer func() {
		s.setInDo(false)
		if !decided {
			s.forget(given, s.pendingOps())
		}
	}()
	err = fn(s)
	decided = true
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opsLocked(), err
}

func (s *Session) setInDo(in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inDo = in
}

// forget drops ops[from:to].
func (s *Session) forget(from, to int) {
	s.mu.Lock()
	s.ops = slices.Concat(s.ops[:from], s.ops[to:])
	unmade := s.view == nil && len(s.ops) == 0
	if unmade {
		s.resetLocked()
	}
	s.mu.Unlock()
	if !unmade {
		s.redraft()
	}
}

// reset forgets a session that was begun and not stored, or ended.
func (s *Session) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resetLocked()
}

func (s *Session) resetLocked() {
	s.state, s.begun, s.token = nothing, false, token{}
	s.view, s.draft, s.ops = nil, nil, nil
	s.uncertain, s.renewTo, s.commitFailed = nil, "", false
}

// Refresh shows the session as it is stored now, with what this request has
// changed and not committed on top, and extends its life. It is for requests that
// go on for long: a stream that reads refreshes, a WebSocket that commits its
// changes has no need to. Its error is the caller's to answer for, as one of Err;
// with ErrNoSession the session has ended.
func (s *Session) Refresh() error {
	err := s.load()
	if err == nil {
		err = s.gated(s.refreshGated)
	}
	s.looked(err)
	return err
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
	s.view = view
	s.mu.Unlock()
	s.redraft()
	return nil
}
