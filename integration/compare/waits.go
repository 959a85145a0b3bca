package main

import (
	"slices"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// A cost is what one request costs on the way to the nodes.
type cost struct {
	waits    int // sequential round trips before the answer
	commands int // in all, with those behind the answer
}

// countWaits lets single requests go through slow lines. How often the time of one line
// went by says how many round trips the user waits for; the nodes count the commands.
func (f *field) countWaits(r *rig) error {
	if r.nodes == 0 {
		return nil
	}
	var through []string
	for _, addr := range r.addrs {
		line, err := openSlowLine(r.ctx, addr, f.plan.hold)
		if err != nil {
			return err
		}
		defer line.close()
		through = append(through, line.addr())
	}
	app, addr, err := startApp(r.ctx, r.contestant, through)
	if err != nil {
		return err
	}
	defer app.Kill()
	slow := &rig{contestant: r.contestant, ctx: r.ctx, addrs: r.addrs, load: newLoad(addr, 1, false), monitor: &measure.Browser{Addr: addr}}
	defer slow.close()
	if err := slow.populate(plan{connections: 1, visitors: 1}); err != nil { // it connects to the nodes
		return err
	}
	for _, k := range kinds() {
		if r.result.costs[k], err = slow.cost(k, f.plan); err != nil {
			return err
		}
	}
	return nil
}

// cost is the least of some tries: what the servers do for themselves, such as looking
// after their nodes, may come on top of one, but not of each.
func (r *rig) cost(k kind, p plan) (cost, error) {
	var waits, commands []int
	for range p.tries {
		if k == destroy {
			if err := r.apply(begin, times(1)); err != nil {
				return cost{}, err
			}
		}
		c, err := r.try(k, p.hold)
		if err != nil {
			return cost{}, err
		}
		waits, commands = append(waits, c.waits), append(commands, c.commands)
	}
	return cost{waits: slices.Min(waits), commands: slices.Min(commands)}, nil
}

func (r *rig) try(k kind, hold time.Duration) (cost, error) {
	before, err := r.quiet(hold)
	if err != nil {
		return cost{}, err
	}
	start := time.Now()
	if err := r.apply(k, times(1)); err != nil {
		return cost{}, err
	}
	took := time.Since(start)
	after, err := r.quiet(hold)
	return cost{waits: int(took / hold), commands: after.Commands - before.Commands}, err
}

// quiet is the nodes' usage when nothing is under way any more.
func (r *rig) quiet(hold time.Duration) (measure.NodeUsage, error) {
	if _, err := r.appUsage(false); err != nil {
		return measure.NodeUsage{}, err
	}
	time.Sleep(hold) // what nobody waits for
	return measure.AskNodes(r.addrs)
}
