package placement_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/faultstore"
)

// nodes are n1, n2 and so on.
type nodes []*faultstore.Node

func newNodes(n int) (all nodes) {
	for range n {
		all = append(all, faultstore.New())
	}
	return all
}

// list returns the first n as a server called app has them.
func (all nodes) list(app string, n int) (list []store.Node) {
	for i, node := range all[:n] {
		list = append(list, store.Node{Name: fmt.Sprint("n", i+1), Store: node.Client(app)})
	}
	return list
}

// server returns a cluster over the first n, which is closed when the test ends.
func (all nodes) server(t *testing.T, app string, n int, opts placement.Options) *placement.Cluster {
	t.Helper()
	opts.Codec, opts.Timeout = newCodec(t), timeout
	c, err := placement.New(all.list(app, n), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestNodesThatCannotWorkAreRefused(t *testing.T) {
	for name, opts := range map[string]placement.Options{
		"more copies than nodes":   {Copies: 4},
		"negative copies":          {Copies: -1},
		"an unknown failover node": {Failover: []string{"n7"}},
		"all nodes failover":       {Failover: []string{"n1", "n2", "n3"}},
	} {
		opts.Codec, opts.Timeout = newCodec(t), timeout
		if _, err := placement.New(newNodes(3).list("app", 3), opts); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := placement.New(nil, placement.Options{Codec: newCodec(t), Timeout: timeout}); err == nil {
		t.Error("no nodes: taken")
	}
	c := newNodes(2).server(t, "app", 2, placement.Options{})
	if err := c.Drain("n1"); err == nil {
		t.Error("two copies with one node left: taken")
	}
	if err := c.Drain("n7"); err == nil {
		t.Error("drain of an unknown node: taken")
	}
}

func TestFailoverNodesHoldSessionsWhenNoOtherIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(3)
		c := all.server(t, "app", 3, placement.Options{Copies: 1, Failover: []string{"n1"}})
		homes := map[string]int{}
		for i := range 60 {
			homes[create(t, c, fmt.Sprintf("EXAMPLEEXAMPLEEXAMPLE%05d", i)).Record.Members[0]]++
		}
		if homes["n1"] != 0 || homes["n2"] < 10 || homes["n3"] < 10 {
			t.Errorf("homes %v, want n2 and n3 alike", homes)
		}
		all[1].Kill()
		all[2].Kill()
		for i := range 5 {
			v := create(t, c, fmt.Sprintf("OTHEROTHEROTHEROTHEROT%04d", i))
			if !slices.Equal(v.Record.Members, []string{"n1"}) {
				t.Errorf("members %v while only the failover node is left", v.Record.Members)
			}
		}
	})
}

// The home of a new session is found to be down after it was chosen, and before anything
// was sent to it.
func TestAHomeThatIsGivenUpBeforeItIsAskedHoldsNothing(t *testing.T) {
	for _, copies := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			all := newNodes(3)
			c := all.server(t, "app", 3, placement.Options{Copies: copies, Failover: []string{"n1"}})
			begins := settings(0, time.Time{})
			apply := begins.Apply
			begins.Apply = func(r *record.Record) error {
				if c.Nodes()[1].State == "up" {
					all[1].Kill()
					all[2].Kill()
					_, _ = c.Load(t.Context(), newID, "") // finds out
					time.Sleep(10 * time.Second)
				}
				return apply(r)
			}
			commit(t, c, id, nil, begins)
			if stored(t, all[0].Client("looker"), key(id)) == nil {
				t.Error("a session was acknowledged that is stored nowhere")
			}
		})
	}
}

// A new node is given to all servers, drained, before any uses it; then an old
// one is taken out in the same way.
func TestNodesAreExchangedUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(3)
		servers := []*placement.Cluster{all.server(t, "a", 2, placement.Options{}), all.server(t, "b", 2, placement.Options{})}
		ids := make([]string, 20)
		for i := range ids {
			ids[i] = fmt.Sprintf("EXAMPLEEXAMPLEEXAMPLE%05d", i)
			create(t, servers[i%2], ids[i])
		}
		rounds := 0
		work := func() {
			for i, id := range ids {
				c := servers[(i+rounds)%2]
				commit(t, c, id, load(t, c, id), increment("a"))
			}
			rounds++
		}
		for i, c := range servers {
			if err := errors.Join(c.SetNodes(all.list("new", 3)), c.Drain("n3")); err != nil {
				t.Fatal(err)
			}
			work()
			if i == 1 {
				break
			}
		}
		for _, c := range servers {
			if err := c.SetNodes(all.list("new", 3)); err != nil {
				t.Fatal(err)
			}
			work()
		}
		for _, c := range servers { // out of the list: n1 is drained
			if err := c.SetNodes(all.list("new", 3)[1:]); err != nil {
				t.Fatal(err)
			}
			work()
		}
		work()
		all[0].Kill()
		for _, id := range ids {
			v := load(t, servers[0], id)
			if count(v.Record, "a") != rounds || slices.Contains(v.Record.Members, "n1") {
				t.Errorf("%d of %d increments on %v", count(v.Record, "a"), rounds, v.Record.Members)
			}
		}
	})
}

// Such a server could neither ask the copy nor replace it: what it stored would
// stand on the home alone.
func TestServerThatDoesNotKnowAMemberReadsAndDoesNotWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(3)
		knows := all.server(t, "a", 3, placement.Options{Copies: 3})
		lacks := all.server(t, "b", 2, placement.Options{})
		base := create(t, knows, id)
		v := load(t, lacks, id)
		_, err := lacks.Commit(t.Context(), id, v, increment("a"))
		wantError(t, "Commit", err, store.ErrUnavailable)
		wantError(t, "Destroy", lacks.Destroy(t.Context(), v), store.ErrUnavailable)
		synctest.Wait()
		if got := load(t, knows, id).Record; got.Revision != base.Record.Revision {
			t.Errorf("revision %d, want %d: it wrote", got.Revision, base.Record.Revision)
		}
	})
}

func TestChangesWithFewerCopiesAreRefusedIfAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		strict := all.server(t, "a", 2, placement.Options{RefuseDegraded: true})
		lax := all.server(t, "b", 2, placement.Options{})
		base := create(t, strict, id)
		all[1].Kill()
		_, err := strict.Commit(t.Context(), id, base, increment("a"))
		wantError(t, "Commit", err, store.ErrUnavailable)
		_, err = strict.Commit(t.Context(), otherNewID, nil, increment("a"))
		wantError(t, "creation", err, store.ErrUnavailable)
		load(t, strict, id)
		commit(t, lax, id, load(t, lax, id), increment("a"))
		if got := lax.Stats().Degraded; got != 1 {
			t.Errorf("%d degraded commits counted, want 1", got)
		}
	})
}

// Nobody uses the session between the two faults.
func TestSessionStoredWithFewerCopiesIsMendedWhenTheNodeIsBack(t *testing.T) {
	for name, fault := range map[string]struct{ begin, end func(*faultstore.Node) }{
		"was killed": {(*faultstore.Node).Kill, (*faultstore.Node).Revive},
		"hung":       {(*faultstore.Node).Freeze, (*faultstore.Node).Thaw},
		"was out of reach": {
			func(n *faultstore.Node) { n.Cut("a") }, func(n *faultstore.Node) { n.Mend("a") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := newNodes(2)
				c := all.server(t, "a", 2, placement.Options{})
				v := create(t, c, id)
				home := map[string]int{"n1": 0, "n2": 1}[v.Record.Members[0]]
				fault.begin(all[1-home])
				commit(t, c, id, load(t, c, id), increment("a"))
				fault.end(all[1-home])
				time.Sleep(10 * time.Second)
				if got := c.Stats().MendsOwed; got != 0 {
					t.Errorf("%d sessions still to be mended", got)
				}
				all[home].Kill()
				got, err := all.server(t, "fresh", 2, placement.Options{}).Load(t.Context(), id, "")
				if err != nil || count(got.Record, "a") != 1 {
					t.Errorf("after the second fault: %v, error %v", got, err)
				}
			})
		})
	}
}

func TestTouchReachesTheCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		c := all.server(t, "a", 2, placement.Options{})
		v := commit(t, c, id, nil, settings(30*time.Minute, time.Time{}))
		for range 40 {
			time.Sleep(5 * time.Minute)
			load(t, c, id)
			synctest.Wait()
		}
		for i := range all {
			if v.Record.Members[0] == fmt.Sprint("n", i+1) {
				all[i].Kill()
			}
		}
		load(t, c, id)
	})
}

// A server's own clients count, so that one of them meets the eviction.
func TestTouchFindsAnEvictedCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newNodes(2)
		c := all.server(t, "a", 2, placement.Options{})
		v := commit(t, c, id, nil, settings(30*time.Minute, time.Time{}))
		home := map[string]int{"n1": 0, "n2": 1}[v.Record.Members[0]]
		all[1-home].Evict(key(id))
		load(t, c, id)
		time.Sleep(time.Second)
		all[home].Kill()
		if got := load(t, c, id).Record; got.Kind != record.Session {
			t.Errorf("got kind %d", got.Kind)
		}
	})
}
