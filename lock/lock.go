package lock

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// A Lock is held until Release. Its lease is renewed meanwhile.
type Lock struct {
	locks  *Locks
	name   string
	queued bool               // others were before it
	mine   ticket             // these four belong to keep, and when it has ended to Release
	queue  queue              // as it was last written or read
	at     store.Version      // of queue
	place  place              // of queue
	cancel context.CancelFunc // ends keep
	kept   sync.WaitGroup     // keep; Release waits for it
	ended  sync.Once          // by Release

	mu   sync.Mutex
	said time.Time // when the last renewal that the node has acknowledged was sent; guarded by mu
	gone bool      // guarded by mu
}

// hold makes a Lock of a contender whose ticket is the first of q.
func (c *contender) hold(q queue, at store.Version) *Lock {
	ctx, cancel := context.WithCancel(context.Background())
	k := &Lock{
		locks: c.Locks, name: c.key[len(prefix):], queued: c.queued, mine: c.mine, queue: q, at: at, place: c.place,
		cancel: cancel, said: c.said,
	}
	k.kept.Go(func() { k.keep(ctx) })
	return k
}

// Lost reports whether somebody else may have the lock: its lease could not be
// renewed in time, also because this process stood still, or another ticket stands
// in its place. What was lost is not found again.
func (k *Lock) Lost() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.said) >= k.locks.opts.Lease {
		k.goneLocked()
	}
	return k.gone
}

func (k *Lock) goneLocked() {
	if !k.gone {
		k.gone = true
		k.locks.lost.Add(1)
	}
}

// keep renews the lease until ctx ends.
func (k *Lock) keep(ctx context.Context) {
	tick := time.NewTicker(k.locks.opts.Lease / beats)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if k.Lost() {
			return
		}
		k.renew(ctx)
	}
}

// renew counts the beat up. After a failure the next tick tries again.
func (k *Lock) renew(ctx context.Context) {
	k.mine.beat++
	k.queue[0] = k.mine
	err := k.say(ctx)
	for errors.Is(err, store.ErrConflict) {
		if err = k.reread(ctx); err == nil {
			err = k.say(ctx)
		}
	}
	if err != nil && err != errTaken && ctx.Err() == nil {
		err = k.move(ctx)
	}
	if err == errTaken {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.goneLocked()
	}
}

// errTaken: somebody else has the lock.
var errTaken = errors.New("taken by another owner")

func (k *Lock) say(ctx context.Context) error {
	sent := time.Now()
	at, err := k.place.write(ctx, k.queue, k.at)
	if err != nil {
		return err
	}
	k.at = at
	k.mu.Lock()
	defer k.mu.Unlock()
	k.said = sent
	return nil
}

// reread makes the queue what the node has, with the beat counted up. A node that
// was emptied is told again, if nobody else was faster.
func (k *Lock) reread(ctx context.Context) error {
	q, at, err := k.place.look(ctx)
	if err != nil {
		return err
	}
	if len(q) == 0 {
		q = queue{k.mine}
	}
	if q[0].owner != k.mine.owner {
		return errTaken
	}
	q[0] = k.mine
	k.queue, k.at = q, at
	return nil
}

// move takes the lock on the node where others will look for it now that its own
// cannot be asked.
func (k *Lock) move(ctx context.Context) error {
	all := k.locks.opts.Stores(k.name)
	if len(all) == 0 || slices.Contains(all, k.place.on) {
		return nil // the next renewal finds out
	}
	k.place.on, k.queue, k.at = all[0], queue{k.mine}, store.Absent
	err := k.say(ctx)
	if errors.Is(err, store.ErrConflict) { // perhaps with its own ticket, from before it moved
		if err = k.reread(ctx); err == nil {
			err = k.say(ctx)
		}
	}
	return err
}

// Release gives the lock back, to whoever waits for it. A lock that somebody else
// has meanwhile stays with them. A second call does nothing.
func (k *Lock) Release() { k.ReleaseWithin(k.place.timeout) }

// ReleaseWithin is a Release that takes no longer than d, if there is Options.Behind: what
// one write does not do in that time is done there.
func (k *Lock) ReleaseWithin(d time.Duration) {
	k.ended.Do(func() {
		k.cancel()
		k.kept.Wait()
		if d > 0 && k.giveBack(d) == nil {
			k.free()
			return
		}
		k.locks.opts.Behind(k.withdraw)
	})
}

// giveBack takes the ticket out of the queue if that has not changed.
func (k *Lock) giveBack(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	_, err := k.place.write(ctx, k.queue[1:], k.at)
	return err
}

// withdraw takes the ticket out of the queue, if it is there.
func (k *Lock) withdraw() {
	defer k.free()
	ctx, cancel := context.WithTimeout(context.Background(), k.place.timeout)
	defer cancel()
	k.place.withdraw(ctx, k.mine.owner)
}

// free lets the next one on this app server take the lock.
func (k *Lock) free() {
	k.locks.turns.Give(k.name)
	k.locks.leave(k.name)
}
