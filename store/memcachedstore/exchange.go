package memcachedstore

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// exchange sends r and waits for its result.
func (c *conn) exchange(ctx context.Context, r request) (store.Item, error) {
	cl, err := c.send(r)
	if err != nil {
		return store.Item{}, err
	}
	return c.await(ctx, cl)
}

// send queues a call for r, to await or to forget.
func (c *conn) send(r request) (*call, error) {
	cl := c.pool.take(r)
	if err := c.submit(cl); err != nil {
		c.pool.giveBack(cl)
		return nil, err
	}
	return cl, nil
}

// tell sends r, if that can be. Nobody waits for the answer, and the call is not
// used again.
func (c *conn) tell(r request) {
	if cl, err := c.send(r); err == nil {
		c.leaveToReader(cl)
	}
}

// await returns the result of cl, or gives up when ctx ends.
func (c *conn) await(ctx context.Context, cl *call) (store.Item, error) {
	end, bounded := ctx.Deadline()
	if !bounded {
		end = time.Now().Add(c.patience)
	}
	if cl.reads && c.readOwn(cl, cl.readEnd(end)) {
		<-cl.done
		return c.collect(cl)
	}
	var late <-chan time.Time
	if timed, ok := ctx.(timed); ok {
		ctx, bounded = timed.Outer(), false
	}
	if !bounded {
		late = cl.startTimer(time.Until(end))
	}
	return c.wait(ctx, cl, late)
}

// A timed context tells what it ends with beside its time, as those of package
// deadline do: a call has a timer already, which they then do without.
type timed interface {
	Outer() context.Context
}

// wait is await for a caller that does not read.
func (c *conn) wait(ctx context.Context, cl *call, late <-chan time.Time) (store.Item, error) {
	verb, cause, state := cl.verb, error(context.DeadlineExceeded), answered
	select {
	case <-cl.done:
		return c.collect(cl)
	case <-ctx.Done():
		cause, state = ctx.Err(), c.giveUp(cl)
	case <-late:
		state = c.giveUp(cl)
	}
	switch state {
	case queued:
		return store.Item{}, unavailable(fmt.Errorf("not sent: %w", cause))
	case sent:
		return store.Item{}, lost(verb, fmt.Errorf("no answer: %w", cause))
	}
	<-cl.done
	return c.collect(cl)
}

// forget gives cl up at once.
func (c *conn) forget(cl *call) {
	c.leaveToReader(cl)
	if c.giveUp(cl) == answered {
		<-cl.done
		c.pool.giveBack(cl)
	}
}

// collect takes the result out of an answered call and ends the call.
func (c *conn) collect(cl *call) (store.Item, error) {
	item, err := cl.answer, cl.err
	c.pool.giveBack(cl)
	return item, err
}
