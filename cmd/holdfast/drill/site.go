package drill

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// A site is the nodes and the app servers. Only the drill's own goroutine
// changes it.
type site struct {
	nodes   []*cacheNode
	servers []*server
	mode    mode
	copies  int
}

const size = 3 // nodes, and servers

// newSite starts all.
func newSite(m mode, opts Options) (s *site, err error) {
	s = &site{mode: m, copies: opts.Copies}
	defer func() {
		if err != nil {
			s.close()
			err = fmt.Errorf("cannot start: %w", err)
		}
	}()
	for i := range size {
		n, err := newNode(fmt.Sprintf("n%d", i+1), opts.Memcached)
		if err != nil {
			return s, err
		}
		s.nodes = append(s.nodes, n)
	}
	for i := range size {
		server, err := newServer(s, serverName(i))
		if err != nil {
			return s, err
		}
		s.servers = append(s.servers, server)
	}
	return s, nil
}

func serverName(i int) string { return fmt.Sprintf("app%d", i+1) }

// list is the nodes as app servers get them.
func (s *site) list() string {
	var all []string
	for _, n := range s.nodes {
		all = append(all, n.name+":"+n.address)
	}
	return strings.Join(all, ",")
}

func (s *site) close() {
	var closing sync.WaitGroup
	for _, server := range s.servers {
		closing.Go(server.close)
	}
	closing.Wait()
	for _, n := range s.nodes {
		_ = n.kill()
	}
}

// awaitNodes waits until all servers use all nodes, and owe them nothing.
func (s *site) awaitNodes(ctx context.Context) error {
	for end := time.Now().Add(20 * time.Second); !s.nodesAreUp(); {
		if time.Now().After(end) {
			return fmt.Errorf("20 seconds after the last fault the app servers do not use all nodes: has this machine too much to do? %v", s.servers[0].sessions().Nodes())
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) nodesAreUp() bool {
	for _, server := range s.servers {
		if s := server.sessions().Stats(); s.Placement.MendsOwed+s.Placement.EndsOwed > 0 {
			return false
		}
		for _, n := range server.sessions().Nodes() {
			if n.State != "up" {
				return false
			}
		}
	}
	return true
}

// awaitSent waits until no server holds a change alone.
func (s *site) awaitSent(ctx context.Context) error {
	for end := time.Now().Add(10 * time.Second); s.stats().Local.Unsent > 0; {
		if time.Now().After(end) {
			return errors.New("10 seconds after the last request there are changes that were not sent to the nodes")
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// mended is how many sessions were mended so far.
func (s *site) mended() uint64 {
	p := s.stats().Placement
	return p.Repairs + p.Relocations
}

// stats sums up those of all lives of all servers that the drill reports. What a dead
// one did not send it never will.
func (s *site) stats() (sum holdfast.Stats) {
	for _, server := range s.servers {
		for _, l := range server.lives {
			stats := l.sessions.Stats()
			sum.Replays += stats.Replays
			sum.Placement.Relocations += stats.Placement.Relocations
			sum.Placement.Repairs += stats.Placement.Repairs
			sum.Local.TakeOvers += stats.Local.TakeOvers
		}
		sum.Local.Unsent += server.sessions().Stats().Local.Unsent
	}
	return sum
}
