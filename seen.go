package holdfast

import (
	"context"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/recent"
	"github.com/holdfast-sessions/holdfast/store"
)

// seen remembers which sessions this server has extended lately, so that a
// request that does not use its session extends it too, and hardly ever asks
// the store for that.
type seen struct {
	mu   sync.Mutex
	next *recent.Map[ID, time.Time] // when to extend; guarded by mu
}

const (
	maxSeen       = 1 << 18 // of each of the two generations
	minKeep       = time.Second
	defaultKeep   = 5 * time.Minute // where sessions do not end by being idle
	unknownForget = 5 * time.Second // until an unknown id is looked for again
)

func newSeen(idle time.Duration) *seen {
	keep := defaultKeep
	if idle > 0 {
		keep = max(placement.Grain(idle), minKeep)
	}
	return &seen{next: recent.New[ID, time.Time](maxSeen, keep)}
}

// note remembers what came of loading id.
func (s *seen) note(id ID, view *store.View, err error) {
	next := unknownForget
	switch {
	case err == nil && view.Record.IdleTimeout > 0:
		next = placement.Grain(view.Record.IdleTimeout)
	case err == nil:
		next = defaultKeep
	}
	if err == nil && !view.Record.Deadline.IsZero() {
		next = min(next, time.Until(view.Record.Deadline)) // to meet its end
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next.Put(id, time.Now().Add(next))
}

// due reports whether id should be extended now. Of requests that come at the
// same time one is told so.
func (s *seen) due(id ID) bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if next, _ := s.next.Get(id); now.Before(next) {
		return false
	}
	s.next.Put(id, now.Add(unknownForget)) // until note knows better
	return true
}

// extendUnused extends the life of a session that its request did not use.
// Nobody waits for it: loading a session extends it.
func (m *Manager) extendUnused(s *Session) {
	if s.used() {
		return
	}
	for _, t := range m.transport.presented(nil, s.req) {
		if m.seen.due(t.id) {
			m.behind(func(ctx context.Context) {
				m.extendOne(ctx, t)
			})
		}
	}
}

// extendOne loads a session, which extends its life.
func (m *Manager) extendOne(ctx context.Context, t token) {
	if m.local != nil && t.route != m.options.Route {
		_, _ = m.cluster.Load(ctx, t.id.Secret(), t.node) // without a take-over: this server was not needed for it
		return
	}
	s := &Session{m: m, ctx: ctx}
	_, _ = s.fetch(t) // who uses the session next gets the error
	s.tell()
}

func (s *Session) used() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state != unloaded
}

// maxBehind bounds what runs behind requests, which a request that comes later does again.
const maxBehind = 64

// behind runs job without making anybody wait.
func (m *Manager) behind(job func(context.Context)) {
	if m.extending.Add(1) > maxBehind || m.work.begin() != nil {
		m.extending.Add(-1)
		return
	}
	go func() {
		defer m.extending.Add(-1)
		defer m.work.end()
		ctx, cancel := context.WithTimeout(context.Background(), m.options.OperationTimeout)
		defer cancel()
		job(ctx)
	}()
}
