package placement_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// A storm is a few app servers and nodes in fake time, with users at work, and
// one fault after the other, each after the one before is repaired. Whatever a
// user was told must be so: a storm has no other notion of right.
type storm struct {
	t       *testing.T
	nodes   []*faultstore.Node
	copies  int
	stopped chan struct{}
	users   []*user
	sleeper *user        // whose session is used as little as can be
	answers atomic.Int64 // acknowledged changes
	begins  atomic.Int64 // sessions that were begun, or tried to

	mu      sync.Mutex
	rng     *rand.Rand           // guarded by mu
	servers []*placement.Cluster // guarded by mu
	story   []string             // guarded by mu
	began   time.Time
}

// TestStorms plays storms of a few sizes, each from its seed. HOLDFAST_DEEP=1
// plays many more.
func TestStorms(t *testing.T) {
	for _, size := range []size{{2, 2, 2}, {3, 3, 2}, {2, 4, 3}} {
		play(t, size, (*storm).strike)
	}
}

// TestStormsOfServersCutOffFromDifferentNodes has no other fault.
func TestStormsOfServersCutOffFromDifferentNodes(t *testing.T) {
	for _, size := range []size{{2, 3, 2}, {3, 3, 2}, {3, 4, 2}, {2, 4, 3}} {
		play(t, size, func(s *storm) bool { return s.strikeWith(9) })
	}
}

type size struct{ servers, nodes, copies int }

func play(t *testing.T, size size, strike func(*storm) (forgets bool)) {
	seeds := uint64(2)
	if os.Getenv("HOLDFAST_DEEP") != "" {
		seeds = 40
	}
	t.Run(fmt.Sprintf("%d servers, %d nodes, %d copies", size.servers, size.nodes, size.copies), func(t *testing.T) {
		t.Parallel()
		for seed := range seeds {
			synctest.Test(t, func(t *testing.T) {
				s := newStorm(t, seed, size)
				s.run(20, strike)
				if t.Failed() {
					t.Fatalf("seed %d:\n%s", seed, s.told())
				}
			})
		}
	})
}

func newStorm(t *testing.T, seed uint64, size size) *storm {
	s := &storm{t: t, rng: rand.New(rand.NewPCG(seed, 7)), copies: size.copies, stopped: make(chan struct{}), began: time.Now()}
	for range size.nodes {
		n := faultstore.New()
		n.Intercept(s.network)
		s.nodes = append(s.nodes, n)
	}
	for i := range size.servers {
		s.servers = append(s.servers, s.startServer(i))
	}
	for i := range 6 {
		s.users = append(s.users, &user{storm: s, name: i})
	}
	return s
}

// network takes its time.
func (s *storm) network(ctx context.Context, _ faultstore.Call, next func() error) error {
	time.Sleep(time.Duration(s.random(3000)) * time.Microsecond)
	err := next()
	time.Sleep(time.Duration(s.random(3000)) * time.Microsecond)
	return err
}

func (s *storm) startServer(i int) *placement.Cluster {
	c, err := placement.New(s.list(i), placement.Options{Codec: newCodec(s.t), Timeout: timeout, Copies: s.copies})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *storm) random(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.IntN(n)
}

func (s *storm) server(i int) *placement.Cluster {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.servers[i]
}

func (s *storm) log(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.story = append(s.story, fmt.Sprintf("%8v ", time.Since(s.began).Round(time.Millisecond))+fmt.Sprintf(format, args...))
}

// told is the last part of the story.
func (s *storm) told() (text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.story[max(0, len(s.story)-60):] {
		text += line + "\n"
	}
	return text
}

func (s *storm) run(faults int, strike func(*storm) (forgets bool)) {
	var actors sync.WaitGroup
	for _, u := range s.users {
		u.begin()
		for range 3 {
			actors.Go(u.live)
		}
	}
	s.sleeper = &user{storm: s, name: len(s.users)}
	s.sleeper.begin()
	for range faults {
		time.Sleep(time.Duration(s.random(300)) * time.Millisecond)
		forgets := strike(s)
		s.repair()
		if forgets { // only a use finds what it was
			s.sleeper.read(0)
			time.Sleep(timeout)
		}
		if s.t.Failed() {
			break
		}
	}
	close(s.stopped)
	actors.Wait()
	for _, u := range append(s.users, s.sleeper) {
		u.judge()
	}
	if got := s.answers.Load(); got < 1000 && !s.t.Failed() {
		s.t.Errorf("only %d changes were acknowledged: this proves too little", got)
	}
	for i := range s.servers {
		_ = s.server(i).Close()
	}
}

// strike makes one fault come and go, and reports whether a node has forgotten what
// it had.
func (s *storm) strike() (forgets bool) { return s.strikeWith(s.random(10)) }

func (s *storm) strikeWith(kind int) (forgets bool) {
	i := s.random(len(s.nodes))
	n, name := s.nodes[i], fmt.Sprint("n", i+1)
	victim := s.random(len(s.servers))
	wait := func() {
		time.Sleep(time.Duration(s.random(2000)) * time.Millisecond)
		s.sleeper.increment(s.random(len(s.servers)))
		time.Sleep(time.Duration(s.random(2000)) * time.Millisecond)
	}
	s.log("fault %d at %s, app%d", kind, name, victim)
	switch kind {
	case 0:
		n.Kill()
		wait()
		n.Revive()
	case 1:
		n.Freeze()
		wait()
		n.Thaw()
	case 2:
		n.Empty()
	case 3:
		n.Reset()
	case 4:
		client := fmt.Sprint("app", victim)
		n.Cut(client)
		wait()
		n.Mend(client)
	case 5:
		old := n.Snapshot()
		n.Kill()
		wait()
		n.Revive()
		n.Restore(old)
	case 6:
		n.Revive() // restarted empty
	case 7:
		s.killServer(victim)
	case 8:
		if len(s.nodes) > s.copies {
			s.drain(name)
		}
	case 9:
		if len(s.nodes) > s.copies {
			s.cutApart(victim, i, wait)
		}
	}
	s.log("over")
	return slices.Contains([]int{0, 2, 5, 6}, kind)
}

// cutApart cuts a server off from a node, and another server from another node.
func (s *storm) cutApart(server, node int, wait func()) {
	others := []int{(server + 1) % len(s.servers), (node + 1 + s.random(len(s.nodes)-1)) % len(s.nodes)}
	first, second := fmt.Sprint("app", server), fmt.Sprint("app", others[0])
	s.log("and %s at n%d", second, others[1]+1)
	s.nodes[node].Cut(first)
	s.nodes[others[1]].Cut(second)
	wait()
	s.nodes[node].Mend(first)
	s.nodes[others[1]].Mend(second)
}

// drain empties a node under load, and takes it into use again.
func (s *storm) drain(name string) {
	for i := range s.servers {
		if err := s.server(i).Drain(name); err != nil {
			s.t.Errorf("Drain(%s): %v", name, err)
		}
		time.Sleep(time.Duration(s.random(50)) * time.Millisecond)
	}
	for range 3 { // each use moves a session behind it
		s.poke()
		time.Sleep(timeout)
	}
	for _, u := range s.users {
		if v, _, _ := u.load(0); v != nil && slices.Contains(v.Record.Members, name) {
			s.t.Errorf("user %d: the session lies on %v, and %s is drained", u.name, v.Record.Members, name)
		}
	}
	for i := range s.servers {
		if err := s.server(i).SetNodes(s.list(i)); err != nil {
			s.t.Errorf("SetNodes: %v", err)
		}
	}
}

func (s *storm) list(server int) (nodes []store.Node) {
	for n, at := range s.nodes {
		nodes = append(nodes, store.Node{Name: fmt.Sprint("n", n+1), Store: at.Client(fmt.Sprint("app", server))})
	}
	return nodes
}

// killServer abandons a server with what it has under way, and starts another.
func (s *storm) killServer(i int) {
	fresh := s.startServer(i)
	s.mu.Lock()
	dead := s.servers[i]
	s.servers[i] = fresh
	s.mu.Unlock()
	_ = dead.Close()
}

// repair waits until all nodes are asked again and every session has been used.
func (s *storm) repair() {
	for i := range s.servers {
		for _, n := range s.server(i).Nodes() {
			if n.State != "up" {
				time.Sleep(50 * time.Millisecond)
				s.poke() // so that a silent fault is met
			}
		}
	}
	time.Sleep(6 * time.Second)
	for range 3 {
		s.poke()
		time.Sleep(timeout)
	}
	for i := range s.servers {
		for _, n := range s.server(i).Nodes() {
			if n.State != "up" {
				s.log("app%d: %s is %s at the end of the repair", i, n.Name, n.State)
			}
		}
	}
}

func (s *storm) poke() {
	for _, u := range s.users {
		for i := range s.servers {
			u.read(i)
		}
	}
}
