package staging

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

const (
	warmUp      = time.Second            // all sessions have begun
	calm        = 300 * time.Millisecond // between two faults, at least
	noticeAfter = 500 * time.Millisecond // a balancer finds out that a server hangs
	recovers    = 5 * time.Second        // in about this time everything has
	wanted      = 4                      // requests under way when a fault strikes

	acceptTimeout = 20 * time.Second // the longest time without an accepted request
	mostSweeps    = 50
	never         = time.Duration(math.MaxInt64)
)

// faultByFault has one thing fail after the other, until the time is up.
func (c *check) faultByFault(ctx context.Context) error {
	if err := errors.Join(pause(ctx, warmUp), c.recovered(ctx)); err != nil {
		return err
	}
	for d := newDeck(c.Seed, c.cluster.kinds()); ; {
		f := d.draw()
		if left := c.Length - c.now(); len(c.blows) > 0 && left < f.lasts+recovers {
			return pause(ctx, left)
		}
		if err := pause(ctx, calm); err != nil {
			return err
		}
		if err := c.suffer(ctx, f); err != nil {
			return err
		}
	}
}

// A Fault is one that has struck. Times are in seconds since the load began.
type Fault struct {
	At       float64 `json:"at"`
	What     string  `json:"what"`
	Lasted   float64 `json:"lasted"`
	UnderWay int64   `json:"under_way"`      // requests, when it struck
	Accepted float64 `json:"accepted_after"` // the first request that was sent after it
	Repaired float64 `json:"repaired_after"` // everything was as before; 0: it never was
}

// A blow is a fault that has struck.
type blow struct {
	fault
	struck history.Span
	sent   time.Duration // what was acknowledged before it is on some node
	*Fault
}

// suffer has f strike and ends when everything has recovered from it: the next fault
// may hit what is the only copy now.
func (c *check) suffer(ctx context.Context, f fault) error {
	b, err := c.strike(f)
	if err != nil {
		return err
	}
	accepted := c.meter.nextAccepted(b.struck.End)
	early := c.lasts(ctx, f)
	if err := c.mend(b); err != nil {
		return err
	}
	select {
	case after := <-accepted:
		b.Accepted = after.Seconds()
	case <-time.After(acceptTimeout):
		return fmt.Errorf("after %v: no request was accepted for %v", f, acceptTimeout)
	}
	if early != nil {
		return early
	}
	return c.recover(ctx, b)
}

func (c *check) strike(f fault) (*blow, error) {
	sent, err := c.sentBy(f)
	if err != nil {
		return nil, err
	}
	b := &blow{fault: f, sent: sent, Fault: &Fault{What: f.String(), UnderWay: c.meter.awaitLoad(wanted)}}
	c.latest.Store(b.What)
	b.struck.Start = c.now()
	if err := f.strike(); err != nil {
		return nil, fmt.Errorf("%v: %w", f, err)
	}
	b.struck.End, b.At = c.now(), b.struck.Start.Seconds()
	c.struck.Add(1)
	c.seen.Loss(b.struck, c.repaired, b.sent)
	c.blows = append(c.blows, b.Fault)
	return b, nil
}

func (c *check) mend(b *blow) error {
	if err := b.fault.mend(); err != nil {
		return fmt.Errorf("after %v: %w", b.fault, err)
	}
	if b.server != nil {
		b.server.down.Store(false)
	}
	b.Lasted = (c.now() - b.struck.Start).Seconds()
	c.latest.Store(b.What + ", mended")
	return nil
}

func (c *check) recover(ctx context.Context, b *blow) error {
	if err := c.recovered(ctx); err != nil {
		return err
	}
	if err := c.allSent(ctx, b.struck, b.sent); err != nil {
		return err
	}
	b.Repaired = (c.now() - b.struck.Start).Seconds()
	c.latest.Store(b.What + ", all is as before")
	return nil
}

// lasts is the time of the fault, within which the balancer finds out.
func (c *check) lasts(ctx context.Context, f fault) error {
	notice := min(f.lasts, noticeAfter)
	err := pause(ctx, notice)
	if f.server != nil {
		f.server.down.Store(true)
	}
	return errors.Join(err, pause(ctx, f.lasts-notice))
}

// recovered waits until everything is as before a fault: all nodes are in use, and
// every session was used until none needs to be mended any more.
func (c *check) recovered(ctx context.Context) error {
	last := uint64(math.MaxUint64)
	for range mostSweeps {
		if err := c.cluster.awaitNodes(ctx); err != nil {
			return err
		}
		sweep := c.now()
		c.eachAlive(c.useAgain)
		now := c.cluster.mended()
		if now == last {
			c.repaired = sweep
			return nil
		}
		last = now
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("after %d reads of every session there are still some to mend", mostSweeps)
}

// useAgain has s lie on all nodes that it should. If servers have it in memory only a
// change reaches the nodes.
func (c *check) useAgain(s *session) {
	c.read(s, s.present(c.now))
	if c.Mode.Sticky {
		c.update(s, s.present(c.now))
	}
}

// sentBy is the time before which everything was on the nodes that f takes with it, or
// that another server may do once more while f's hangs.
func (c *check) sentBy(f fault) (time.Duration, error) {
	if !c.Mode.Async || f.server == nil {
		return never, nil
	}
	asked := c.now()
	s, err := c.cluster.ask(f.server)
	return asked - s.Local.OldestUnsent, err
}

// allSent waits until all servers have sent what they held at the end of the repair.
// Until then two of them may have gone on with one session at once, each from its
// memory: what they answered was not yet in one order.
func (c *check) allSent(ctx context.Context, strike history.Span, sent time.Duration) error {
	if sent == never {
		return nil
	}
	strike.End = c.now()
	err := c.cluster.awaitEach(ctx, "to send what it holds", func(s statistics) bool {
		return c.now()-s.Local.OldestUnsent > strike.End
	})
	c.seen.Loss(strike, c.repaired, sent)
	return err
}
