package sticky_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
)

// A host is one process of an app server: the one after it has the same name.
type host struct {
	*sticky.Sessions
	name    string // the route in cookies
	client  string // as the nodes know this process
	cluster *placement.Cluster

	mu       sync.Mutex
	closing  bool           // no request begins; guarded by mu
	dead     bool           // nobody hears what it answers; guarded by mu
	requests sync.WaitGroup // under way
}

// A death is a process that was killed, with what it said then it would lose.
type death struct {
	of     *host
	unsent int
	since  time.Time // of the oldest change that was not sent
}

func (s *storm) startHost(i int) *host {
	h := &host{name: fmt.Sprint("app", i), client: fmt.Sprintf("app%d at %v", i, time.Since(s.began))}
	codec, err := record.NewCodec(nil, false)
	if err != nil {
		s.t.Fatal(err)
	}
	o := s.kind.options
	h.cluster, err = placement.New(s.list(h), placement.Options{Codec: codec, Timeout: timeout})
	if err != nil {
		s.t.Fatal(err)
	}
	o.Logger = slog.New(slog.NewTextHandler(teller{s, h}, &slog.HandlerOptions{Level: slog.LevelError}))
	o.Timeout = timeout
	if h.Sessions, err = sticky.New(witness{h.cluster, s, h}, o); err != nil {
		s.t.Fatal(err)
	}
	h.cluster.WhenReturned(h.Returned)
	return h
}

// A witness puts what the nodes say to a host into the story.
type witness struct {
	*placement.Cluster
	storm *storm
	host  *host
}

func (w witness) tell(what, key string, v *store.View, err error) {
	id, known := w.storm.ids.Load(key)
	if !known {
		return
	}
	if err != nil {
		w.storm.log("%s:     %s of %v: %v", w.host.client, what, id, err)
		return
	}
	made := numbers(v.Record)
	w.storm.log("%s:     %s of %v: e%dr%d on %v, %d changes, up to %v", w.host.client, what, id, v.Record.Epoch, v.Record.Revision, v.Record.Members, len(made), made[max(0, len(made)-2):])
}

func (w witness) LoadKey(ctx context.Context, key, hint string) (*store.View, error) {
	v, err := w.Cluster.LoadKey(ctx, key, hint)
	w.tell("load", key, v, err)
	return v, err
}

func (w witness) Create(ctx context.Context, key string, ch *store.Change) (*store.View, error) {
	v, err := w.Cluster.Create(ctx, key, ch)
	w.tell("create", key, v, err)
	return v, err
}

func (w witness) Commit(ctx context.Context, id string, base *store.View, ch *store.Change) (*store.View, error) {
	v, err := w.Cluster.Commit(ctx, id, base, ch)
	if base != nil {
		w.tell("commit", base.Key, v, err)
	}
	return v, err
}

// A teller puts what a host logs into the story.
type teller struct {
	storm *storm
	host  *host
}

func (t teller) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("outcome unknown")) {
		t.storm.untold.Add(1)
	}
	t.storm.log("%s: %s", t.host.name, line)
	return len(line), nil
}

func (s *storm) list(h *host) (nodes []store.Node) {
	for n, at := range s.nodes {
		nodes = append(nodes, store.Node{Name: fmt.Sprint("n", n+1), Store: at.Client(h.client)})
	}
	return nodes
}

// enter begins a request, unless h is no more.
func (h *host) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing || h.dead {
		return false
	}
	h.requests.Add(1)
	return true
}

func (h *host) died() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dead
}

func (h *host) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closing = true
}

func (h *host) die() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dead = true
}

func (s *storm) replace(i int) (old *host) {
	next := s.startHost(i)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, s.servers[i] = s.servers[i], next
	return old
}

// kill ends a process at once: nothing that it does from now on reaches anybody.
func (s *storm) kill(i int) {
	old := s.replace(i)
	for _, n := range s.nodes {
		n.Cut(old.client)
	}
	old.die()
	left := old.Stats()
	s.log("%s dies with %d unsent since %v", old.name, left.Unsent, left.OldestUnsent)
	s.mu.Lock()
	s.deaths = append(s.deaths, death{of: old, unsent: left.Unsent, since: time.Now().Add(-left.OldestUnsent)})
	s.mu.Unlock()
	s.gone(old)
}

// restart ends a process in order.
func (s *storm) restart(i int) {
	old := s.server(i)
	old.stop()
	s.replace(i)
	old.requests.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := old.Flush(ctx, func(int) {}); err != nil {
		s.complain("%s: Flush: %v", old.name, err)
	}
	if left := old.Stats().Unsent; left != 0 {
		s.complain("%s: %d sessions are unsent after Flush", old.name, left)
	}
	s.gone(old)
}

func (s *storm) gone(h *host) {
	if err := h.Close(); err != nil && !errors.Is(err, store.ErrUnavailable) {
		s.complain("%s: Close: %v", h.name, err)
	}
	s.dropped += h.Stats().Dropped
}
