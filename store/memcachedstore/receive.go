package memcachedstore

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/holdfast-sessions/holdfast/store"
)

// readAnswer waits for one answer and finishes the call that it is for. An
// error is the end of the connection, and leaves the call to finishAll.
func (c *conn) readAnswer() error {
	line, err := readLine(c.in)
	if err != nil {
		return err
	}
	cl := c.nextSent()
	if cl == nil {
		return fmt.Errorf("%w: nobody asked", errProtocol)
	}
	item, err := c.speaks.receive(c, cl, line)
	if errors.Is(err, errProtocol) {
		return err
	}
	c.next++
	c.answers.Add(1)
	c.pool.finish(cl, item, err)
	return nil
}

// nextSent is the call that gets the next answer, nil if none waits.
func (c *conn) nextSent() *call {
	if c.next == len(c.taken) {
		c.mu.Lock()
		c.takeSentLocked()
		c.mu.Unlock()
	}
	if len(c.taken) == 0 {
		return nil
	}
	return c.taken[c.next]
}

// finishAll ends all calls of a dead connection. No call is queued or sent any
// more, since both look at cause first.
func (c *conn) finishAll() {
	c.mu.Lock()
	cause, inFlight := c.cause, append(c.taken[c.next:], c.sent...)
	for _, cl := range c.queue {
		// The mutex keeps a caller from giving up meanwhile.
		if cl.state.Load() == abandoned {
			c.pool.giveBack(cl)
			continue
		}
		cl.err = unavailable(cause)
		cl.state.Store(answered)
		cl.done <- struct{}{}
	}
	c.queue, c.sent, c.taken, c.next = nil, nil, nil, 0
	c.mu.Unlock()
	for _, cl := range inFlight {
		c.pool.finish(cl, store.Item{}, lost(cl.verb, cause))
	}
}

var errHungUp = errors.New("the server closed the connection")

// readLine reads up to CRLF and returns what is before it, valid until the next
// read.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("%w: a line of more than %d bytes", errProtocol, len(line))
	case errors.Is(err, io.EOF):
		return nil, errHungUp
	case err != nil:
		return nil, fmt.Errorf("reading: %w", err)
	case len(line) < 2 || line[len(line)-2] != '\r':
		return nil, fmt.Errorf("%w: a line without its carriage return", errProtocol)
	}
	return line[:len(line)-2], nil
}

// value reads the value of an answer to cl. A caller that has gone does not get
// it.
func (c *conn) value(cl *call, size, limit int) ([]byte, error) {
	if size > limit {
		return nil, fmt.Errorf("%w: a value of %d bytes, above item_size_max", errProtocol, size)
	}
	if cl.state.Load() == abandoned {
		return nil, skipValue(c.in, size)
	}
	return readValue(c.in, size)
}

// readValue reads a value and its line end. It matches errProtocol if it
// cannot: the rest of the value would be taken for answers.
func readValue(in *bufio.Reader, size int) ([]byte, error) {
	value := make([]byte, size)
	if _, err := io.ReadFull(in, value); err != nil {
		return nil, fmt.Errorf("%w: a value cut short: %w", errProtocol, err)
	}
	return value, skipLineEnd(in)
}

// skipValue is readValue for a caller that has gone.
func skipValue(in *bufio.Reader, size int) error {
	if _, err := in.Discard(size); err != nil {
		return fmt.Errorf("%w: a value cut short: %w", errProtocol, err)
	}
	return skipLineEnd(in)
}

func skipLineEnd(in *bufio.Reader) error {
	end, err := in.Peek(2)
	if err != nil || string(end) != "\r\n" {
		return fmt.Errorf("%w: a value without its line end", errProtocol)
	}
	_, err = in.Discard(2)
	return err
}
