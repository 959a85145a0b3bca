package placement_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// lockNodes are three nodes, and clusters over them.
type lockNodes struct {
	t     *testing.T
	nodes map[string]*faultstore.Node
}

func withLockNodes(t *testing.T, play func(*lockNodes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		play(&lockNodes{t, map[string]*faultstore.Node{"n1": faultstore.New(), "n2": faultstore.New(), "n3": faultstore.New()}})
	})
}

func (l *lockNodes) cluster(names []string, failover ...string) *placement.Cluster {
	l.t.Helper()
	var list []store.Node
	for _, name := range names {
		list = append(list, store.Node{Name: name, Store: l.nodes[name].Client("app")})
	}
	c, err := placement.New(list, placement.Options{Codec: newCodec(l.t), Timeout: timeout, Failover: failover})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = c.Close() })
	return c
}

// order returns the names of the nodes on which c locks key, by looking where a
// write lands.
func (l *lockNodes) order(c *placement.Cluster, key string) []string {
	l.t.Helper()
	var order []string
	for _, s := range c.LockStores(key) {
		if _, err := s.Put(l.t.Context(), "mark", store.Item{Value: []byte("x")}, store.Absent); err != nil {
			l.t.Fatal(err)
		}
		for name, n := range l.nodes {
			if slices.Contains(n.Keys(), "mark") {
				order = append(order, name)
			}
		}
		if err := s.Delete(l.t.Context(), "mark", store.Any); err != nil {
			l.t.Fatal(err)
		}
	}
	return order
}

func TestServersAgreeWhereALockLies(t *testing.T) {
	withLockNodes(t, func(l *lockNodes) {
		one := l.cluster([]string{"n1", "n2", "n3"})
		other := l.cluster([]string{"n3", "n1", "n2"})
		first := make(map[string]int)
		for i := range 300 {
			k := key(fmt.Sprint(id, i))
			order := l.order(one, k)
			if len(order) != 3 {
				l.t.Fatalf("order %v", order)
			}
			if got := l.order(other, k); !slices.Equal(got, order) {
				l.t.Fatalf("with another list the order is %v, not %v", got, order)
			}
			first[order[0]]++
		}
		for name, n := range first {
			if n < 60 || n > 140 {
				l.t.Errorf("%d of 300 locks lie on %s", n, name)
			}
		}
	})
}

func TestLocksAvoidNodesThatSessionsAvoid(t *testing.T) {
	withLockNodes(t, func(l *lockNodes) {
		c := l.cluster([]string{"n1", "n2", "n3"}, "n1")
		for i := range 20 {
			if order := l.order(c, fmt.Sprint(i)); order[2] != "n1" {
				l.t.Errorf("order %v, want the failover node last", order)
			}
		}
		c = l.cluster([]string{"n1", "n2", "n3"})
		if err := c.Drain("n2"); err != nil {
			l.t.Fatal(err)
		}
		for i := range 20 {
			if order := l.order(c, fmt.Sprint(i)); order[2] != "n2" {
				l.t.Errorf("order %v, want the drained node last", order)
			}
		}
	})
}

// A node that lets a lock's call wait in vain, or refuses it, is not asked again:
// locks are told by sessions, and sessions by locks.
func TestLocksAndSessionsTellEachOtherOfDeadNodes(t *testing.T) {
	for name, fault := range map[string]func(*faultstore.Node){"hangs": (*faultstore.Node).Freeze, "refuses": (*faultstore.Node).Kill} {
		t.Run(name, func(t *testing.T) {
			withLockNodes(t, func(l *lockNodes) {
				c := l.cluster([]string{"n1", "n2", "n3"})
				fault(l.nodes["n2"])
				for _, s := range c.LockStores("k") {
					ctx, cancel := context.WithTimeout(l.t.Context(), timeout/2)
					_, err := s.Get(ctx, "k", store.Whole)
					cancel()
					if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrUnavailable) {
						l.t.Errorf("Get: %v", err)
					}
				}
				time.Sleep(timeout)
				if order := l.order(c, "k"); len(order) != 2 || slices.Contains(order, "n2") {
					l.t.Errorf("order %v, want no n2", order)
				}
				if state := c.Nodes()[1].State; state != "down" {
					l.t.Errorf("n2 is %s", state)
				}
				l.nodes["n2"].Thaw()
				l.nodes["n2"].Revive()
				time.Sleep(time.Minute)
				if order := l.order(c, "k"); len(order) != 3 {
					l.t.Errorf("order %v, want all three again", order)
				}
			})
		})
	}
}

// Whoever gives up early says nothing of the node.
func TestALockThatNobodyWantsAnyMoreHarmsNoNode(t *testing.T) {
	withLockNodes(t, func(l *lockNodes) {
		c := l.cluster([]string{"n1", "n2", "n3"})
		l.nodes["n2"].Freeze()
		for _, s := range c.LockStores("k") {
			ctx, cancel := context.WithTimeout(l.t.Context(), timeout/10)
			_, _ = s.Touch(ctx, "k", time.Minute)
			cancel()
		}
		if n := len(c.LockStores("k")); n != 3 {
			l.t.Errorf("%d nodes are left", n)
		}
		l.nodes["n2"].Thaw()
	})
}
