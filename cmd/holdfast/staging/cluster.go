package staging

import (
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// A cluster is the app servers, the nodes, and the lines between them.
type cluster struct {
	Options
	nodes   []node
	servers []*server
	asking  http.Client // for statistics
}

// A node is one memcached. Only its own may be touched.
type node struct {
	name, address string
	own           *rig.Node // nil: it is the operator's
	lines         []*line   // by server
}

// A server is one app server.
type server struct {
	*rig.Process
	down atomic.Bool // the balancer has found out that it hangs
	said *tail
}

// newCluster starts all.
func newCluster(o Options) (c *cluster, err error) {
	c = &cluster{Options: o, asking: http.Client{Timeout: 5 * time.Second}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("cannot start: %w", err), c.close())
		}
	}()
	if err := c.startNodes(); err != nil {
		return c, err
	}
	for i := range o.Servers {
		if err := c.startServer(i); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c *cluster) startNodes() error {
	for _, entry := range c.Nodes {
		name, address, _ := strings.Cut(entry, ":")
		c.nodes = append(c.nodes, node{name: name, address: address})
	}
	for i := range c.Spawn {
		n, err := rig.NewNode(fmt.Sprintf("n%d", i+1), true)
		if n != nil {
			c.nodes = append(c.nodes, node{name: n.Name, address: n.Address, own: n})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// startServer gives server i a line to each node, for each life the same.
func (c *cluster) startServer(i int) error {
	var list []string
	for n := range c.nodes {
		line, err := newLine(c.nodes[n].address)
		if err != nil {
			return err
		}
		c.nodes[n].lines = append(c.nodes[n].lines, line)
		list = append(list, c.nodes[n].name+":"+line.Addr().String())
	}
	s := &server{said: &tail{limit: 2 << 10}}
	process, err := rig.NewProcess(fmt.Sprintf("app%d", i+1), func(address string) (*exec.Cmd, error) {
		return c.appCommand(s, address, strings.Join(list, ",")), nil
	})
	if err != nil {
		return err
	}
	s.Process, c.servers = process, append(c.servers, s)
	if err := s.Start(); err != nil {
		return fmt.Errorf("%w\n%s", err, s.said)
	}
	return nil
}

func (c *cluster) appCommand(s *server, address, nodes string) *exec.Cmd {
	args := []string{
		"app", "--listen", address, "--route", s.Name, "--nodes", nodes, "--namespace", c.namespace,
		"--idle-timeout", idleTimeout.String(), "--operation-timeout", rig.Patience.String(),
		"--insecure-cookie", "--cookie-name", rig.CookieName,
	}
	cmd := exec.Command(c.Program, append(args, c.Mode.flags...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = c.Environment, s.said, s.said
	return cmd
}

// close ends what this process has started, and nothing else.
func (c *cluster) close() error {
	var failed []error
	for _, s := range c.servers {
		failed = append(failed, s.Kill())
	}
	for _, n := range c.nodes {
		for _, l := range n.lines {
			failed = append(failed, l.Close())
		}
		if n.own != nil {
			failed = append(failed, n.own.Kill())
		}
	}
	return errors.Join(failed...)
}

// tail keeps the last bytes that were written to it.
type tail struct {
	limit int
	mu    sync.Mutex
	bytes []byte // guarded by mu
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes = append(t.bytes, b...)
	t.bytes = t.bytes[max(0, len(t.bytes)-t.limit):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.bytes)
}
