package holdfast

import (
	"bytes"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
)

// An op is one change that a request made to its session. It is applied to
// what the request sees, and once more to the stored record by the commit;
// after a conflict that is a newer record than the request has seen.
type op struct {
	kind kind
	attr record.Attribute // set, remove (the name), update (what it made)
	from record.Attribute // update: what it was made of; Name "": of nothing
	// again runs an update on another value than from, or a change that is not of
	// an attribute.
	again func(*record.Record) error
}

type kind uint8

const (
	opSet kind = iota
	opRemove
	opUpdate
	opClear
	opSettings // idle timeout, persistence: all in again
	opLogin    // owner: in again
)

func (o *op) apply(r *record.Record) error {
	switch o.kind {
	case opSet:
		r.Set(o.attr)
	case opRemove:
		r.Delete(o.attr.Name)
	case opUpdate:
		if !o.fits(r) {
			return o.again(r)
		}
		r.Set(o.attr) // the user's function has seen this very value
	case opClear:
		r.Clear()
	case opSettings, opLogin:
		return o.again(r)
	}
	return nil
}

// fits reports whether r holds the value that an update was made of.
func (o *op) fits(r *record.Record) bool {
	a, _ := r.Get(o.attr.Name)
	return same(a, o.from)
}

func same(a, b record.Attribute) bool {
	return a.Name == b.Name && a.Codec == b.Codec && bytes.Equal(a.Value, b.Value)
}

// replay applies ops to r.
func replay(ops []op, r *record.Record) error {
	for i := range ops {
		if err := ops[i].apply(r); err != nil {
			return err
		}
	}
	return nil
}

// Clear removes all attributes. The session itself stays.
func (s *Session) Clear() {
	any := false
	s.peek(func(r *record.Record) { any = len(r.Attributes()) > 0 })
	if any {
		_ = s.do(op{kind: opClear})
	}
}

// SetIdleTimeout makes this session live d after its last use; zero or less:
// for ever.
func (s *Session) SetIdleTimeout(d time.Duration) {
	_ = s.do(op{kind: opSettings, again: func(r *record.Record) error {
		r.IdleTimeout = max(d, 0)
		return nil
	}})
}

// Persist makes the browser keep the session over its own restart ("remember
// me"), and the session live idle after its last use (zero or less: for ever).
func (s *Session) Persist(idle time.Duration) {
	err := s.do(op{kind: opSettings, again: func(r *record.Record) error {
		r.Persistent, r.IdleTimeout = true, max(idle, 0)
		return nil
	}})
	if err == nil && s.out != nil && !s.out.sendCookie() {
		s.keep(fmt.Errorf("%w: the browser cannot be told to keep the cookie", ErrTooLate))
	}
}

// keep is fail for methods without a result.
func (s *Session) keep(err error) { _ = s.fail(err) }
