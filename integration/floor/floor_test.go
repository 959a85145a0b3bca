package main

import (
	"context"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// TestMain lets the test binary be the process that sends the requests, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == loadRole {
		measure.Exit("floor", sendLoads(os.Args[2]))
	}
	os.Exit(m.Run())
}

// TestTheFloorExchangesWhatHoldfastDoes: the same bytes to the same nodes, but for what
// differs from one request to the next.
func TestTheFloorExchangesWhatHoldfastDoes(t *testing.T) {
	for _, o := range operations() {
		t.Run(o.name, func(t *testing.T) {
			nodes := []*ear{listenAt(t), listenAt(t)}
			b := &bench{site: openTestSite(t, nodes)}
			cookie := b.site.cookies[o.copies][0][0]
			hand, err := dial([]string{nodes[0].addr, nodes[1].addr})
			if err != nil {
				t.Fatal(err)
			}
			defer hand.close()
			e, err := hand.exchange(cookie, o.copies)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range nodes {
				n.take()
			}
			if err := measure.Caller(b.site, o.path(), []string{cookie})(0); err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, n := range nodes {
				want = append(want, masked(n.take()))
			}
			if err := hand.do([]*exchange{e}, make([][2][]byte, 1), o.change); err != nil {
				t.Fatal(err)
			}
			for i, n := range nodes {
				if got := masked(n.take()); got != want[i] {
					t.Errorf("node %d heard by hand\n%q, and from Holdfast\n%q", i+1, got, want[i])
				}
			}
			if all := strings.Join(want, ""); strings.Count(all, "mg ") != o.copies || o.change != strings.Contains(all, "ms ") {
				t.Errorf("Holdfast sent %q", all)
			}
		})
	}
}

// masked has no opaques, versions, remaining lives, and of values only the size.
func masked(sent string) string {
	lines := slices.Collect(strings.Lines(sent))
	lines = slices.DeleteFunc(lines, func(line string) bool { return !strings.HasPrefix(line, "mg ") && !strings.HasPrefix(line, "ms ") })
	return regexp.MustCompile(` ([OCTF])\d+`).ReplaceAllString(strings.Join(lines, ""), " $1")
}

func openTestSite(t *testing.T, nodes []*ear) *site {
	t.Helper()
	s, err := openSite([]string{nodes[0].addr, nodes[1].addr}, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// An ear stands before a memcached and hears what is said to it.
type ear struct {
	addr string

	mu    sync.Mutex // guards heard
	heard []byte
}

func (e *ear) take() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() { e.heard = nil }()
	return string(e.heard)
}

func (e *ear) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, b...)
	return len(b), nil
}

func listenAt(t *testing.T) *ear {
	t.Helper()
	measure.NeedMemcached(t)
	node, behind, err := measure.StartMemcached(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Kill)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &ear{addr: listener.Addr().String()}
	var lines sync.WaitGroup
	lines.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", behind)
			if err != nil {
				client.Close()
				continue
			}
			lines.Go(func() { join(server, io.TeeReader(client, e), client, server) })
			lines.Go(func() { join(client, server, client, server) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		node.Kill()
		lines.Wait()
	})
	return e
}

// join copies until either side ends.
func join(to io.Writer, from io.Reader, conns ...net.Conn) {
	_, _ = io.Copy(to, from)
	for _, c := range conns {
		c.Close()
	}
}

var tiny = plan{rounds: 1, slice: 20 * time.Millisecond, sessions: 2, clients: []int{1, 4}}

func TestEveryRowIsMeasured(t *testing.T) {
	measure.NeedMemcached(t)
	rows, err := compare(t.Context(), tiny, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * 2 * len(operations()); len(rows) != want {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
	for _, r := range rows {
		bare, ours := measure.Typical(r.bare), measure.Typical(r.ours)
		if bare.App <= 0 || measure.Typical(r.floor).App < bare.App || ours.Allocs <= bare.Allocs || ours.P50 <= 0 || r.times()[0] <= 0 {
			t.Errorf("%s, %s: bare %+v, floor %+v, ours %+v", r.title(), r.name, bare, measure.Typical(r.floor), ours)
		}
	}
}

func TestStationsOfAChange(t *testing.T) {
	measure.NeedMemcached(t)
	var text strings.Builder
	if err := tellStations(t.Context(), tiny, &text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| load: client |", "| commit: protocol |", "| handler: ", "| middleware: session |", "`holdfast/record.(*Codec)", "| all |"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the tables lack %q:\n%s", want, text.String())
		}
	}
}
