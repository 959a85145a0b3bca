package sticky

import (
	"context"
	"errors"

	"github.com/holdfast-sessions/holdfast/store"
)

// Destroy is that of store.Backend. It waits for the nodes in every mode: a logout
// that this server alone knows of would be undone by its end.
func (s *Sessions) Destroy(ctx context.Context, base *store.View) error {
	key := base.Key
	if !s.turns.Take(ctx, key) {
		return tookTooLong(ctx)
	}
	defer s.turns.Give(key)
	l := s.find(key)
	if l != nil {
		known, err := s.forget(ctx, key, l)
		if err != nil || !known {
			return err
		}
	}
	view := s.belowOf(key, l, base)
	switch {
	case base.Seen != nil:
		view = base // it was not in memory, or reached through a former id
	case view == nil:
		view = s.belowOf(key, nil, base) // the nodes have refused what is in memory
	}
	err := s.below.Destroy(ctx, view)
	s.noteBelow(err)
	if err == nil || !errors.Is(err, store.ErrUnavailable) {
		s.dropIf(key, l)
		if err == nil {
			s.ended.note(key, view.Record.IdleTimeout)
		}
		return err
	}
	doubt(l)
	return err
}

// forget drops l if the nodes do not know of it, and reports whether they do. A creation
// that may be on its way comes first, so that it is known what there is to end.
func (s *Sessions) forget(ctx context.Context, key string, l *session) (known bool, err error) {
	l.mu.Lock()
	stored := l.hot == nil || l.hot.stored != nil
	begun := !stored && l.hot.sending != nil
	l.mu.Unlock()
	if begun {
		if err := s.sendTurned(ctx, key, l); errors.Is(err, store.ErrUnavailable) {
			return true, err
		}
		return true, nil
	}
	if !stored {
		s.drop(key, l)
	}
	return stored, nil
}
