package servers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"
)

// Ports are taken from below the range that kernels hand out to outgoing
// connections (Linux from 32768, others from 49152), so that no such
// connection can take a port between FreePort and the start of its server.
const (
	firstPort = 15000
	lastPort  = 30000
)

// FreePort returns a TCP port of 127.0.0.1 that nobody listens on. No other
// call, in this or in any other test process, gets the same one before the
// test has ended.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if reserve(t, port) {
			return port
		}
	}
	t.Fatalf("no free TCP port between %d and %d", firstPort, lastPort)
	return 0
}

// reserve takes the UDP port of the same number for the rest of the test: it
// is the lock that other test processes see. The TCP port itself must stay
// unbound for the server that is to come, also by a copy of a socket of ours in
// a process that is being started: so it is called, to see if anybody listens.
func reserve(t testing.TB, port int) bool {
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	lock, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	if somebody, err := net.Dial("tcp", addr); err == nil {
		somebody.Close()
		lock.Close()
		return false
	}
	t.Cleanup(func() { lock.Close() })
	return true
}

// Listen listens on addr, also where a socket was just closed: a process that is
// being started has copies of this one's until it becomes another program.
func Listen(addr string) (net.Listener, error) {
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		l, err := net.Listen("tcp", addr)
		if !errors.Is(err, syscall.EADDRINUSE) || time.Since(began) > time.Second {
			return l, err
		}
	}
}
