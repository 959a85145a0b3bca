package placement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast/placement/health"
	"github.com/holdfast-sessions/holdfast/store"
)

// SetNodes makes nodes the list, in that order. A name that is known keeps its
// Store: it must never be moved to another server. Nodes that the list lacks are
// drained.
//
// A cluster that began with one node stays with it: nothing would watch the others.
//
// A server that does not know a node cannot change the sessions that lie there.
// So a new node is given in two steps: first drained, to all servers, then to be
// used.
func (c *Cluster) SetNodes(nodes []store.Node) error {
	return c.change(func(r *roster) (*roster, error) {
		if len(nodes) > 1 && c.patience == 0 {
			return nil, errors.New("this server began with one node and cannot use more: restart it with the new list")
		}
		next, err := r.extended(nodes, c.watched)
		if err != nil {
			return nil, err
		}
		for _, name := range c.failover {
			i := next.index(name)
			if i < 0 {
				return nil, fmt.Errorf("failover node %q is not among the nodes", name)
			}
			next.failover = next.failover.with(i)
		}
		return next, next.check(c.copies)
	})
}

// Drain makes sessions leave the node called name, each with its next request.
// Until then they are read there. SetNodes with the node in its list ends it.
func (c *Cluster) Drain(name string) error {
	return c.change(func(r *roster) (*roster, error) {
		i := r.index(name)
		if i < 0 {
			return nil, fmt.Errorf("there is no node %q", name)
		}
		next := *r
		next.draining = r.draining.with(i)
		return &next, next.check(c.copies)
	})
}

func (c *Cluster) change(to func(*roster) (*roster, error)) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	next, err := to(c.roster.Load())
	if err == nil {
		c.roster.Store(next)
	}
	return err
}

// check says what is wrong with a roster.
func (r *roster) check(copies int) error {
	used := r.every() &^ r.draining
	switch {
	case used&^r.failover == 0:
		return errors.New("all nodes are failover nodes or drained: leave at least one for sessions to lie on")
	case used.size() < copies:
		return fmt.Errorf("%d copies of a session do not fit on the %d nodes that are left", copies, used.size())
	}
	return nil
}

// watched is a node with a monitor, unless it is the only one: that is asked
// whatever happens.
func (c *Cluster) watched(given store.Node, index int) *node {
	n := &node{Node: given, index: index, owed: new(owed)}
	if c.patience > 0 {
		n.monitor = health.New(health.Options{
			Probe:        func(ctx context.Context) error { return probe(ctx, given.Store) },
			Return:       func(ctx context.Context) error { return c.deliver(ctx, n) },
			Changed:      func(from, to health.State, why error) { c.turned(n, to, why) },
			ProbeTimeout: c.patience,
			Patience:     c.patience,
			Quarantine:   quarantine,
		})
	}
	return n
}

// probeKey is asked for to see whether a node answers. Storage keys are longer.
const probeKey = "holdfast-probe"

func probe(ctx context.Context, s store.Store) error {
	_, err := s.Get(ctx, probeKey, store.Head)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// turned is told of each change of a node's health.
func (c *Cluster) turned(n *node, to health.State, why error) {
	switch to {
	case health.Down:
		c.log.Warn("a cache node does not answer", "node", n.Name, "error", why)
	case health.Up:
		c.log.Info("a cache node answers", "node", n.Name)
		c.mendAll()
		if tell := c.returned.Load(); tell != nil {
			(*tell)(n.Name)
		}
	case health.Suspect, health.Returning:
	}
}

// A NodeState tells what this server thinks of one node.
type NodeState struct {
	Name     string    `json:"name"`
	State    string    `json:"state"`          // up, suspect, down, returning
	Since    time.Time `json:"since,omitzero"` // when the state began
	Failover bool      `json:"failover,omitempty"`
	Draining bool      `json:"draining,omitempty"`
}

// Nodes returns the state of each node, in list order; those that were taken from
// the list are last.
func (c *Cluster) Nodes() []NodeState {
	r := c.roster.Load()
	var all []NodeState
	for _, i := range r.order {
		n := r.nodes[i]
		s := NodeState{Name: n.Name, State: health.Up.String(), Failover: r.failover.has(i), Draining: r.draining.has(i)}
		if n.monitor != nil {
			s.State, s.Since = n.monitor.State().String(), n.monitor.Since()
		}
		all = append(all, s)
	}
	return all
}
