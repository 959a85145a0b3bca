package lock

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// A contender wants one lock on one node.
type contender struct {
	*Locks
	place
	mine   ticket
	said   time.Time // when the last write that the node has acknowledged was sent
	queued bool      // others were before it
	seen   watch     // their tickets
}

const (
	beats     = 3           // in the time after which silence counts as death
	patience  = time.Second // with a ticket that waits, or a lease if that is shorter
	maxMisses = 2           // a connection that was lost is worth another try
	minPause  = 2 * time.Millisecond
	maxPause  = 25 * time.Millisecond
)

func newOwner() uint64 {
	var b [8]byte
	crand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// contend waits in the queue until ctx ends.
func (c *contender) contend(ctx context.Context) (*Lock, error) {
	k, err := c.say(ctx, nil, store.Absent) // mostly nobody has the lock
	misses, pause := 0, minPause
	for k == nil {
		switch {
		case ctx.Err() != nil:
			c.opts.Behind(func() { c.giveUp(ctx) })
			if !c.queued && errors.Is(err, store.ErrUnavailable) {
				return nil, err // the node never answered: nobody is known to have the lock
			}
			return nil, ctx.Err()
		case err == nil:
			sleep(ctx, pause)
			pause = min(2*pause, maxPause)
			misses = 0
		case !errors.Is(err, store.ErrConflict):
			if misses++; misses == maxMisses {
				return nil, err
			}
		}
		k, err = c.round(ctx)
	}
	return k, nil
}

// round looks at the queue, and says what there is to say.
func (c *contender) round(ctx context.Context) (*Lock, error) {
	asked := time.Now()
	q, at, err := c.look(ctx)
	if err != nil {
		return nil, err
	}
	came := time.Now()
	alive := q.without(func(t ticket) bool {
		return t.owner != c.mine.owner && c.seen.silent(t, asked, came, c.opts.Lease, c.patience())
	})
	i := alive.find(c.mine.owner)
	c.queued = c.queued || len(alive) > 1 || len(alive) == 1 && i < 0
	if i > 0 && len(alive) == len(q) && time.Since(c.said) < c.patience()/beats {
		return nil, nil
	}
	return c.say(ctx, alive, at)
}

func (c *contender) patience() time.Duration { return min(patience, c.opts.Lease) }

// say writes the queue q with this contender in it, which has the lock if it is the
// first.
func (c *contender) say(ctx context.Context, q queue, at store.Version) (*Lock, error) {
	i := q.find(c.mine.owner)
	if i < 0 {
		i, q = len(q), append(q, c.mine)
	}
	c.mine.beat++
	c.mine.held = i == 0
	q[i] = c.mine
	sent := time.Now()
	at, err := c.write(ctx, q, at)
	if err != nil {
		return nil, err
	}
	c.said = sent
	if i > 0 {
		return nil, nil
	}
	return c.hold(q, at), nil
}

// giveUp leaves the queue when ctx has ended.
func (c *contender) giveUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.opts.Timeout)
	defer cancel()
	c.withdraw(ctx, c.mine.owner)
}

// sleep waits for d, more or less: contenders that came at the same time shall not
// always ask at the same time.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d/2 + rand.N(d))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
