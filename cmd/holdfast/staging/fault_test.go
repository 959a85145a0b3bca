package staging

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// fakeCluster has the names of a cluster and nothing that runs.
func fakeCluster(m Mode, own int, operators int) *cluster {
	c := &cluster{Options: Options{Mode: m, Spawn: own}}
	for i := range 3 {
		c.servers = append(c.servers, &server{Process: &rig.Process{Name: fmt.Sprintf("app%d", i+1)}})
	}
	for i := range own + operators {
		n := node{name: fmt.Sprintf("n%d", i+1), lines: make([]*line, 3)}
		if own > 0 {
			n.own = &rig.Node{Name: n.name}
		}
		c.nodes = append(c.nodes, n)
	}
	return c
}

func drawn(c *cluster, seed uint64, n int) (all []string) {
	for d := newDeck(seed, c.kinds()); len(all) < n; {
		all = append(all, d.draw().String())
	}
	return all
}

func TestSeedGivesTheSameFaults(t *testing.T) {
	c := fakeCluster(modes()[0], 3, 0)
	if a, b := drawn(c, 7, 40), drawn(c, 7, 40); !slices.Equal(a, b) {
		t.Errorf("got %q and %q of one seed", a, b)
	}
	if a, b := drawn(c, 7, 40), drawn(c, 8, 40); slices.Equal(a, b) {
		t.Errorf("got %q of two seeds", a)
	}
}

func TestEachKindOfFaultComesBeforeAnyComesAgain(t *testing.T) {
	c := fakeCluster(modes()[0], 3, 0)
	var got []string
	for _, f := range drawn(c, 1, len(c.kinds())) {
		got = append(got, f[:strings.LastIndexByte(f, ' ')])
	}
	slices.Sort(got)
	if len(slices.Compact(got)) < len(c.kinds())-3 { // "kill -9 of" and "SIGSTOP of" are both of servers and nodes
		t.Errorf("got %q", got)
	}
}

// An operator's nodes are reached through lines only.
func TestFaultsOfAnOperatorsClusterLeaveItsNodesAlone(t *testing.T) {
	for operators := range 3 {
		for _, f := range drawn(fakeCluster(modes()[0], 0, operators+1), 1, 100) {
			what, target := f[:strings.LastIndexByte(f, ' ')], f[strings.LastIndexByte(f, ' ')+1:]
			if strings.HasPrefix(target, "n") && !slices.Contains([]string{"to", "from"}, what[strings.LastIndexByte(what, ' ')+1:]) {
				t.Errorf("%q is done to a node", f)
			}
		}
	}
}

func TestBalancerFollowsTheCookieInStickyMode(t *testing.T) {
	c := fakeCluster(modes()[1], 2, 0)
	for range 20 {
		if got := c.pick("id-n1.app2", nil); got != c.servers[1] {
			t.Fatalf("got %s, want app2", got.Name)
		}
	}
	if got := c.pick("id-n1.app2", c.servers[1:2]); got == c.servers[1] {
		t.Error("got app2, where the request was in vain")
	}
	c.servers[1].down.Store(true)
	if got := c.pick("id-n1.app2", nil); got == c.servers[1] {
		t.Error("got app2, which hangs")
	}
	if got := c.pick("", c.servers); got != nil {
		t.Errorf("got %s, and none is left", got.Name)
	}
}
