package holdfast

import "github.com/holdfast-sessions/holdfast/record"

// Login notes owner as the session's user and gives the session a new id when
// the request commits, beginning a session if there is none. The former id
// finds nothing from then on, and commits of requests that began before fail
// with ErrRenewed: whoever planted the former id in the browser gains nothing.
func (s *Session) Login(owner string) error {
	return s.do(op{kind: opLogin, again: func(r *record.Record) error {
		r.Owner = owner
		r.Login++
		return nil
	}})
}

// Renew gives the session a new id when the request commits. For
// Options.RenewGrace the former id still finds the session, so that requests
// sent at the same moment are not logged out; none of them gets the new id.
// Without a session it does nothing.
func (s *Session) Renew() error {
	if err := s.load(); err != nil {
		return err
	}
	return s.fail(s.willRenew())
}

func (s *Session) willRenew() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
		return errRequestOver
	case s.inDo:
		return errInsideDo
	}
	s.renewLocked()
	return nil
}

// renewLocked has the next commit move the session to a new id. A session that is
// not stored yet has one that nobody knows.
func (s *Session) renewLocked() {
	if s.view != nil && s.renewTo == "" {
		s.renewTo, s.commitFailed = newID(), false
	}
}

// Destroy ends the session for good, now: no request under way and no copy
// brings it back. What this request changed and did not commit is forgotten; what
// it sets afterwards begins a new session. Without a session it does nothing.
func (s *Session) Destroy() error {
	if err := s.load(); err != nil {
		return err
	}
	return s.gated(s.destroyGated)
}

func (s *Session) destroyGated() error {
	s.mu.Lock()
	view, id := s.view, s.token.id
	moved := s.uncertain != nil && (view == nil || s.renewTo != "")
	s.mu.Unlock()
	if moved { // perhaps it was created or renewed: find out what there is to destroy
		if err := s.settleGated(); err != nil {
			return err
		}
		return s.destroyGated()
	}
	if view == nil {
		s.reset()
		return nil
	}
	if err := s.end(view); err != nil {
		return s.fail(err)
	}
	s.reset()
	if s.out != nil {
		s.out.dropCookie()
	}
	s.m.counts.destroyed.Add(1)
	s.m.memory.note(id, "ended", record.Logout.String())
	s.happened(s.m.options.Hooks.Destroyed, Event{ID: id, Owner: view.Record.Owner, Reason: record.Logout})
	return nil
}
