package drill

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/ledger"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// A site is the nodes and the app servers. Only the drill's own goroutine
// changes it.
type site struct {
	nodes   []*rig.Node
	servers []*rig.Server
	mode    rig.Mode
	copies  int
}

const size = 3 // nodes, and servers

// newSite starts all.
func newSite(m rig.Mode, opts Options) (s *site, err error) {
	s = &site{mode: m, copies: opts.Copies}
	defer func() {
		if err != nil {
			s.close()
			err = fmt.Errorf("cannot start: %w", err)
		}
	}()
	for i := range size {
		n, err := rig.NewNode(fmt.Sprintf("n%d", i+1), opts.Memcached)
		if err != nil {
			return s, err
		}
		s.nodes = append(s.nodes, n)
	}
	for i := range size {
		server, err := rig.NewServer(serverName(i), func() rig.Setup { return s.setup(serverName(i)) })
		if err != nil {
			return s, err
		}
		s.servers = append(s.servers, server)
	}
	return s, nil
}

func (s *site) setup(route string) rig.Setup {
	return rig.Setup{Nodes: rig.List(s.nodes), Options: s.mode.Options(route, s.copies), Handler: ledger.Handler}
}

func serverName(i int) string { return fmt.Sprintf("app%d", i+1) }

func (s *site) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*rig.Patience)
	defer cancel()
	var closing sync.WaitGroup
	for _, server := range s.servers {
		closing.Go(func() { server.Close(ctx) })
	}
	closing.Wait()
	for _, n := range s.nodes {
		_ = n.Kill()
	}
}

// awaitNodes waits until all servers use all nodes, and owe them nothing.
func (s *site) awaitNodes(ctx context.Context) error {
	for end := time.Now().Add(20 * time.Second); !s.nodesAreUp(); {
		if time.Now().After(end) {
			return fmt.Errorf("20 seconds after the last fault the app servers do not use all nodes: has this machine too much to do? %v", s.servers[0].Sessions().Nodes())
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) nodesAreUp() bool {
	for _, server := range s.servers {
		if s := server.Sessions().Stats(); s.Placement.MendsOwed+s.Placement.EndsOwed > 0 {
			return false
		}
		for _, n := range server.Sessions().Nodes() {
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
		for _, life := range server.Lives() {
			stats := life.Stats()
			sum.Replays += stats.Replays
			sum.Placement.Relocations += stats.Placement.Relocations
			sum.Placement.Repairs += stats.Placement.Repairs
			sum.Local.TakeOvers += stats.Local.TakeOvers
		}
		sum.Local.Unsent += server.Sessions().Stats().Local.Unsent
	}
	return sum
}
