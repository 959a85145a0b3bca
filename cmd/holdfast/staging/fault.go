package staging

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// A fault is one thing that fails, until it is mended.
type fault struct {
	kind, target string
	server       *server // that fails, if one does
	dies         bool    // with what only it has in memory
	strike, mend func() error
	lasts        time.Duration
}

func (f fault) String() string { return f.kind + " " + f.target }

// A kind draws where a fault of this kind happens, and how bad it is.
type kind func(*rand.Rand) fault

// kinds are all that may happen to this cluster. An operator's nodes are only reached
// through lines: they are never stopped or emptied.
func (c *cluster) kinds() []kind {
	all := []kind{c.killServer, c.stopServer, c.resetLines, c.delayLines, c.narrowLines}
	if len(c.nodes) > 1 {
		all = append(all, c.cutLine)
	}
	if c.Spawn > 0 {
		all = append(all, c.killNode, c.stopNode, c.restartNode, c.flushNode)
	}
	return all
}

// A deck has each kind once before any comes again.
type deck struct {
	rng   *rand.Rand
	kinds []kind
	left  []kind
}

func newDeck(seed uint64, kinds []kind) *deck {
	return &deck{rng: rand.New(rand.NewPCG(seed, 0)), kinds: kinds}
}

func (d *deck) draw() fault {
	if len(d.left) == 0 {
		for _, i := range d.rng.Perm(len(d.kinds)) {
			d.left = append(d.left, d.kinds[i])
		}
	}
	next := d.left[0]
	d.left = d.left[1:]
	return next(d.rng)
}

func nothing() error { return nil }

// between is at least least, and below most.
func between(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)))
}

func (c *cluster) anyServer(rng *rand.Rand) *server { return c.servers[rng.IntN(len(c.servers))] }
func (c *cluster) anyNode(rng *rand.Rand) node      { return c.nodes[rng.IntN(len(c.nodes))] }

func (c *cluster) killServer(rng *rand.Rand) fault {
	s := c.anyServer(rng)
	lasts := between(rng, 200*time.Millisecond, 600*time.Millisecond)
	return fault{"kill -9 of", s.Name, s, true, s.Kill, s.Start, lasts}
}

func (c *cluster) stopServer(rng *rand.Rand) fault {
	s := c.anyServer(rng)
	lasts := between(rng, rig.Patience*3/2, rig.Patience*5/2)
	return fault{"SIGSTOP of", s.Name, s, false, freezing(s.Freeze, true), freezing(s.Freeze, false), lasts}
}

func freezing(freeze func(bool) error, frozen bool) func() error {
	return func() error { return freeze(frozen) }
}

func (c *cluster) killNode(rng *rand.Rand) fault {
	n := c.anyNode(rng)
	lasts := between(rng, 500*time.Millisecond, 1500*time.Millisecond)
	return fault{"kill -9 of", n.name, nil, false, n.own.Kill, n.own.Start, lasts}
}

func (c *cluster) stopNode(rng *rand.Rand) fault {
	n := c.anyNode(rng)
	lasts := between(rng, rig.Patience*3/2, rig.Patience*5/2)
	return fault{"SIGSTOP of", n.name, nil, false, freezing(n.own.Freeze, true), freezing(n.own.Freeze, false), lasts}
}

// restartNode is a kill of which nobody may notice more than that all is gone.
func (c *cluster) restartNode(rng *rand.Rand) fault {
	n := c.anyNode(rng)
	restart := func() error {
		if err := n.own.Kill(); err != nil {
			return err
		}
		return n.own.Start()
	}
	return fault{"restart, empty, of", n.name, nil, false, restart, nothing, 0}
}

func (c *cluster) flushNode(rng *rand.Rand) fault {
	n := c.anyNode(rng)
	return fault{"flush_all of", n.name, nil, false, n.own.Empty, nothing, 0}
}

func (c *cluster) resetLines(rng *rand.Rand) fault {
	n := c.anyNode(rng)
	reset := func() error {
		for _, l := range n.lines {
			l.reset()
		}
		return nil
	}
	return fault{"reset of all connections to", n.name, nil, false, reset, nothing, 0}
}

func (c *cluster) delayLines(rng *rand.Rand) fault {
	ms := 10 + rng.IntN(91)
	return c.trouble(rng, fmt.Sprintf("%d ms more latency each way to", ms), trouble{latency: time.Duration(ms) * time.Millisecond})
}

func (c *cluster) narrowLines(rng *rand.Rand) fault {
	rate := 16 + rng.IntN(112) // below what the load takes
	return c.trouble(rng, fmt.Sprintf("%d KiB/s for each connection to", rate), trouble{rate: rate << 10})
}

// trouble is one of all lines to a node.
func (c *cluster) trouble(rng *rand.Rand, what string, t trouble) fault {
	n := c.anyNode(rng)
	return fault{what, n.name, nil, false, setting(t, n.lines...), setting(trouble{}, n.lines...), between(rng, time.Second, 3*time.Second)}
}

func setting(t trouble, lines ...*line) func() error {
	return func() error {
		for _, l := range lines {
			l.set(t)
		}
		return nil
	}
}

// cutLine is one server without a node that all others reach.
func (c *cluster) cutLine(rng *rand.Rand) fault {
	n, i := c.anyNode(rng), rng.IntN(len(c.servers))
	target := c.servers[i].Name + " from " + n.name
	return fault{"cut of", target, nil, false, setting(trouble{cut: true}, n.lines[i]), setting(trouble{}, n.lines[i]), between(rng, time.Second, 2*time.Second)}
}
