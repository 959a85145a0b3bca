package memcachedstore

import (
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	batchSize = 64 << 10 // a batch is closed once it has so many bytes
	maxKept   = 4 * batchSize

	// callerPatience bounds the write of a caller, and its read: half of it at
	// least, all of it at most. The kernel takes a batch at once, unless the
	// server does not read.
	callerPatience = 10 * time.Millisecond
)

// takeLocked makes the next batch from the queue. Only who has the writing
// role may call it. An empty batch means an empty queue, or a dead connection.
func (c *conn) takeLocked() []byte {
	if c.cause != nil {
		return nil
	}
	if cap(c.out) > maxKept {
		c.out = nil
	}
	out, n := c.out[:0], 0
	for ; n < len(c.queue) && len(out) < batchSize; n++ {
		cl := c.queue[n]
		if !cl.state.CompareAndSwap(queued, sent) {
			c.pool.giveBack(cl)
			continue
		}
		c.opaque++
		cl.opaque = c.opaque
		c.queuedBytes -= len(cl.item.Value)
		out = c.speaks.appendCommand(out, &cl.request, cl.opaque)
		cl.item.Value = nil
		c.sent = append(c.sent, cl)
	}
	if len(c.sent) > 0 && !c.reading {
		c.reading = true
		c.toRead <- struct{}{} // has room: the role exists once
	}
	c.queue = c.queue[:copy(c.queue, c.queue[n:])]
	c.out = out
	return out
}

// writeFirst writes the batch of a caller that took the writing role, and
// passes the role on if there is more to do. It never blocks for longer than
// callerPatience: the caller's context may be about to end. False says that the
// connection is dead and took nothing.
func (c *conn) writeFirst(batch []byte) bool {
	c.rest = batch
	if c.patient {
		n, err := c.writePatiently(batch)
		c.rest = batch[n:]
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			c.fail(fmt.Errorf("writing: %w", err))
			return n > 0
		}
	}
	if len(c.rest) > 0 || !c.resign() {
		c.toWrite <- struct{}{} // has room: the role exists once
	}
	return true
}

// writePatiently writes with a deadline. Setting it costs a good part of a
// small write, so one deadline serves all writes of half its span.
func (c *conn) writePatiently(batch []byte) (int, error) {
	if now := time.Now(); c.writeBy.Sub(now) < callerPatience/2 {
		c.writeBy = now.Add(callerPatience)
		if err := c.SetWriteDeadline(c.writeBy); err != nil {
			return 0, err
		}
	}
	return c.Write(batch)
}

// resign gives up the writing role if nothing is queued.
func (c *conn) resign() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = len(c.queue) > 0
	return !c.writing
}

// writer has the writing role while callers queue faster than one batch is
// written.
func (c *conn) writer() {
	for {
		select {
		case <-c.dead:
			return
		case <-c.toWrite:
		}
		if err := c.writeAll(); err != nil {
			c.fail(fmt.Errorf("writing: %w", err))
			return
		}
	}
}

// writeAll writes what is left of a caller's batch and then batch after batch,
// until it finds the queue empty and gives up the role. It has no deadline:
// watcher sees to it that no write blocks for ever.
func (c *conn) writeAll() error {
	c.writeBy = time.Time{}
	if err := c.SetWriteDeadline(c.writeBy); err != nil {
		return err
	}
	for batch := c.rest; ; {
		if len(batch) > 0 {
			if _, err := c.Write(batch); err != nil {
				return err
			}
		}
		c.mu.Lock()
		batch = c.takeLocked()
		c.writing = len(batch) > 0
		c.mu.Unlock()
		if len(batch) == 0 {
			return nil
		}
	}
}
