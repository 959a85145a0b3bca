package rig

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// NodeStats are what a node says of itself.
type NodeStats struct {
	Commands uint64 // since it was started
	Items    uint64 // that it holds; a memcached counts those that a flush took until it meets them
}

// Stats asks the node, which may be busy or frozen: it waits for at most wait. It may
// be called while something else is done to the node.
func (n *Node) Stats(wait time.Duration) (s NodeStats, err error) {
	conn, err := net.DialTimeout("tcp", n.Address, wait)
	if err != nil {
		return s, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return s, err
	}
	if _, err := fmt.Fprint(conn, "stats\r\n"); err != nil {
		return s, err
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() && lines.Text() != "END" {
		s.read(strings.Fields(lines.Text()))
	}
	return s, lines.Err()
}

func (s *NodeStats) read(line []string) {
	if len(line) != 3 {
		return
	}
	n, err := strconv.ParseUint(line[2], 10, 64)
	if err != nil {
		return // not a number
	}
	switch line[1] {
	case "curr_items":
		s.Items = n
	case "cmd_get", "cmd_set", "cmd_touch":
		s.Commands += n
	}
}
