package integration

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
)

// A silent server reads requests and hangs up, as one that dies in the middle. To
// balancers that ask it says that it is well.
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
			s.take(conn)
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return s
}

func (s *silent) take(conn net.Conn) {
	defer conn.Close()
	switch r, err := http.ReadRequest(bufio.NewReader(conn)); {
	case err != nil:
	case r.URL.Path == "/readyz":
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	default:
		s.requests.Add(1)
	}
}
