package holdfast

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
)

// In sticky mode this server's memory is asked first, and the route in the cookie
// says whether it may be: package sticky does the rest.

// openSticky puts this server's memory before the nodes.
func (m *Manager) openSticky() (err error) {
	o := &m.options
	filter := o.AttributeFilter
	if filter != nil {
		filter = regexp.MustCompile(`^(?:` + filter.String() + `)$`) // valid as what it is made of
	}
	options := sticky.Options{
		Async: o.BackupAsync, MaxUnsent: o.MaxUnsent, MaxIdle: o.MaxIdleSwap, MaxBytes: o.MaxLocalBytes,
		MaxSessions: o.MaxSessions, Filter: filter, Timeout: o.OperationTimeout, Grace: o.RenewGrace,
		Logger: o.Logger, RefuseAway: o.RefuseDegraded,
	}
	local, err := sticky.New(m.cluster, options)
	if err != nil {
		return err
	}
	m.local, m.backend = local, local
	m.cluster.WhenReturned(local.Returned)
	return nil
}

// remembered is the session of t if this server's memory is enough to go by; else nil.
func (m *Manager) remembered(t token) *store.View {
	if m.local == nil || t.route != m.options.Route {
		return nil
	}
	return m.local.Remembered(t.id.Secret())
}

// keep commits c in this server's memory if that is enough for now. Nil: it is not.
func (m *Manager) keep(c *commit) (*store.View, error) {
	if m.local == nil {
		return nil, nil
	}
	if err := m.work.begin(); err != nil {
		return nil, err
	}
	defer m.work.end()
	return m.local.Keep(c.base, &c.change)
}

// look is how the session of t is read.
func (m *Manager) look(t token) look {
	switch {
	case m.local == nil || t.route == "":
		return m.backend.Load
	case t.route == m.options.Route:
		return m.local.Continue
	}
	return m.local.TakeOver
}

// lookBelow is how the session of t is read from the nodes. What they have lost is
// brought back if it was here.
func (m *Manager) lookBelow(t token) look {
	if m.local != nil && t.route == m.options.Route {
		return m.local.Reread
	}
	return m.backend.Load
}

// sendRest sends what only this server has.
func (m *Manager) sendRest(ctx context.Context) error {
	if m.local == nil {
		return nil
	}
	err := m.local.Flush(ctx, func(left int) {
		m.options.Logger.Info("shutdown: sending sessions to the nodes", "left", left)
	})
	if err != nil {
		return fmt.Errorf("holdfast: shutdown: %w", err)
	}
	return nil
}

func (m *Manager) localStats() sticky.Stats {
	if m.local == nil {
		return sticky.Stats{}
	}
	return m.local.Stats()
}

// newRoute is the name of a server that was given none, so that the cookie tells it
// from the others and from itself before a restart.
func newRoute() string { return "r" + strings.ToLower(string(newID()))[:9] }
