package memcachedstore

import "time"

// crowd is how many calls in a row must come alone before the reader leaves the
// reading role to the callers: to give it to and fro costs more than to keep it.
const crowd = 64

// reader gives answers to calls in the order in which they were sent, while it
// has the reading role. When the connection has failed it finishes all calls
// that are left.
func (c *conn) reader() {
	idle := time.NewTimer(callerPatience)
	defer idle.Stop()
	for c.awaitReading(idle) {
		if err := c.readCrowd(); err != nil {
			c.fail(err)
			break
		}
	}
	c.finishAll()
}

// awaitReading waits for the reading role, and takes it from an idle
// connection: so its end shows before the next call, and not by that call. The
// reader has the role in any case; false says that the connection is dead.
func (c *conn) awaitReading(idle *time.Timer) bool {
	var accepted uint64
	for {
		idle.Reset(callerPatience)
		select {
		case <-c.toRead:
			return true
		case <-idle.C:
			if c.takeReading(&accepted) {
				return true
			}
		case <-c.dead:
			if !c.takeReading(&accepted) {
				<-c.toRead // whoever has it finds out too
			}
			return false
		}
	}
}

// takeReading takes the reading role if nobody uses it, and no call has come
// since the last time or none can come. Who has it and does not use it is
// held up by another node.
func (c *conn) takeReading(accepted *uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	idle := c.accepted == *accepted || c.cause != nil
	*accepted = c.accepted
	if c.reading && c.parked == nil || !idle {
		return false
	}
	c.reading, c.parked = true, nil
	return true
}

// readCrowd reads answers until calls come one by one. It has no deadline:
// watcher sees to it that no read blocks for ever.
func (c *conn) readCrowd() error {
	c.readBy = time.Time{}
	if err := c.SetReadDeadline(c.readBy); err != nil {
		return err
	}
	for {
		if err := c.readAnswer(); err != nil {
			return err
		}
		if c.leaveReading() {
			return nil
		}
	}
}

// leaveReading gives up the reading role if no call is sent, and no crowd is
// about to come back.
func (c *conn) leaveReading() bool {
	if c.next < len(c.taken) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.takeSentLocked()
	c.reading = len(c.taken) > 0 || c.single < crowd || c.cause != nil
	return !c.reading
}

// takeSentLocked takes all calls that were sent, once those taken before are
// answered. Who has the reading role so needs the mutex once for many.
func (c *conn) takeSentLocked() {
	c.taken, c.sent, c.next = c.sent, c.taken[:0], 0
	switch len(c.taken) {
	case 0:
	case 1:
		c.single++
	default:
		c.single = 0
	}
}
