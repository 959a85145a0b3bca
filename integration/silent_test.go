package integration

import (
	"bufio"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
)

// A silent server reads requests and hangs up, as one that dies in the middle.
type silent struct {
	addr     string
	requests atomic.Int64
}

func startSilent(t *testing.T) *silent {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silent{addr: listener.Addr().String()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				s.requests.Add(1)
			}
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return s
}
