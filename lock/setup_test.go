package lock_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/lock"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

const (
	key     = "a-session"
	onNode  = "lock:" + key // where it lies
	wait    = 6 * time.Second
	lease   = 4 * time.Second
	timeout = 250 * time.Millisecond
)

// A scene is some app servers over two nodes, of which the first keeps the locks.
type scene struct {
	t     *testing.T
	nodes []*faultstore.Node

	mu      sync.Mutex
	away    map[int]bool // nodes that all servers know to be down; guarded by mu
	holders int          // of the lock, as inTurn counts them; guarded by mu
	most    int          // holders at any time; guarded by mu
}

func inScene(t *testing.T, play func(*scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		play(&scene{t: t, nodes: []*faultstore.Node{faultstore.New(), faultstore.New()}, away: make(map[int]bool)})
	})
}

// server returns the locks of a new app server.
func (s *scene) server(name string) *lock.Locks { return s.serverWith(name, lock.Options{}) }

func (s *scene) serverWith(name string, opts lock.Options) *lock.Locks {
	var clients []store.Store
	for _, n := range s.nodes {
		clients = append(clients, n.Client(name))
	}
	opts.Stores = func(string) []store.Store {
		s.mu.Lock()
		defer s.mu.Unlock()
		var usable []store.Store
		for i, c := range clients {
			if !s.away[i] {
				usable = append(usable, c)
			}
		}
		return usable
	}
	if opts.Wait == 0 {
		opts.Wait = wait
	}
	opts.Lease, opts.Timeout = lease, timeout
	return lock.New(opts)
}

func (s *scene) markDown(node int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away[node] = true
}

func (s *scene) take(l *lock.Locks) *lock.Lock {
	s.t.Helper()
	k, err := l.Take(s.t.Context(), key, 0)
	if err != nil {
		s.t.Fatalf("Take: %v", err)
	}
	return k
}

// refused wants Take to fail with want, after took.
func (s *scene) refused(l *lock.Locks, want error, took time.Duration) {
	s.t.Helper()
	began := time.Now()
	k, err := l.Take(s.t.Context(), key, 0)
	if err == nil {
		k.Release()
	}
	if !errors.Is(err, want) {
		s.t.Errorf("Take: %v, want %v", err, want)
	}
	if got := time.Since(began); got < took || got > took+timeout {
		s.t.Errorf("Take took %v, want %v and at most one call more", got, took)
	}
}

// inTurn holds the lock for a while, and counts how many do.
func (s *scene) inTurn(l *lock.Locks, d time.Duration) error {
	k, err := l.Take(s.t.Context(), key, 0)
	if err != nil {
		return err
	}
	defer k.Release()
	s.count(1)
	time.Sleep(d)
	s.count(-1)
	return nil
}

func (s *scene) count(by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holders += by
	s.most = max(s.most, s.holders)
}

// kill ends an app server: what holds and what waits there never says anything again.
func (s *scene) kill(name string) {
	for _, n := range s.nodes {
		n.Cut(name)
	}
}

func (s *scene) wantLost(k *lock.Lock, want bool) {
	s.t.Helper()
	if got := k.Lost(); got != want {
		s.t.Errorf("Lost is %v, want %v", got, want)
	}
}

func (s *scene) wantKeys(node int, want ...string) {
	s.t.Helper()
	if got := s.nodes[node].Keys(); fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Errorf("node %d has %v, want %v", node+1, got, want)
	}
}

func (s *scene) wantStats(l *lock.Locks, want lock.Stats) {
	s.t.Helper()
	if got := l.Stats(); got != want {
		s.t.Errorf("stats %+v, want %+v", got, want)
	}
}
