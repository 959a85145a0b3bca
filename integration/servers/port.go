package servers

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
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
// unbound for the server that is to come.
func reserve(t testing.TB, port int) bool {
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	lock, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	probe, err := net.Listen("tcp", addr)
	if err != nil {
		lock.Close()
		return false
	}
	probe.Close()
	t.Cleanup(func() { lock.Close() })
	return true
}
