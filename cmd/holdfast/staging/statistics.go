package staging

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// statistics are what an app server says of itself.
type statistics struct {
	holdfast.Stats
	Nodes []holdfast.NodeState `json:"nodes"`
}

func (c *cluster) ask(s *server) (all statistics, err error) {
	res, err := c.asking.Get("http://" + s.Address + "/stats")
	if err != nil {
		return all, err
	}
	defer res.Body.Close()
	return all, json.NewDecoder(res.Body).Decode(&all)
}

// awaitNodes waits until all servers use all nodes, and owe them nothing.
func (c *cluster) awaitNodes(ctx context.Context) error {
	return c.awaitEach(ctx, "to use all nodes again", func(s statistics) bool {
		for _, n := range s.Nodes {
			if n.State != "up" {
				return false
			}
		}
		return s.Placement.MendsOwed+s.Placement.EndsOwed == 0
	})
}

// recoveryTimeout is how long everything may take to be as before a fault.
const recoveryTimeout = time.Minute

// awaitEach waits until each server says that it is as it should be.
func (c *cluster) awaitEach(ctx context.Context, what string, is func(statistics) bool) error {
	for end := time.Now().Add(recoveryTimeout); ; {
		waiting := c.anyThat(func(s statistics) bool { return !is(s) })
		if waiting == "" {
			return ctx.Err()
		}
		if time.Now().After(end) {
			return fmt.Errorf("%v were not enough for %s %s", recoveryTimeout, waiting, what)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// anyThat names a server that answers so, or not at all; "" is none.
func (c *cluster) anyThat(is func(statistics) bool) string {
	for _, server := range c.servers {
		if s, err := c.ask(server); err != nil || is(s) {
			return server.Name
		}
	}
	return ""
}

// mended is how many sessions the servers have mended in the lives that they are in.
func (c *cluster) mended() (n uint64) {
	for _, server := range c.servers {
		if s, err := c.ask(server); err == nil {
			n += s.Placement.Repairs + s.Placement.Relocations + s.Placement.Degraded
		}
	}
	return n
}

// pause returns early with the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	return ctx.Err()
}
