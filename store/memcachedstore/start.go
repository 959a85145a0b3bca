package memcachedstore

import (
	"context"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// StartGet is Get up to its answer; see [store.Starter].
func (s *Store) StartGet(ctx context.Context, key string, part store.Part) store.Pending {
	return s.start(ctx, getRequest(key, part))
}

// StartPut is Put up to its answer; see [store.Starter].
func (s *Store) StartPut(ctx context.Context, key string, item store.Item, at store.Version) store.Pending {
	return s.start(ctx, request{verb: put, key: key, item: item, at: at})
}

func (s *Store) start(ctx context.Context, r request) store.Pending {
	c := s.current.Load()
	if c == nil || !c.speaks.single(&r) || store.CheckKey(r.key) != nil || ctx.Err() != nil {
		return nil
	}
	cl := c.pool.take(r)
	cl.start = start{s, c}
	if c.submit(cl) != nil {
		c.pool.giveBack(cl)
		return nil
	}
	return cl
}

// Wait is that of [store.Pending].
func (cl *call) Wait(ctx context.Context) (store.Item, error) {
	s, verb := cl.start.store, cl.verb // cl is no longer ours after its answer
	cl.conn.claimReading(cl)
	item, err := cl.conn.await(ctx, cl)
	return s.result(verb, item, err)
}

// readEnd is until when the caller of cl reads its answer. One that was held up elsewhere
// until its time was over still gets what has come by then.
func (cl *call) readEnd(end time.Time) time.Time {
	if soon := time.Now().Add(glance); cl.conn != nil && end.Before(soon) {
		return soon
	}
	return end
}

const glance = time.Millisecond // enough for what lies there already

// giveReadingLocked gives the caller of cl the reading role if nobody has it. One
// that has started cl may be a while elsewhere: its role is parked until it waits.
func (c *conn) giveReadingLocked(cl *call) {
	switch {
	case c.reading:
	case cl.conn != nil:
		c.parked = cl
	default:
		cl.reads = true
	}
	c.reading = true
}

// claimReading reports whether the caller of cl has the reading role, which it
// takes up if it was parked.
func (c *conn) claimReading(cl *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parked == cl {
		c.parked, cl.reads = nil, true
	}
	return cl.reads
}

// unparkLocked gives a parked reading role to the reader: in company nobody waits
// for somebody who is elsewhere.
func (c *conn) unparkLocked() {
	if c.parked != nil {
		c.parked = nil
		c.toRead <- struct{}{} // has room: the role exists once
	}
}
