package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// What is done to the cluster is done by one goroutine, the operator, one order after
// the other.

// An order is one thing to do, and where its outcome goes.
type order struct {
	do   func() error
	told chan<- error
}

// what can be done to a part.
type what string

const (
	kill   what = "kill"
	freeze what = "freeze"
	empty  what = "empty"
	revive what = "revive"
)

// errRefused is an order that makes no sense now.
var errRefused = errors.New("refused")

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errRefused}, args...)...)
}

func (c *cluster) operate() {
	defer close(c.done)
	for {
		select {
		case o := <-c.orders:
			o.told <- o.do()
		case <-c.quit:
			return
		}
	}
}

// give has the operator do something. An order that was taken is carried out, even
// if ctx ends meanwhile.
func (c *cluster) give(ctx context.Context, do func() error) error {
	told := make(chan error, 1)
	select {
	case c.orders <- order{do, told}:
	case <-ctx.Done():
		return ctx.Err()
	case <-c.quit:
		return refused("the demo ends")
	}
	return <-told
}

// strike does what to the part called name.
func (c *cluster) strike(ctx context.Context, name string, w what) error {
	do := c.find[name]
	if do == nil {
		return refused("there is no %q", name)
	}
	return c.give(ctx, func() error { return do(w) })
}

func (c *cluster) toNode(n *rig.Node, w what) error {
	name := n.Name
	switch is := c.part(name).state; {
	case w == kill && is != dead:
		return c.did(n.Kill(), name, dead, fault(name, "%s died: its connections are closed, and what it held is gone.", name))
	case w == freeze && is == up:
		return c.did(n.Freeze(true), name, frozen, fault(name, "%s hangs: it takes connections and answers nothing.", name))
	case w == empty && is == up:
		c.change(name, func(p *part) { p.emptied = time.Now() })
		return c.did(n.Empty(), name, up, fault(name, "%s was emptied: it answers, and what it held is gone.", name))
	case w == revive && is == dead:
		return c.did(n.Start(), name, up, relief(name, "%s is back, and empty. It is used again when it has answered for two seconds.", name))
	case w == revive && is == frozen:
		return c.did(n.Freeze(false), name, up, relief(name, "%s goes on where it stood. What changed meanwhile counts, not what it still holds.", name))
	default:
		return refused("%s is %s", name, is)
	}
}

func (c *cluster) toServer(s *rig.Server, w what) error {
	name := s.Name
	switch is := c.part(name).state; {
	case w == kill && is != dead:
		c.killServer(s)
		return c.did(nil, name, dead, fault(name, "%s died, with all that was in its memory.", name))
	case w == freeze && is == up:
		s.Freeze(true)
		return c.did(nil, name, frozen, fault(name, "%s hangs: it takes requests and answers none.", name))
	case w == empty && is == up:
		c.killServer(s)
		return c.did(c.startServer(s), name, up, fault(name, "%s died and was started again at once: its memory is empty.", name))
	case w == revive && is == dead:
		return c.did(c.startServer(s), name, up, relief(name, "%s is back, with an empty memory.", name))
	case w == revive && is == frozen:
		s.Freeze(false)
		return c.did(nil, name, up, relief(name, "%s goes on where it stood.", name))
	default:
		return refused("%s is %s", name, is)
	}
}

// did notes what was done to a part, and tells it, unless it went wrong.
func (c *cluster) did(err error, name string, is state, n note) error {
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c.change(name, func(p *part) { p.state = is })
	c.tell(n)
	return nil
}

// killServer says what the server had not sent: that is all that its death can cost.
func (c *cluster) killServer(s *rig.Server) {
	s.Kill()
	c.change(s.Name, func(p *part) { p.state = dead })
	local := s.Sessions().Stats().Local
	if local.Unsent > 0 {
		c.lost(time.Now().Add(-local.OldestUnsent))
		c.tell(fault(s.Name, "%s held changes of %d sessions that no node had yet, the oldest for %v: with asynchronous backup they are lost.",
			s.Name, local.Unsent, local.OldestUnsent.Round(time.Millisecond)))
	}
}

// startServer begins another life, of which the former ones leave nothing.
func (c *cluster) startServer(s *rig.Server) error {
	if err := s.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	s.Bury(ctx)
	c.change(s.Name, func(p *part) { p.state, p.sessions = up, s.Sessions() })
	return nil
}

const stopTimeout = 3 * time.Second

// configure has all servers that run end and begin again with other settings: the
// caller holds up the requests meanwhile.
func (c *cluster) configure(ctx context.Context, mode rig.Mode, copies int) error {
	if copies < 1 || copies > size {
		return refused("%d copies on %d nodes", copies, size)
	}
	return c.give(ctx, func() error {
		c.mu.Lock()
		c.mode, c.copies = mode, copies
		c.mu.Unlock()
		err := c.restartServers()
		c.tell(remark("From now on: %s, %s. The servers have been restarted, and the sessions lay on the nodes meanwhile.", spoken(mode), copiesSpoken(copies)))
		return err
	})
}

func (c *cluster) restartServers() error {
	errs := make([]error, size)
	var restarting sync.WaitGroup
	for i, s := range c.servers {
		is := c.part(s.Name).state
		if is == dead {
			continue
		}
		restarting.Go(func() {
			if is == frozen { // it cannot be asked to end
				c.killServer(s)
			} else if err := s.Stop(stopTimeout); err != nil {
				errs[i] = err
			}
			errs[i] = errors.Join(errs[i], c.startServer(s))
		})
	}
	restarting.Wait()
	return errors.Join(errs...)
}
