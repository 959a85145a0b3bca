// Package deadline has contexts that end at a time, as context.WithDeadline makes
// them, and that cost next to nothing while nobody waits for their end: a store that
// answers at once only looks at the time.
package deadline

import (
	"context"
	"sync"
	"time"
)

// A Context ends at its time, with its parent, or by End. It may be part of a larger
// struct. It is begun once: whoever was given it may keep it.
//
// One whose parent is a Context too does not end by the End of that: who makes an
// inner one ends it first.
type Context struct {
	parent   context.Context
	at       time.Time
	detached bool // does not end with its parent

	mu    sync.Mutex
	err   error         // why it has ended; guarded by mu
	done  chan struct{} // nil until somebody waits; guarded by mu
	timer *time.Timer   // guarded by mu
	leave func() bool   // stops listening to parent; guarded by mu
}

var _ context.Context = (*Context)(nil)

// Begin makes c one that ends at that time at the latest, or with parent.
func (c *Context) Begin(parent context.Context, at time.Time) {
	c.parent, c.at = parent, at
	if outer, ok := parent.(*Context); ok { // one of two times is enough
		c.parent, c.detached, c.err = outer.parent, outer.detached, outer.ended()
	}
	if end, ok := parent.Deadline(); ok && end.Before(at) {
		c.at = end
	}
}

// BeginDetached is Begin for what goes on when parent ends.
func (c *Context) BeginDetached(parent context.Context, at time.Time) {
	c.parent, c.at, c.detached = parent, at, true
}

// End ends c and gives back what it took.
func (c *Context) End() { c.end(context.Canceled) }

// Deadline is that of context.Context.
func (c *Context) Deadline() (time.Time, bool) { return c.at, true }

// Outer is what c ends with beside its time and End: the parent, or what never ends.
// Who waits with a timer of its own, up to Deadline, waits for this and not for Done: so
// c needs no timer. It must not be one whom End has to wake.
func (c *Context) Outer() context.Context {
	if c.detached {
		return context.Background()
	}
	return c.parent
}

// Value is that of context.Context.
func (c *Context) Value(key any) any {
	if c.detached {
		return context.WithoutCancel(c.parent).Value(key) // which hides why parent has ended
	}
	return c.parent.Value(key)
}

// Err is that of context.Context.
func (c *Context) Err() error {
	if why := c.over(); why != nil {
		c.end(why)
	}
	return c.ended()
}

// Done is that of context.Context.
func (c *Context) Done() <-chan struct{} {
	done, first := c.doneOnce()
	if first {
		c.watch()
	}
	return done
}

func (c *Context) doneOnce() (done chan struct{}, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done != nil {
		return c.done, false
	}
	c.done = make(chan struct{})
	if c.err != nil {
		close(c.done)
	}
	return c.done, c.err == nil
}

// watch ends c in time, from here on.
func (c *Context) watch() {
	if why := c.over(); why != nil {
		c.end(why)
		return
	}
	check := c.check
	timer, leave := time.AfterFunc(time.Until(c.at), check), func() bool { return false }
	if !c.detached && c.parent.Done() != nil {
		leave = context.AfterFunc(c.parent, check)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer, c.leave = timer, leave; c.err != nil {
		c.restLocked()
	}
}

// check ends c if it is time to. The timer is early where at is the time of a clock
// that was set back since.
func (c *Context) check() {
	why := c.over()
	if why != nil {
		c.end(why)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil && c.err == nil {
		c.timer.Reset(time.Until(c.at))
	}
}

// over is why c is to end now, nil if it is not.
func (c *Context) over() error {
	if !c.detached {
		if err := c.parent.Err(); err != nil {
			return err
		}
	}
	if !time.Now().Before(c.at) {
		return context.DeadlineExceeded
	}
	return nil
}

func (c *Context) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *Context) end(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = why
	if c.done != nil {
		close(c.done)
	}
	c.restLocked()
}

// restLocked stops what watch has begun.
func (c *Context) restLocked() {
	if c.timer != nil {
		c.timer.Stop()
		c.leave()
	}
}
