package sticky

import (
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// private reports whether the attribute called name never leaves this server.
func (s *Sessions) private(name string) bool {
	return s.options.Filter != nil && !s.options.Filter.MatchString(name)
}

// public is r without private attributes.
func (s *Sessions) public(r *record.Record) *record.Record {
	out := r
	for _, a := range r.Attributes() {
		if !s.private(a.Name) {
			continue
		}
		if out == r {
			out = r.Clone()
		}
		out.Delete(a.Name)
	}
	return out
}

// withPrivate is r with the private attributes of from, which may be nil.
func (s *Sessions) withPrivate(r, from *record.Record) *record.Record {
	if from == nil || s.options.Filter == nil {
		return r
	}
	out := r
	for _, a := range from.Attributes() {
		if !s.private(a.Name) {
			continue
		}
		if out == r {
			out = r.Clone()
		}
		out.Set(a)
	}
	return out
}

// filtered is ch as it is sent, and what makes a record that came of it into the one
// that this server sees.
func (s *Sessions) filtered(key string, ch *store.Change, l *session) (full func(*record.Record) *record.Record, sent *store.Change) {
	if s.options.Filter == nil {
		return func(r *record.Record) *record.Record { return r }, ch
	}
	var private *record.Record
	if l != nil {
		private = l.peek(s, key)
	}
	c := *ch
	c.Apply = func(r *record.Record) error {
		whole := s.withPrivate(r, private).Clone()
		if err := ch.Apply(whole); err != nil {
			return err
		}
		private = whole
		*r = *s.public(whole)
		return nil
	}
	return func(r *record.Record) *record.Record { return s.withPrivate(r, private) }, &c
}
