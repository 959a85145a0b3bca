package sticky_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

const (
	id      = "EXAMPLEEXAMPLEEXAMPLE23456" // of most tests' session
	newID   = "NEWNEWNEWNEWNEWNEWNEW23456" // to which it is renewed
	timeout = 500 * time.Millisecond
)

// A farm is app servers over nodes, in fake time.
type farm struct {
	t       *testing.T
	nodes   []*faultstore.Node
	servers []*server
}

// A server is one app server's sessions.
type server struct {
	*sticky.Sessions
	t       *testing.T
	name    string
	cluster *placement.Cluster
}

// inModes plays it with synchronous and with asynchronous backup.
func inModes(t *testing.T, servers, nodes int, play func(t *testing.T, f *farm, async bool)) {
	t.Helper()
	for _, async := range []bool{false, true} {
		t.Run(fmt.Sprintf("async %v", async), func(t *testing.T) {
			inFarm(t, servers, nodes, sticky.Options{Async: async}, func(t *testing.T, f *farm) { play(t, f, async) })
		})
	}
}

func inFarm(t *testing.T, servers, nodes int, o sticky.Options, play func(*testing.T, *farm)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &farm{t: t} // what it starts ends with the bubble's test
		for range nodes {
			f.nodes = append(f.nodes, faultstore.New())
		}
		for i := range servers {
			f.servers = append(f.servers, f.start(fmt.Sprint("app", i+1), o))
		}
		play(t, f)
	})
}

func (f *farm) start(name string, o sticky.Options) *server {
	f.t.Helper()
	var nodes []store.Node
	for i, n := range f.nodes {
		nodes = append(nodes, store.Node{Name: fmt.Sprint("n", i+1), Store: n.Client(name)})
	}
	codec, err := record.NewCodec(nil, false)
	if err != nil {
		f.t.Fatal(err)
	}
	cluster, err := placement.New(nodes, placement.Options{Codec: codec, Timeout: timeout})
	if err != nil {
		f.t.Fatal(err)
	}
	o.Timeout = timeout
	sessions, err := sticky.New(cluster, o)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = sessions.Close() })
	cluster.WhenReturned(sessions.Returned)
	return &server{Sessions: sessions, t: f.t, name: name, cluster: cluster}
}

// calls counts the calls that the nodes get while do runs.
func (f *farm) calls(do func()) int {
	var n atomic.Int64
	for _, node := range f.nodes {
		node.Intercept(func(_ context.Context, call faultstore.Call, next func() error) error {
			if len(call.Key) == 43 { // else a server looks after the node
				n.Add(1)
			}
			return next()
		})
	}
	do()
	for _, node := range f.nodes {
		node.Intercept(nil)
	}
	return int(n.Load())
}

// begin makes a session on s.
func (s *server) begin(id string) *store.View {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), timeout)
	defer cancel()
	v, err := s.Commit(ctx, id, nil, change(func(r *record.Record) {
		r.Created, r.IdleTimeout = time.Now(), 30*time.Minute
	}))
	if err != nil {
		s.t.Fatalf("%s: Commit of a new session: %v", s.name, err)
	}
	return v
}

// load is a read by a request whose cookie has that route.
func (s *server) load(id, route string) (*store.View, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	switch route {
	case s.name:
		return s.Continue(ctx, id, "")
	case "":
		return s.Load(ctx, id, "")
	}
	return s.TakeOver(ctx, id, "")
}

func (s *server) mustLoad(id, route string) *store.View {
	s.t.Helper()
	v, err := s.load(id, route)
	if err != nil {
		s.t.Fatalf("%s: Load with route %q: %v", s.name, route, err)
	}
	return v
}

// add is a request that adds one.
func (s *server) add(id, route string) error {
	v, err := s.load(id, route)
	if err != nil {
		return err
	}
	return s.addTo(id, v)
}

func (s *server) addTo(id string, v *store.View) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	_, err := s.Commit(ctx, id, v, oneMore())
	return err
}

func (s *server) mustAdd(id, route string) {
	s.t.Helper()
	if err := s.add(id, route); err != nil {
		s.t.Fatalf("%s: adding one with route %q: %v", s.name, route, err)
	}
}

func (s *server) flush() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Flush(ctx, func(int) {}); err != nil {
		s.t.Fatalf("%s: Flush: %v", s.name, err)
	}
}

func (s *server) wantTotal(id, route string, want int) {
	s.t.Helper()
	if got := total(s.mustLoad(id, route).Record); got != want {
		s.t.Errorf("%s with route %q reads %d, want %d", s.name, route, got, want)
	}
}

func change(apply func(*record.Record)) *store.Change {
	return &store.Change{Commit: rand.Uint64(), Apply: func(r *record.Record) error {
		apply(r)
		return nil
	}}
}

func set(name, value string) *store.Change {
	return change(func(r *record.Record) { r.Set(record.Attribute{Name: name, Value: []byte(value)}) })
}

func oneMore() *store.Change {
	return change(func(r *record.Record) {
		r.Set(record.Attribute{Name: "n", Value: strconv.AppendInt(nil, int64(total(r)+1), 10)})
	})
}

func total(r *record.Record) int {
	a, _ := r.Get("n")
	n, _ := strconv.Atoi(string(a.Value))
	return n
}

func stickyOptions() sticky.Options { return sticky.Options{} }
