package drill

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

// A site is the nodes and the app servers. Only the drill's own goroutine
// changes it.
type site struct {
	nodes   []*cacheNode
	servers []*server
	copies  int
}

const size = 3 // nodes, and servers

// newSite starts all.
func newSite(opts Options) (s *site, err error) {
	s = &site{copies: opts.Copies}
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
		server, err := newServer(fmt.Sprintf("app%d", i+1), s.list(), s.copies)
		if err != nil {
			return s, err
		}
		s.servers = append(s.servers, server)
	}
	return s, nil
}

// list is the nodes as app servers get them.
func (s *site) list() string {
	var all []string
	for _, n := range s.nodes {
		all = append(all, n.name+":"+n.address)
	}
	return strings.Join(all, ",")
}

func (s *site) close() {
	for _, server := range s.servers {
		server.close()
	}
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
		if p := server.sessions().Stats().Placement; p.MendsOwed+p.EndsOwed > 0 {
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

// mended is how many sessions were mended so far.
func (s *site) mended() uint64 {
	p := s.stats().Placement
	return p.Repairs + p.Relocations
}

// stats sums up those of all lives of all servers that the drill reports.
func (s *site) stats() (sum holdfast.Stats) {
	for _, server := range s.servers {
		for _, l := range server.lives {
			stats := l.sessions.Stats()
			sum.Replays += stats.Replays
			sum.Placement.Relocations += stats.Placement.Relocations
			sum.Placement.Repairs += stats.Placement.Repairs
		}
	}
	return sum
}
