package holdfast

import (
	"errors"
	"fmt"
	"slices"

	"github.com/holdfast-sessions/holdfast/record"
)

// currentLocked returns the record as this request sees it; nil when there is no
// session.
func (s *Session) currentLocked() *record.Record {
	switch {
	case s.draft != nil:
		return s.draft
	case s.view != nil:
		return s.view.Record
	}
	return nil
}

// peek calls read with the record as this request sees it, if there is a
// session. An error is kept in s.err.
func (s *Session) peek(read func(*record.Record)) {
	if err := s.load(); err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.currentLocked(); r != nil {
		read(r)
	}
}

// do applies o to what the request sees and notes it for the commit. It begins
// a session when there is none. Its error is kept already, but for errOutrun.
func (s *Session) do(o op) error {
	if err := s.load(); err != nil {
		return err
	}
	s.mu.Lock()
	err := s.doLocked(o)
	s.mu.Unlock()
	if err == errOutrun {
		return err
	}
	return s.fail(err)
}

func (s *Session) doLocked(o op) error {
	switch {
	case s.over:
		return errRequestOver
	case s.inDo && o.kind == opLogin:
		return errInsideDo
	case s.elsewhere && s.draft == nil && o.kind != opLogin:
		return errElsewhere
	}
	s.draftLocked()
	if o.kind == opUpdate && !o.fits(s.draft) {
		return errOutrun
	}
	if err := o.apply(s.draft); err != nil {
		return err
	}
	if s.first == nil {
		s.first = new(firstChange)
		s.ops = s.first.ops[:0]
	}
	s.ops, s.commitFailed = append(s.ops, o), false
	if o.kind == opLogin {
		s.renewLocked()
	}
	return nil
}

// errElsewhere: a session that began now would take the place of the one that
// the browser's user has just logged in to.
var errElsewhere = fmt.Errorf("%w: another request has just logged in", ErrRenewed)

// errOutrun: another goroutine of the request has changed the attribute that an
// update was made of.
var errOutrun = errors.New("changed by another goroutine of this request")

var errRequestOver = fmt.Errorf("%w: the request is over; use Manager.With", ErrTooLate)

// draftLocked makes sure that there is a draft to change.
func (s *Session) draftLocked() {
	if s.draft != nil {
		return
	}
	if s.view != nil {
		s.draft = s.view.Record.Clone()
		return
	}
	s.token = token{id: newID(), route: s.m.options.Route}
	s.draft = s.m.newRecord()
	s.state, s.begun = present, true
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

func (s *Session) pendingOps() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ops)
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
