package node_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/node"
)

// A pipes is a listener in memory, for the fake time of synctest.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.close.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// start runs a node until the test ends.
func start(t *testing.T, opts *node.Options) (*node.Server, *pipes) {
	t.Helper()
	n, p := node.New(opts), newPipes()
	served := make(chan error, 1)
	go func() { served <- n.Serve(p) }()
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return n, p
}

// A phone is a person with a telnet.
type phone struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func call(t *testing.T, p *pipes) *phone {
	t.Helper()
	conn, err := p.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &phone{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// ask sends lines, which are separated by |, and returns what is answered,
// written in the same way.
func (p *phone) ask(lines string) string {
	p.t.Helper()
	text := strings.ReplaceAll(lines, "|", "\r\n") + "\r\nmg end Oend\r\n"
	go func() { _, _ = io.WriteString(p.conn, text) }()
	var answers []string
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			p.t.Fatalf("after %q, %q: %v", lines, answers, err)
		}
		if line == "EN Oend\r\n" {
			return strings.Join(answers, "|")
		}
		answers = append(answers, strings.TrimSuffix(line, "\r\n"))
	}
}

// want asks and compares.
func (p *phone) want(lines, want string) {
	p.t.Helper()
	if got := p.ask(lines); got != want {
		p.t.Errorf("%s\n got %s\nwant %s", lines, got, want)
	}
}

// ended reports whether the node ends the connection.
func (p *phone) ended() bool {
	_ = p.conn.SetReadDeadline(time.Now().Add(time.Second))
	_, err := p.in.ReadByte()
	return err == io.EOF
}
