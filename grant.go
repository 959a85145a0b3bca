package holdfast

import (
	"fmt"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

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

// needsNewID reports whether the next commit gives the session a new id.
func (s *Session) needsNewID() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renewTo != "" || s.view == nil && len(s.ops) > 0
}

// grantLocked has the response set the cookie if the id is new, its hint wrong,
// or its MAC outdated.
func (s *Session) grantLocked(view *store.View, newID bool) {
	if s.out == nil || view.Aliased {
		return
	}
	home := homeOf(view.Record)
	taken := s.m.local != nil && s.token.route != s.m.options.Route // by this server, from another
	if newID || home != s.token.node || s.token.outdated || taken {
		s.token.node, s.token.route, s.token.outdated = home, s.m.options.Route, false
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
	grain := placement.Grain(r.IdleTimeout)
	return grain > 0 && view.LastAccessed.Sub(r.Created)/grain != r.LastAccessed.Sub(r.Created)/grain
}

func homeOf(r *record.Record) string {
	if len(r.Members) == 0 {
		return ""
	}
	return r.Members[0]
}
