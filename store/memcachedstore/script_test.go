package memcachedstore

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-sessions/holdfast/store"
)

// A script plays the server on one connection. When it returns, the connection
// is closed.
type script func(p *peer)

// A peer is the server's end of a connection.
type peer struct {
	net.Conn
	in *bufio.Reader
	t  testing.TB
}

var errRefused = errors.New("connection refused")

// scripted returns a Store whose connections are played by scripts, one after
// the other; later dials are refused.
func scripted(t testing.TB, opts Options, scripts ...script) *Store {
	t.Helper()
	var wg sync.WaitGroup
	dials := 0
	opts.Dial = func(context.Context, string, string) (net.Conn, error) {
		dials++ // one dial at a time
		if dials > len(scripts) {
			return nil, errRefused
		}
		ours, theirs := net.Pipe()
		play := scripts[dials-1]
		wg.Go(func() {
			defer theirs.Close()
			play(&peer{Conn: theirs, in: bufio.NewReader(theirs), t: t})
		})
		return ours, nil
	}
	s := newStore(t, "fake:11211", &opts)
	t.Cleanup(func() {
		s.Close()
		wg.Wait()
	})
	return s
}

func newStore(t testing.TB, addr string, opts *Options) *Store {
	t.Helper()
	s, err := New(addr, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// greeted is a script that begins with the usual greeting.
func greeted(play script) script {
	return func(p *peer) {
		p.expect("mg holdfast-greeting O1", "stats settings")
		p.send("EN O1\r\nSTAT item_size_max 1048576\r\nSTAT cas_enabled yes\r\nEND\r\n")
		play(p)
	}
}

// says is a greeted script that answers the first command with text.
func says(text string) script {
	return greeted(func(p *peer) {
		p.line()
		p.send(text)
		p.drain()
	})
}

// line is the next line without its end, or "" when the connection has ended.
func (p *peer) line() string {
	line, err := p.in.ReadString('\n')
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(line, "\r\n")
}

// expect reads lines and fails the test where they differ.
func (p *peer) expect(lines ...string) {
	for _, want := range lines {
		if got := p.line(); got != want {
			p.t.Errorf("server got %q, want %q", got, want)
		}
	}
}

// send writes text. An error means that the client has gone, which the test
// sees at the client.
func (p *peer) send(text string) {
	if text != "" { // net.Pipe would wait for a reader
		_, _ = io.WriteString(p, text)
	}
}

// drain reads until the client closes the connection.
func (p *peer) drain() { _, _ = io.Copy(io.Discard, p.in) }

// checkErr fails the test unless err matches all of want and none of not.
func checkErr(t testing.TB, err error, want []error, not ...error) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one that matches %v", want)
		return
	}
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("got %v, want an error that matches %q", err, w)
		}
	}
	for _, n := range not {
		if errors.Is(err, n) {
			t.Errorf("got %v, want an error that does not match %q", err, n)
		}
	}
}

func mustGet(t testing.TB, s *Store, key string) store.Item {
	t.Helper()
	item, err := s.Get(t.Context(), key, store.Whole)
	if err != nil {
		t.Fatal(err)
	}
	return item
}
