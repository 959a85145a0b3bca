package drill

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

// A cacheNode has its address in every life.
type cacheNode struct {
	machine
	name, address string
}

// newNode starts a node.
func newNode(name string, isMemcached bool) (*cacheNode, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	n := &cacheNode{name: name, address: address, machine: &embedded{address: address}}
	if isMemcached {
		n.machine = &memcached{address: address}
	}
	return n, n.start()
}

// flush makes the node lose all, and nothing else.
func (n *cacheNode) flush() error {
	conn, err := net.DialTimeout("tcp", n.address, time.Second)
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
		err = fmt.Errorf("%s answers %q to flush_all", n.name, answer)
	}
	return err
}

// freeAddress returns an address on which nobody listens. The port is below
// those that kernels give to connections, so that none of the drill's own takes it
// while its owner is dead; and below those of the tests in integration.
func freeAddress() (string, error) {
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(5000))
		if l, err := net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", errors.New("found no free port between 10000 and 15000")
}
