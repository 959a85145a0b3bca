package memcachedstore

import "time"

// readOwn reads the answer to cl, whose caller has the reading role: it came
// alone, so cl is the first in the pipeline. It returns false if cl is still to
// be waited for: what is no matter of a moment is left to the reader, which also
// meets an error again.
func (c *conn) readOwn(cl *call, end time.Time) bool {
	if !c.answerComes(end) {
		c.leaveToReader(cl)
		return false
	}
	err := c.readAnswer()
	if err != nil {
		c.fail(err)
	}
	c.passReading()
	return err == nil
}

// answerComes waits for a whole answer in the buffer, no longer than
// callerPatience and not past end. Nothing is read out of the buffer, so that
// the reader can go on.
func (c *conn) answerComes(end time.Time) bool {
	if c.boundRead(end) != nil {
		return false
	}
	for {
		if _, err := c.in.Peek(c.in.Buffered() + 1); err != nil {
			return false
		}
		if b, _ := c.in.Peek(c.in.Buffered()); c.speaks.complete(b) {
			return true
		}
	}
}

// boundRead sets a deadline for the read of a caller. As with writes, one serves
// all reads of half its span.
func (c *conn) boundRead(end time.Time) error {
	now := time.Now()
	if c.readBy.Sub(now) >= callerPatience/2 && !c.readBy.After(end) {
		return nil
	}
	c.readBy = now.Add(callerPatience)
	if end.Before(c.readBy) {
		c.readBy = end
	}
	return c.SetReadDeadline(c.readBy)
}

// passReading gives up the reading role after an answer. If others have come
// meanwhile the reader gets it, and also if something came that nobody asked for.
func (c *conn) passReading() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next < len(c.taken) || len(c.sent) > 0 {
		c.single = 0
	}
	c.reading = c.single == 0 || c.in.Buffered() > 0 || c.cause != nil
	if c.reading {
		c.toRead <- struct{}{} // has room: the role exists once
	}
}

// leaveToReader gives up the reading role if the caller of cl has it.
func (c *conn) leaveToReader(cl *call) {
	if cl.reads {
		cl.reads = false
		c.toRead <- struct{}{}
	}
}

// unsend takes back the call of a caller with the reading role, of which nothing
// was written: it is the only one that is sent.
func (c *conn) unsend(cl *call) {
	c.mu.Lock()
	c.sent = c.sent[:0]
	c.dropped++
	c.mu.Unlock()
	c.leaveToReader(cl)
}
