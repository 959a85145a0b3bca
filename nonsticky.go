package holdfast

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/deadline"
	"github.com/holdfast-sessions/holdfast/store"
)

// In non-sticky mode the store is the truth and nothing is kept between
// requests: a session is loaded when it is first used, and what a request
// changed is committed against the version that it loaded.

// fetch loads the session of t, from this server's memory or the store.
func (s *Session) fetch(t token) (*store.View, error) {
	if view := s.m.remembered(t); view != nil {
		s.m.seen.note(t.id, view, nil)
		return view, nil
	}
	return s.fetchBy(s.m.look(t), t)
}

// fetchStored loads the session of t as the store has it, whatever this server
// remembers.
func (s *Session) fetchStored(t token) (*store.View, error) {
	return s.fetchBy(s.m.lookBelow(t), t)
}

// A look is a way to load the session called id, with a hint.
type look func(ctx context.Context, id, hint string) (*store.View, error)

func (s *Session) fetchBy(look look, t token) (view *store.View, err error) {
	err = s.withBudget((*deadline.Context).Begin, func(ctx context.Context) error {
		view, err = look(ctx, t.id.Secret(), t.node)
		return err
	})
	s.m.seen.note(t.id, view, err)
	s.m.memory.noteMiss(t.id, err)
	if gone, ok := errors.AsType[*store.GoneError](err); ok && gone.Ended != nil {
		s.happened(s.m.options.Hooks.Destroyed, Event{ID: t.id, Owner: gone.Ended.Owner, Reason: gone.Reason})
	}
	return view, err
}

// store commits c in this server's memory or the store.
func (s *Session) store(c *commit) (view *store.View, err error) {
	if view, err = s.m.keep(c); view != nil || err != nil {
		return view, err
	}
	// A client that went away must not lose its change.
	err = s.withBudget((*deadline.Context).BeginDetached, func(ctx context.Context) error {
		view, err = s.m.backend.Commit(ctx, c.id.Secret(), c.base, &c.change)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%w: the store has lost it: %w", ErrNoSession, err)
	}
	if !errors.Is(err, ErrUnavailable) { // whether there is a session is known
		s.m.memory.noteMiss(c.id, err)
	}
	return view, err
}

// end destroys the session of view in the store.
func (s *Session) end(view *store.View) error {
	return s.withBudget((*deadline.Context).BeginDetached, func(ctx context.Context) error {
		return s.m.backend.Destroy(ctx, view)
	})
}

// withBudget runs work with what is left of the request's time for session
// work. Once the header has left, a request may go on for hours: each piece of
// work then has the whole time.
func (s *Session) withBudget(begin func(*deadline.Context, context.Context, time.Time), work func(context.Context) error) error {
	if s.out == nil || s.out.goesOn() {
		s.spent = 0
	}
	left := s.m.options.OperationTimeout - s.spent
	if left <= 0 {
		return fmt.Errorf("%w: this request has waited %v for it already", ErrUnavailable, s.spent.Round(time.Millisecond))
	}
	if err := s.m.work.begin(); err != nil {
		return err
	}
	defer s.m.work.end()
	start := time.Now()
	ctx := s.newLimit()
	begin(ctx, s.ctx, start.Add(left))
	defer ctx.End()
	err := work(ctx)
	s.spent += time.Since(start)
	s.m.noteHealth(err)
	return err
}
