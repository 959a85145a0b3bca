package demo

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/ledger"
	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

const size = 3 // nodes, and servers

// A cluster is the nodes and the app servers.
type cluster struct {
	app     func(m *holdfast.Manager, route string) http.Handler
	tell    func(note)                  // what happened
	lost    func(since time.Time)       // a server died with changes that were acknowledged since then
	orders  chan order                  // to the operator
	quit    chan struct{}               // closed when it shall leave
	done    chan struct{}               // closed when it has left
	nodes   []*rig.Node                 // the operator's alone, but for their addresses and Stats
	servers []*rig.Server               // likewise
	find    map[string]func(what) error // how the operator obeys, by name

	mu     sync.Mutex
	mode   rig.Mode // guarded by mu
	copies int      // guarded by mu
	parts  []part   // servers, then nodes, in their order; guarded by mu
}

// A part is a server or a node as it is now.
type part struct {
	name     string
	isNode   bool
	state    state
	emptied  time.Time         // when it lost what it had without dying; zero: never
	sessions *holdfast.Manager // a server's
}

// A state is what was last done to a part.
type state string

const (
	up     state = "up"
	dead   state = "dead"
	frozen state = "frozen"
)

// newCluster starts all.
func newCluster(o Options, tell func(note)) (c *cluster, err error) {
	c = &cluster{
		app: o.App, tell: tell, lost: func(time.Time) {}, mode: rig.NonSticky(), copies: o.Copies,
		orders: make(chan order), quit: make(chan struct{}), done: make(chan struct{}), find: map[string]func(what) error{},
	}
	defer func() {
		if err != nil {
			c.closeAll()
			err = fmt.Errorf("cannot start: %w", err)
		}
	}()
	if c.copies < 1 || c.copies > size {
		return c, fmt.Errorf("%d copies on %d nodes: take 1 to %d", c.copies, size, size)
	}
	if err := c.startNodes(o.Memcached); err != nil {
		return c, err
	}
	if err := c.startServers(); err != nil {
		return c, err
	}
	go c.operate()
	return c, nil
}

func (c *cluster) startNodes(isMemcached bool) error {
	for i := range size {
		n, err := rig.NewNode(fmt.Sprintf("n%d", i+1), isMemcached)
		if err != nil {
			return err
		}
		c.nodes = append(c.nodes, n)
	}
	return nil
}

func (c *cluster) startServers() error {
	for i := range size {
		name := fmt.Sprintf("app%d", i+1)
		s, err := rig.NewServer(name, func() rig.Setup { return c.setup(name) })
		if err != nil {
			return err
		}
		c.servers = append(c.servers, s)
		c.parts = append(c.parts, part{name: name, state: up, sessions: s.Sessions()})
		c.find[name] = func(w what) error { return c.toServer(s, w) }
	}
	for _, n := range c.nodes {
		c.parts = append(c.parts, part{name: n.Name, isNode: true, state: up})
		c.find[n.Name] = func(w what) error { return c.toNode(n, w) }
	}
	return nil
}

// setup is what a server that starts now is made of. Beside the app it has the one
// of the simulated users.
func (c *cluster) setup(name string) rig.Setup {
	mode, copies := c.settings()
	return rig.Setup{
		Nodes: rig.List(c.nodes), Options: mode.Options(name, copies),
		Handler: func(m *holdfast.Manager) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/", c.app(m, name))
			mux.Handle(loadPath+"/", http.StripPrefix(loadPath, ledger.Handler(m)))
			return mux
		},
	}
}

func (c *cluster) settings() (rig.Mode, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mode, c.copies
}

// look returns the parts as they are now.
func (c *cluster) look() []part {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]part{}, c.parts...)
}

// part is the one with that name, or one that is up and has none.
func (c *cluster) part(name string) part {
	for _, p := range c.look() {
		if p.name == name {
			return p
		}
	}
	return part{state: up}
}

func (c *cluster) change(name string, to func(*part)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.parts {
		if c.parts[i].name == name {
			to(&c.parts[i])
		}
	}
}

// close ends everything, after the order that is under way.
func (c *cluster) close() {
	close(c.quit)
	<-c.done
	c.closeAll()
}

func (c *cluster) closeAll() {
	ctx, cancel := context.WithTimeout(context.Background(), rig.Patience)
	defer cancel()
	var closing sync.WaitGroup
	for _, s := range c.servers {
		closing.Go(func() { s.Close(ctx) })
	}
	closing.Wait()
	for _, n := range c.nodes {
		_ = n.Kill()
	}
}
