package history

import (
	"slices"
	"strings"
	"time"
)

// A lifetime is what a session is between two operations, as far as clients can
// tell: the state of the automaton that decides whether it was there.
type lifetime struct {
	phase phase
	owner string
	valid string // while it is alive: the ids that were given since the last login; the last one is the current one
}

type phase uint8

const (
	unborn phase = iota
	alive
	ended // once and for all
)

// A claim is an operation as the lifetime of its session sees it.
type claim struct {
	op      Op
	sent    []string      // the ids that it may have been sent with
	gives   string        // the id that it gave, of a Login or Renew that was acknowledged
	settled time.Duration // when a change with unknown outcome can no longer do anything; 0: never
	unheard bool          // its answer may tell of a change that vanished with a node: it proves nothing
}

// checkLifetime decides whether a session that begins, is used, and ends once
// explains claims.
func checkLifetime(claims []claim, limit int) error {
	return lifetimes().search(settled(claims), limit)
}

func lifetimes() automaton[lifetime, claim] {
	return automaton[lifetime, claim]{lifetime{}, lifetime.step, claim.when, claim.tells}
}

// when is the time in which c can have happened. A pause that is over at its end
// has ended the session before that.
func (c claim) when() Span {
	span := c.op.Span
	switch {
	case c.op.Outcome == Unknown && c.settled > 0:
		span.End = c.settled
	case c.op.Outcome == Unknown:
		span.End = never
	case c.op.Kind == Expire && span.Start < span.End:
		span.End--
	}
	return span
}

// settled tells of each change with unknown outcome when it does nothing any more,
// whether it has happened or not: its id stopped at a login, or the session has ended.
func settled(claims []claim) []claim {
	claims = slices.Clone(claims)
	for i, c := range claims {
		if c.op.Outcome != Unknown || c.op.Kind == Expire {
			continue
		}
		for _, last := range claims {
			if end := last.when().End; last.final() && last.op.Span.End > c.op.Span.Start && (claims[i].settled == 0 || end < claims[i].settled) {
				claims[i].settled = end
			}
		}
	}
	return claims
}

// final is true when no id from before c is good after it.
func (c claim) final() bool {
	return c.op.done() && !c.unheard && slices.Contains([]Kind{Login, Logout, Expire}, c.op.Kind)
}

// tells is what c demands of the session, if it changes nothing.
func (c claim) tells() string {
	switch {
	case c.op.absent():
		return "absent " + strings.Join(c.sent, "")
	case c.op.changesLifetime():
		return ""
	case c.op.Kind == Read:
		return "owned by " + c.op.Owner + strings.Join(c.sent, "")
	}
	return "there " + strings.Join(c.sent, "")
}

// step is the session after c, and whether c was possible.
func (l lifetime) step(c claim) (after lifetime, possible bool) {
	switch {
	case c.op.Kind == Expire:
		return lifetime{phase: ended}, true
	case c.op.absent():
		return l, !l.certain(c.sent)
	case c.op.Outcome == Unknown || c.unheard:
		return l.perhaps(c), true
	}
	return l.changed(c), l.answers(c)
}

// perhaps is the session after a change that nobody vouches for: it happens where
// it can. If one was acknowledged the session was there, even if it was lost before.
func (l lifetime) perhaps(c claim) lifetime {
	if l.answers(c) || c.op.Outcome == Accepted && l.phase == unborn {
		return l.changed(c)
	}
	return l
}

// answers is true when the session can give the answer of c.
func (l lifetime) answers(c claim) bool {
	switch c.op.Kind {
	case Begin:
		return l.phase != ended
	case Logout:
		return l.phase != alive || l.admits(c.sent)
	case Read:
		return l.admits(c.sent) && l.owner == c.op.Owner
	}
	return l.admits(c.sent)
}

// changed is the session after c has happened.
func (l lifetime) changed(c claim) lifetime {
	switch c.op.Kind {
	case Begin:
		if l.phase == unborn {
			return lifetime{phase: alive, valid: name(0)}
		}
	case Login:
		return lifetime{phase: alive, owner: c.op.Value, valid: c.gives}
	case Renew:
		return lifetime{phase: alive, owner: l.owner, valid: l.valid + c.gives}
	case Logout:
		return lifetime{phase: ended}
	}
	return l
}

// admits is true when one of ids may still be answered: it is the current one, or
// was renewed. How long the grace of a renewed one lasts is not judged.
func (l lifetime) admits(ids []string) bool {
	for _, id := range ids {
		if strings.Contains(l.valid, id) {
			return true
		}
	}
	return false
}

// certain is true when each of ids must be answered.
func (l lifetime) certain(ids []string) bool {
	for _, id := range ids {
		if !strings.HasSuffix(l.valid, id) {
			return false
		}
	}
	return true
}
