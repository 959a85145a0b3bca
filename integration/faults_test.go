package integration

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
)

// A fault is one process or one line that fails, until it is healed.
type fault struct {
	name      string
	strike    func()
	lasts     time.Duration
	heal      func()
	app       *appServer // that fails, if one does
	remembers bool       // it goes on as if nothing had been
}

// faults are one of each kind at each place, in an order in which the same
// process never fails twice in a row.
func (d *drill) faults() []fault { return append(d.appFaults(), d.nodeFaults()...) }

// appFaults are those of app servers.
func (d *drill) appFaults() (all []fault) {
	for _, app := range d.apps {
		all = append(all, kill(app))
	}
	for _, app := range d.apps {
		all = append(all, fault{"SIGSTOP and SIGCONT of " + app.route, app.Freeze, operationTimeout * 3 / 2, app.Thaw, app, true})
	}
	return all
}

func kill(app *appServer) fault {
	return fault{"kill -9 " + app.route, app.Kill, 200 * time.Millisecond, app.Start, app, false}
}

// nodeFaults are those of memcached and of the lines to it.
func (d *drill) nodeFaults() (all []fault) {
	for i := range d.nodes {
		all = append(all, d.killNode(i))
	}
	for i, node := range d.nodes {
		all = append(all, fault{"SIGSTOP and SIGCONT of " + nodeName(i), node.Freeze, 2 * operationTimeout, node.Thaw, nil, false})
	}
	for i, node := range d.nodes {
		all = append(all, fault{"restart of " + nodeName(i) + ", empty", node.Restart, 0, nothing, nil, false})
	}
	for i, node := range d.nodes {
		all = append(all, fault{"flush_all of " + nodeName(i), func() { flush(d.t, node) }, 0, nothing, nil, false})
	}
	for i, line := range d.lines {
		all = append(all, fault{"reset of all connections to " + nodeName(i), line.Reset, 0, nothing, nil, false})
	}
	return all
}

func nothing() {}

// killNode kills a memcached, whose port then refuses connections, and starts it
// again, empty.
func (d *drill) killNode(i int) fault {
	kill := func() {
		d.nodes[i].Kill()
		d.lines[i].Cut()
	}
	start := func() {
		d.nodes[i].Start()
		d.lines[i].Mend()
	}
	return fault{"kill -9 " + nodeName(i), kill, time.Second, start, nil, false}
}

// flush empties a memcached.
func flush(t *testing.T, node *servers.Memcached) {
	t.Helper()
	c := dialNode(t, node)
	defer c.Close()
	if got := c.ask("flush_all")[0]; got != "OK" {
		t.Errorf("flush_all was answered %q", got)
	}
}

// A nodeConn asks a memcached directly, past the line that faults are put on.
type nodeConn struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func dialNode(t *testing.T, node *servers.Memcached) *nodeConn {
	t.Helper()
	conn, err := net.Dial("tcp", node.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return &nodeConn{t, conn, bufio.NewReader(conn)}
}

// ask sends commands without data blocks, all at once, and returns the lines that
// answer them.
func (c *nodeConn) ask(commands ...string) []string {
	c.t.Helper()
	if _, err := fmt.Fprintf(c, "%s\r\n", strings.Join(commands, "\r\n")); err != nil {
		c.t.Fatal(err)
	}
	answers := make([]string, len(commands))
	for i := range answers {
		line, err := c.in.ReadString('\n')
		if err != nil {
			c.t.Fatal(err)
		}
		answers[i] = strings.TrimSuffix(line, "\r\n")
	}
	return answers
}
