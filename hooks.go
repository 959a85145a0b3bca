package holdfast

import (
	"context"
	"runtime/debug"
	"slices"

	"github.com/holdfast-sessions/holdfast/record"
)

// Hooks are functions that a program gives to learn what happens to sessions.
// They run in the request that made it happen, after it is stored, or behind it if
// it does not use its session. One that panics is recovered, logged and counted.
// Each may be nil.
type Hooks struct {
	// Created: a session was stored for the first time. Once per session.
	Created func(context.Context, Event)
	// Destroyed: a session ended, for Event.Reason. Once per session and only when
	// a request met its end: a session that nobody asks for again vanishes from
	// the store in silence.
	Destroyed func(context.Context, Event)
	// Renewed: a session got the id Event.ID in place of Event.FormerID.
	Renewed func(context.Context, Event)
	// Changed: the attribute Event.Attribute was set, updated or deleted. Once per
	// attribute and commit.
	Changed func(context.Context, Event)
}

// An Event is one thing that happened to a session.
type Event struct {
	ID        ID
	FormerID  ID     // Renewed
	Owner     string // as given to Login
	Attribute string // Changed
	Reason    Reason // Destroyed
}

// A Reason says why a session ended.
type Reason = record.Reason

// The reasons.
const (
	Logout   = record.Logout   // Session.Destroy
	Idle     = record.Idle     // unused for its idle timeout
	Absolute = record.Absolute // past its absolute deadline
)

// A happening is an event on its way to its hook.
type happening struct {
	Event
	hook func(context.Context, Event)
}

// happened notes e for hook, to be told when no lock is held.
func (s *Session) happened(hook func(context.Context, Event), e Event) {
	if hook == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, happening{e, hook})
}

// tellCommit notes the events of a commit.
func (s *Session) tellCommit(c *commit, r *record.Record, id ID, renewed bool) {
	hooks := &s.m.options.Hooks
	if c.base == nil {
		s.m.counts.created.Add(1)
		s.happened(hooks.Created, Event{ID: id, Owner: r.Owner})
	}
	if renewed {
		s.m.counts.renewed.Add(1)
		s.m.memory.note(c.id, "renewed", "it got another id")
		s.happened(hooks.Renewed, Event{ID: id, FormerID: c.id, Owner: r.Owner})
	}
	if hooks.Changed == nil {
		return
	}
	for _, name := range c.changed() {
		s.happened(hooks.Changed, Event{ID: id, Owner: r.Owner, Attribute: name})
	}
}

// changed returns the names of the attributes that c has changed, each once.
func (c *commit) changed() []string {
	var names []string
	for i := range c.ops {
		switch o := &c.ops[i]; {
		case o.attr.Name != "":
			names = append(names, o.attr.Name)
		case o.kind == opClear && c.base != nil:
			for _, a := range c.base.Record.Attributes() {
				names = append(names, a.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// tell runs the hooks of what happened.
func (s *Session) tell() {
	s.mu.Lock()
	events := s.events
	s.events = nil
	s.mu.Unlock()
	for _, e := range events {
		s.m.runHook(s.ctx, e)
	}
}

func (m *Manager) runHook(ctx context.Context, e happening) {
	defer func() {
		if p := recover(); p != nil {
			m.counts.hookPanics.Add(1)
			m.options.Logger.Error("a session hook panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	e.hook(ctx, e.Event)
}
