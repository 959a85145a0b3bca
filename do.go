package holdfast

import (
	"github.com/holdfast-sessions/holdfast/record"
)

// Do runs fn, a read, a decision and the changes that follow from it, and
// commits. When another request was faster, fn runs again on the newer session,
// so that its decision holds for what is stored. It must do nothing that cannot
// be done twice, and not call Commit, Do, Refresh, Login, Renew or Destroy. An error of
// fn is returned. Whenever Do fails, what fn changed is forgotten; after
// ErrUnknownOutcome the next Commit finds out whether it happened, and else runs
// fn again. Afterwards the session shows what was stored. What fn leaves elsewhere is
// of its last run, which need not be that one, when the answer to an earlier one was
// lost.
func (s *Session) Do(fn func(*Session) error) error {
	if err := s.load(); err != nil {
		return err
	}
	return s.gated(func() error { return s.doGated(fn) })
}

func (s *Session) insideDo() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inDo
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
	c.s, c.decide, c.given = s, fn, before
	c.change.Sync = true // fn must not run behind its request
	err := s.run(c)
	if c.foreign != nil {
		s.setCommitFailed(false) // fn decided so; nothing failed
		return c.foreign
	}
	return s.fail(err)
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

func (s *Session) setCommitFailed(failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commitFailed = failed
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
