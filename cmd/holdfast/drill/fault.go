package drill

import (
	"context"
	"fmt"
	"time"
)

// A fault is what can happen to one of the site.
type fault struct {
	kind, target string
	strike, mend func() error
	lasts        time.Duration
}

// A struckFault is one that has happened.
type struckFault struct {
	kind, target string
	underWay     int64 // requests, at that moment
}

const (
	nodeAway   = 700 * time.Millisecond
	serverAway = 400 * time.Millisecond
	frozenFor  = 1200 * time.Millisecond // longer than anybody waits for it
	// recovery is about how long a fault takes, with all that comes before the next.
	recovery = 4 * time.Second
)

// faults are a round: each node and each server is killed, one node freezes and
// one is emptied.
func (s *site) faults() (round []fault) {
	for i := range size {
		round = append(round, s.killNode(i), s.killServer(i))
	}
	return append(round, s.freezeNode(0), s.flushNode(1))
}

func (s *site) killNode(i int) fault {
	n := s.nodes[i]
	return fault{"kill of a node", n.name, n.kill, n.start, nodeAway}
}

func (s *site) killServer(i int) fault {
	server := s.servers[i]
	strike := func() error { server.kill(); return nil }
	mend := func() error { return server.start(s.list(), s.copies) }
	return fault{"kill of an app server", server.name, strike, mend, serverAway}
}

func (s *site) freezeNode(i int) fault {
	n := s.nodes[i]
	freeze := func(frozen bool) func() error { return func() error { return n.freeze(frozen) } }
	return fault{"freeze of a node", n.name, freeze(true), freeze(false), frozenFor}
}

func (s *site) flushNode(i int) fault {
	n := s.nodes[i]
	return fault{"flush of a node", n.name, n.flush, func() error { return nil }, 0}
}

// faultByFault plays rounds of faults, at least one fault, until the time is up.
func (d *drill) faultByFault(ctx context.Context) error {
	for first := true; ; {
		for _, f := range d.site.faults() {
			if !first && time.Since(d.began)+recovery > d.Length {
				return pause(ctx, d.Length-time.Since(d.began))
			}
			first = false
			if err := d.play(ctx, f); err != nil {
				return err
			}
		}
	}
}

// play has f happen and ends when everything has recovered from it: the next fault
// may hit what is the only copy now.
func (d *drill) play(ctx context.Context, f fault) error {
	if err := pause(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	underWay := d.ledger.underWay.Load()
	d.say("%s: %s, with %d requests under way", f.kind, f.target, underWay)
	if err := f.strike(); err != nil {
		return fmt.Errorf("%s %s: %w", f.kind, f.target, err)
	}
	d.struck = append(d.struck, struckFault{f.kind, f.target, underWay})
	early := pause(ctx, f.lasts)
	if err := f.mend(); err != nil {
		return fmt.Errorf("after the %s, %s: %w", f.kind, f.target, err)
	}
	if early != nil {
		return early
	}
	return d.recover(ctx)
}

// recover uses every session until none of them needs to be mended any more.
func (d *drill) recover(ctx context.Context) error {
	if err := d.site.awaitNodes(); err != nil {
		return err
	}
	before := d.site.mended()
	for last := before; ; {
		inParallel(d.readers, func(c *client) { c.readOwn(anyServer) })
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
		now := d.site.mended()
		if now == last {
			d.say("recovered: all nodes are in use, %d sessions were mended at the end", now-before)
			return nil
		}
		last = now
	}
}

// pause returns early with the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return ctx.Err()
	}
}
