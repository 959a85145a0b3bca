package holdfast_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast"
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

// benchModes are the ways to keep sessions.
var benchModes = []struct {
	name    string
	options *holdfast.Options
}{
	{"non-sticky", nil},
	{"sticky", &holdfast.Options{Sticky: true, Route: "app1"}},
	{"sticky async", &holdfast.Options{Sticky: true, BackupAsync: true, Route: "app1"}},
}

// prepare returns one request of c, ready to be sent again and again. The
// session has about 520 bytes.
func (c *cost) prepare(tb testing.TB, o *holdfast.Options) (serveOnce func()) {
	m, err := holdfast.New(nil, o)
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
				serveOnce := c.prepare(b, mode.options)
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
			serveOnce := c.prepare(t, mode.options)
			serveOnce() // asks the store once
			if got := testing.AllocsPerRun(100, serveOnce); got > 4 {
				t.Errorf("%s, %s: %v allocations above the bare handler, want at most 4", mode.name, c.name, got)
			}
		}
	}
}

// What a session costs a request that uses it, in allocations, where that is the same
// each time. One more is no defect, but should be somebody's decision. (The race
// detector adds some.)
func TestAllocationsOfARequestThatUsesItsSession(t *testing.T) {
	most := map[string]float64{
		"non-sticky, read": 16, "non-sticky, change": 32,
		"sticky, read": 6, "sticky, change": 25,
		"sticky async, read": 6,
	}
	for _, mode := range benchModes {
		for _, c := range costs[3:5] {
			name := mode.name + ", " + c.name
			serveOnce := c.prepare(t, mode.options)
			serveOnce()
			got := min(testing.AllocsPerRun(100, serveOnce), testing.AllocsPerRun(100, serveOnce)) // whatever goes on behind counts too
			if most[name] > 0 && got > most[name]+2 {
				t.Errorf("%s: %v allocations above the bare handler, want at most %v", name, got, most[name])
			}
		}
	}
}
