package staging

import (
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

// do sends r for op, and notes in the history what came of it.
func (c *check) do(s *session, p presented, op history.Op, r request) history.Op {
	struck := c.struck.Load()
	r.cookie = p.cookie
	a := c.send(r)
	op.Session, op.Server, op.Outcome, op.Former = s.name, a.server, a.outcome(r), p.former
	op.Span = history.Span{Start: p.at, End: c.now()}
	if a.strange() {
		c.seen.Lost("session %s: %s was answered %d by %s: %.200s", s.name, op.Kind, a.status, a.server, a.body)
	}
	if op.Outcome == history.Accepted {
		op.Missing = a.missing(r, changesID(op.Kind))
		if op.Missing && !p.former && c.drop(s) {
			return op // nobody can tell whether that is right
		}
		op.Span.End = c.accepted(s, p, op, a, struck)
	}
	c.meter.add(string(op.Kind), sample{op.Span, op.Outcome})
	c.note(op, a, c.promises(s, p, op))
	return op
}

// promises reports whether the answer says what is stored. In sticky modes a request
// with an id from before may be answered for a while from the memory of the server that
// it names: a read, and with asynchronous backup a change that is made again later.
func (c *check) promises(s *session, p presented, op history.Op) bool {
	fromMemory := c.Mode.Sticky && op.Kind == history.Read || c.Mode.Async && !changesID(op.Kind)
	return op.Missing || !fromMemory || !s.isFormer(p)
}

func changesID(k history.Kind) bool {
	return k == history.Begin || k == history.Login || k == history.Renew
}

// accepted has the session learn what the answer says of it, and returns when it knew.
func (c *check) accepted(s *session, p presented, op history.Op, a answer, struck int64) time.Duration {
	if !op.Missing {
		s.use(p.at, struck)
		return s.learn(p, a.cookie, changesID(op.Kind), c.now)
	}
	now := c.now()
	// Unless another request is just giving it another id, or has.
	if !p.former && idOf(s.present(c.now).cookie) == idOf(p.cookie) && s.changing.TryLock() {
		s.end()
		s.changing.Unlock()
	}
	return now
}

// note adds op, and whatever else the answer says, to the history.
func (c *check) note(op history.Op, a answer, promised bool) {
	switch {
	case op.Outcome == history.Accepted && !promised:
		op.Outcome = history.Unknown
	case op.Kind == history.Read && op.Outcome == history.Accepted && !op.Missing:
		c.noteRead(op, a.view())
		return
	case op.Kind == history.Update:
		op.Value = a.counted()
	}
	c.seen.Add(op)
}

// noteRead adds a read of each key.
func (c *check) noteRead(op history.Op, v view) {
	op.Owner = v.Owner
	for _, key := range append(registers(), counter) {
		op.Key, op.Value = key, v.attribute(key)
		c.seen.Add(op)
	}
}
