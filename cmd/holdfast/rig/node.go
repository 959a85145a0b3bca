package rig

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

// A machine is what a cache node runs on.
type machine interface {
	start() error             // empty, on its address
	kill() error              // at once, as a loss of power
	freeze(frozen bool) error // stands still, and goes on as if nothing had been
}

// A Node is a cache node. It has its address in every life. Its methods are
// called one at a time.
type Node struct {
	Name, Address string
	machine       machine
}

// NewNode starts a node: a memcached process, or a part of this one.
func NewNode(name string, isMemcached bool) (*Node, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	n := &Node{Name: name, Address: address, machine: &embedded{address: address}}
	if isMemcached {
		n.machine = newMemcached(name, address)
	}
	return n, n.Start()
}

// Start begins another life, which is empty.
func (n *Node) Start() error { return n.machine.start() }

// Kill ends the node at once, as a loss of power. It may be dead already.
func (n *Node) Kill() error { return n.machine.kill() }

// Freeze has the node stand still, or go on as if nothing had been.
func (n *Node) Freeze(frozen bool) error { return n.machine.freeze(frozen) }

// Empty makes the node lose all, and nothing else.
func (n *Node) Empty() error {
	conn, err := net.DialTimeout("tcp", n.Address, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprint(conn, "flush_all\r\n"); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && strings.TrimSpace(answer) != "OK" {
		err = fmt.Errorf("%s answers %q to flush_all", n.Name, answer)
	}
	return err
}

// List is nodes as app servers get them.
func List(nodes []*Node) string {
	var all []string
	for _, n := range nodes {
		all = append(all, n.Name+":"+n.Address)
	}
	return strings.Join(all, ",")
}

// freeAddress returns an address on which nobody listens. The port is below
// those that kernels give to connections, so that none of this process's own takes
// it while its owner is dead; and below those of the tests in integration.
func freeAddress() (string, error) {
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(5000))
		if l, err := net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", errors.New("found no free port between 10000 and 15000")
}
