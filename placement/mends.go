package placement

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// mends are the sessions that were stored while a member of theirs did not
// answer. When a node is back they are written again, so that the next fault
// finds them complete, whether anybody uses them or not.
type mends struct {
	mu      sync.Mutex
	waiting map[string]time.Time // for a node to return; until the session will have expired; guarded by mu
	due     map[string]time.Time // a node has returned since; guarded by mu
}

// maxMends bounds them. Sessions above it are mended when they are used.
const maxMends = 1 << 16

func (m *mends) add(key string, ttl time.Duration) {
	if ttl == store.Forever {
		ttl = maxTTL
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting == nil {
		m.waiting = map[string]time.Time{}
	}
	if len(m.waiting) >= maxMends {
		maps.DeleteFunc(m.waiting, func(_ string, until time.Time) bool { return time.Now().After(until) })
	}
	if _, known := m.waiting[key]; known || len(m.waiting) < maxMends {
		m.waiting[key] = time.Now().Add(ttl)
	}
}

// fallDue is for when a node has returned.
func (m *mends) fallDue() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.due) == 0 {
		m.due, m.waiting = m.waiting, nil
		return
	}
	maps.Copy(m.due, m.waiting)
	m.waiting = nil
}

// next takes one that is due and has not expired.
func (m *mends) next() (key string, until time.Time, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, until := range m.due {
		delete(m.due, key)
		if time.Now().Before(until) {
			return key, until, true
		}
	}
	return "", time.Time{}, false
}

func (m *mends) anyDue() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.due) > 0
}

func (m *mends) size() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.waiting) + len(m.due)
}

// mendAll begins to mend, now that a node is back.
func (c *Cluster) mendAll() {
	c.mends.fallDue()
	c.behind.keep("mends", func(ctx context.Context) {
		if key, until, ok := c.mends.next(); ok {
			c.mend(ctx, key, until)
		}
	}, c.mends.anyDue)
}

// mend reads one session and writes it again if that brings it to where it should
// be. If a member does not answer still, it waits for the next return.
func (c *Cluster) mend(ctx context.Context, key string, until time.Time) {
	ctx, cancel := context.WithTimeout(ctx, c.behind.timeout)
	defer cancel()
	o := c.newOp(key)
	o.used = neverUsed() // to write it again is no use
	v, err := o.read(ctx, -1, store.Whole)
	switch {
	case errors.Is(err, store.ErrUnavailable):
		c.mends.add(key, time.Until(until)) // for the next return
		return
	case err != nil || v.truth.Kind != record.Session:
		return // whoever uses it next sees what there is
	}
	if o.mendable(v) || o.lags(v) {
		err = c.repair(ctx, &store.View{Record: v.truth, Key: key, Seen: o})
	}
	if errors.Is(err, store.ErrUnavailable) || v.members&^v.answered != 0 {
		pause(ctx, collectEvery) // perhaps a node that answers and takes nothing
		o.oweMend(v.truth)
	}
}

// oweMend notes that r is stored with fewer copies than it has members.
func (o *op) oweMend(r *record.Record) {
	o.mends.add(o.key, r.TTL)
	members, _ := o.roster.indices(r.Members)
	for n := range members.all() {
		if monitor := o.roster.nodes[n].monitor; monitor != nil && !monitor.Usable() {
			return // its return makes it due
		}
	}
	o.mendAll() // they have returned before it was noted
}
