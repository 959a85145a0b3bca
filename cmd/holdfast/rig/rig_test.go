package rig

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

func startNode(t *testing.T) (*Node, store.Store) {
	t.Helper()
	n, err := NewNode("n1", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Kill(); err != nil {
			t.Errorf("Kill: got %v", err)
		}
	})
	nodes, err := memcachedstore.Nodes(List([]*Node{n}), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nodes[0].Store.(io.Closer).Close() })
	return n, nodes[0].Store
}

func put(t *testing.T, s store.Store, key string, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	_, err := s.Put(ctx, key, store.Item{Value: []byte("value"), TTL: time.Hour}, store.Any)
	return err
}

func items(t *testing.T, n *Node) uint64 {
	t.Helper()
	s, err := n.Stats(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return s.Items
}

const (
	long  = 10 * time.Second
	short = 50 * time.Millisecond
)

func TestEmptiedNodeAnswersAndHasNothing(t *testing.T) {
	n, s := startNode(t)
	if err := put(t, s, "a", long); err != nil {
		t.Fatal(err)
	}
	if stats, err := n.Stats(long); err != nil || stats.Items != 1 || stats.Commands == 0 {
		t.Errorf("Stats: got %+v and %v, want an item and the command that brought it", stats, err)
	}
	if err := n.Empty(); err != nil {
		t.Fatal(err)
	}
	if got := items(t, n); got != 0 {
		t.Errorf("got %d items, want none", got)
	}
}

func TestFrozenNodeAnswersWhenItGoesOn(t *testing.T) {
	n, s := startNode(t)
	if err := put(t, s, "a", long); err != nil {
		t.Fatal(err)
	}
	for range 2 { // to freeze what is frozen changes nothing
		if err := n.Freeze(true); err != nil {
			t.Fatal(err)
		}
	}
	answered := make(chan error, 1)
	go func() { answered <- put(t, s, "b", long) }()
	if _, err := n.Stats(short); err == nil {
		t.Error("a frozen node tells its stats")
	}
	for range 2 {
		if err := n.Freeze(false); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-answered; err != nil {
		t.Errorf("a request of the time when it was frozen: got %v, want an answer", err)
	}
	if got := items(t, n); got != 2 {
		t.Errorf("got %d items, want both", got)
	}
}

func TestKilledNodeComesBackEmptyOnItsAddress(t *testing.T) {
	n, s := startNode(t)
	if err := put(t, s, "a", long); err != nil {
		t.Fatal(err)
	}
	if err := n.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Stats(long); err == nil {
		t.Error("a dead node answers")
	}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	if got := items(t, n); got != 0 {
		t.Errorf("got %d items, want none", got)
	}
}

func startServer(t *testing.T) *Server {
	t.Helper()
	node, _ := startNode(t)
	s, err := NewServer("app1", func() Setup {
		return Setup{List([]*Node{node}), NonSticky().Options("app1", 1), func(*holdfast.Manager) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
		}}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func ask(s *Server, wait time.Duration) error {
	client := http.Client{Timeout: wait, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + s.Address)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func TestServerHasSeveralLives(t *testing.T) {
	s := startServer(t)
	for _, end := range []func() error{
		func() error { s.Kill(); return nil },
		func() error { return s.Stop(2 * long) },
	} {
		if err := ask(s, long); err != nil {
			t.Errorf("it does not answer: %v", err)
		}
		if err := end(); err != nil {
			t.Errorf("its end: got %v", err)
		}
		if err := ask(s, long); err == nil {
			t.Error("it answers, and is dead")
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(s.Lives()); got != 3 {
		t.Errorf("got %d lives, want 3", got)
	}
	s.Bury(t.Context())
	if got := s.Lives(); len(got) != 1 || got[0] != s.Sessions() {
		t.Errorf("got %d lives after the funeral, want the present one", len(got))
	}
}

func TestFrozenServerAnswersWhenItGoesOn(t *testing.T) {
	s := startServer(t)
	s.Freeze(true)
	if err := ask(s, short); err == nil {
		t.Error("a frozen server answers")
	}
	s.Freeze(false)
	if err := ask(s, long); err != nil {
		t.Errorf("it does not answer: %v", err)
	}
}
