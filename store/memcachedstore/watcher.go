package memcachedstore

import (
	"fmt"
	"time"
)

// watcher ends a connection on which calls wait and no answer comes. Its timer
// runs only while there are calls, and is not touched by each of them: it is
// set by the first and goes on until it finds none waiting.
func (c *conn) watcher() {
	defer c.watch.Stop()
	for {
		select {
		case <-c.dead:
			return
		case <-c.watch.C:
		}
		if c.stalled() {
			c.fail(fmt.Errorf("no answer for %v", c.stall))
		}
	}
}

// watchLocked sets the timer for a new call.
func (c *conn) watchLocked() {
	if !c.watched {
		c.watched = true
		c.lookLocked()
	}
}

// stalled looks whether an answer came since the last look, and sets the timer
// for the next one.
func (c *conn) stalled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.waitingLocked() == 0:
		c.watched = false
		return false
	case c.answers.Load() == c.seen:
		c.watch.Reset(c.stall / 4)
		return time.Since(c.since) >= c.stall
	}
	c.lookLocked()
	return false
}

// lookLocked notes the state of things, from which the wait counts.
func (c *conn) lookLocked() {
	c.seen, c.since = c.answers.Load(), time.Now()
	c.watch.Reset(c.stall / 4)
}
