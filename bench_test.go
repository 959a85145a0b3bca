package holdfast_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// A sink is a ResponseWriter that costs nothing, so that what is measured is
// the session.
type sink struct{ header http.Header }

func (w *sink) Header() http.Header         { return w.header }
func (w *sink) WriteHeader(int)             {}
func (w *sink) Write(b []byte) (int, error) { return len(b), nil }

// A cost is one kind of request whose time above the bare handler's is of interest.
type cost struct {
	name   string
	cookie bool
	serve  func(*holdfast.Session)
}

var costs = []cost{
	{"bare", true, nil},
	{"not used, no cookie", false, func(*holdfast.Session) {}},
	{"not used", true, func(*holdfast.Session) {}},
	{"read", true, func(s *holdfast.Session) { textKey.Get(s) }},
	{"change", true, func(s *holdfast.Session) { increment(s) }},
	{"new session", false, func(s *holdfast.Session) { increment(s) }},
}

// benchModes are the ways to keep sessions, on so many nodes.
var benchModes = []struct {
	name    string
	nodes   int
	options *holdfast.Options
}{
	{"non-sticky", 1, nil},
	{"non-sticky two copies", 2, nil},
	{"sticky", 1, &holdfast.Options{Sticky: true, Route: "app1"}},
	{"sticky async", 1, &holdfast.Options{Sticky: true, BackupAsync: true, Route: "app1"}},
}

func benchNodes(n int) (nodes []store.Node) {
	for i := range n {
		nodes = append(nodes, store.Node{Name: fmt.Sprintf("n%d", i+1), Store: memorystore.New(nil)})
	}
	return nodes
}

// prepare returns one request of c, ready to be sent again and again. The
// session has about 520 bytes.
func (c *cost) prepare(tb testing.TB, nodes int, o *holdfast.Options) (serveOnce func()) {
	m, err := holdfast.New(benchNodes(nodes), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { m.Shutdown(context.Background()) })
	body := []byte("page")
	handler := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.serve != nil {
			c.serve(holdfast.From(r.Context()))
		}
		w.Write(body)
	}))
	if c.serve != nil {
		handler = m.Handler(handler)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if c.cookie {
		r.Header.Set("Cookie", "theme=dark; "+beginSession(m, func(s *holdfast.Session) {
			textKey.Set(s, "bob")
			increment(s)
			otherKey.Set(s, strings.Repeat("x", 400))
		}))
	}
	w := &sink{header: make(http.Header)}
	return func() {
		clear(w.header)
		handler.ServeHTTP(w, r)
	}
}

func BenchmarkRequest(b *testing.B) {
	for _, mode := range benchModes {
		for _, c := range costs {
			b.Run(strings.ReplaceAll(mode.name+"/"+c.name, " ", "_"), func(b *testing.B) {
				serveOnce := c.prepare(b, mode.nodes, mode.options)
				serveOnce()
				b.ReportAllocs()
				for b.Loop() {
					serveOnce()
				}
			})
		}
	}
}

// What a session costs a request that does not use it, in allocations.
func TestARequestThatDoesNotUseItsSessionCostsFourAllocations(t *testing.T) {
	for _, mode := range benchModes {
		for _, c := range costs[1:3] {
			serveOnce := c.prepare(t, mode.nodes, mode.options)
			serveOnce() // asks the store once
			if got := testing.AllocsPerRun(100, serveOnce); got > 4 {
				t.Errorf("%s, %s: %v allocations above the bare handler, want at most 4", mode.name, c.name, got)
			}
		}
	}
}
