package drill

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// A fault is what can happen to one of the site.
type fault struct {
	kind, target string
	killed       *rig.Server // if it kills one
	strike, mend func() error
	lasts        time.Duration
	takes        time.Duration // about, until everything has recovered from it
}

// A struckFault is one that has happened.
type struckFault struct {
	kind, target string
	underWay     int64 // requests, at that moment
}

const (
	nodeTakes  = 4 * time.Second // a node must answer for a while before it is used again
	shortTakes = time.Second
	frozenFor  = rig.Patience + 200*time.Millisecond

	mostSweeps     = 50
	wantedUnderWay = 12 // requests, when a fault strikes
)

// allFaults are a round: each node and each server is killed, one node freezes and
// one is emptied.
func allFaults(s *site) (round []fault) {
	for i := range size {
		round = append(round, s.killNode(i), s.killServer(i))
	}
	return append(round, s.freezeNode(0), s.flushNode(1))
}

func (s *site) killNode(i int) fault {
	n := s.nodes[i]
	return fault{"kill of a node", n.Name, nil, n.Kill, n.Start, 700 * time.Millisecond, nodeTakes}
}

func (s *site) killServer(i int) fault {
	server := s.servers[i]
	strike := func() error { server.Kill(); return nil }
	return fault{"kill of an app server", server.Name, server, strike, server.Start, 400 * time.Millisecond, shortTakes}
}

func (s *site) freezeNode(i int) fault {
	n := s.nodes[i]
	freeze := func(frozen bool) func() error { return func() error { return n.Freeze(frozen) } }
	return fault{"freeze of a node", n.Name, nil, freeze(true), freeze(false), frozenFor, nodeTakes}
}

func (s *site) flushNode(i int) fault {
	n := s.nodes[i]
	return fault{"flush of a node", n.Name, nil, n.Empty, func() error { return nil }, 0, shortTakes}
}

// faultByFault plays rounds of faults, d.fewest at least, until the time is up.
func (d *drill) faultByFault(ctx context.Context) error {
	round := d.round(d.site)
	for n := d.first; ; n++ {
		f := round[n%len(round)]
		if len(d.struck) >= d.fewest && time.Since(d.began)+f.takes > d.Length {
			return pause(ctx, d.Length-time.Since(d.began))
		}
		if err := d.strike(ctx, f); err != nil {
			return err
		}
	}
}

// strike has f happen and ends when everything has recovered from it: the next fault
// may hit what is the only copy now.
func (d *drill) strike(ctx context.Context, f fault) error {
	if err := pause(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	underWay, mended := d.awaitLoad(), d.site.mended()
	d.say("%s: %s, with %d requests under way", f.kind, f.target, underWay)
	if err := f.strike(); err != nil {
		return fmt.Errorf("%s %s: %w", f.kind, f.target, err)
	}
	d.struck = append(d.struck, struckFault{f.kind, f.target, underWay})
	if f.killed != nil {
		d.loseUnsent(f.killed)
	}
	early := pause(ctx, f.lasts)
	if err := f.mend(); err != nil {
		return fmt.Errorf("after the %s, %s: %w", f.kind, f.target, err)
	}
	if early != nil {
		return early
	}
	return d.recovered(ctx, mended)
}

// awaitLoad waits for a moment at which many requests are under way, and returns
// how many.
func (d *drill) awaitLoad() int64 {
	for end := time.Now().Add(time.Second); d.underWay.Load() < wantedUnderWay && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	return d.underWay.Load()
}

// loseUnsent has clients expect no more of a dead server than it had sent.
func (d *drill) loseUnsent(s *rig.Server) {
	now, local := time.Now(), s.Sessions().Stats().Local
	if local.Unsent > 0 {
		d.say("%s had changes of %d sessions that it had not sent, the oldest for %v", s.Name, local.Unsent, local.OldestUnsent.Round(time.Millisecond))
		d.unsent += local.Unsent
		d.ledger.Forgive(now.Add(-local.OldestUnsent))
	}
}

// recovered waits until everything is as before a fault: all nodes are in use, and
// every session was used until none needs to be mended any more. mended is how many
// had been before.
func (d *drill) recovered(ctx context.Context, mended uint64) error {
	if err := d.site.awaitNodes(ctx); err != nil {
		return err
	}
	last := uint64(0)
	for range mostSweeps {
		inParallel(d.readers, (*client).useOwn)
		if err := d.site.awaitSent(ctx); err != nil {
			return err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
		now := d.site.mended() - mended
		if now == last {
			d.say("recovered: all nodes are in use, %d times a session was mended", now)
			return nil
		}
		last = now
	}
	return fmt.Errorf("after %d reads of every session there are still some to mend", mostSweeps)
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
