package placement

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"

	"github.com/holdfast-sessions/holdfast/placement/health"
	"github.com/holdfast-sessions/holdfast/store"
)

// A node is a member of the roster, for as long as the cluster lives.
type node struct {
	store.Node
	index   int
	monitor *health.Monitor // nil: the only node, which is asked whatever happens
	owed    *owed           // ends that it has not got yet
}

func (n *node) close() error {
	if n.monitor != nil {
		n.monitor.Close()
	}
	if closer, ok := n.Store.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// A roster is the list of nodes at one moment. It is never changed: another one
// takes its place. A node keeps its index in all of them.
type roster struct {
	nodes    []*node // by index
	order    []int   // indices in list order; nodes that were taken from the list are last
	byName   map[string]int
	failover set // hold sessions only when no other node is left
	draining set // are left by their sessions
}

func (r *roster) every() set { return setOf(len(r.nodes)) - 1 }

// index of the node called name, or -1: a name that is not known here.
func (r *roster) index(name string) int {
	if i, ok := r.byName[name]; ok {
		return i
	}
	return -1
}

// indices of the nodes called names, and the names that are not known here.
func (r *roster) indices(names []string) (known set, unknown []string) {
	for _, name := range names {
		if i := r.index(name); i >= 0 {
			known = known.with(i)
		} else {
			unknown = append(unknown, name)
		}
	}
	return known, unknown
}

func (r *roster) names(indices []int) []string {
	names := make([]string, len(indices))
	for i, n := range indices {
		names[i] = r.nodes[n].Name
	}
	return names
}

// choose returns size nodes for a session: home, then the next of among in list
// order, failover nodes last.
func (r *roster) choose(home int, among set, size int) []int {
	chosen := append(make([]int, 0, size), home)
	r.choosing(home, among, func(n int) bool {
		if len(chosen) < size {
			chosen = append(chosen, n)
		}
		return len(chosen) < size
	})
	return chosen
}

// chosen are the same, in no order.
func (r *roster) chosen(home int, among set, size int) set {
	chosen := setOf(home)
	r.choosing(home, among, func(n int) bool {
		if chosen.size() < size {
			chosen = chosen.with(n)
		}
		return chosen.size() < size
	})
	return chosen
}

// choosing visits the nodes that follow home, the best first, while more are wanted.
func (r *roster) choosing(home int, among set, more func(int) bool) {
	for _, these := range [2]set{among &^ r.failover, among & r.failover} {
		for n := range r.after(home) {
			if these.has(n) && !more(n) {
				return
			}
		}
	}
}

// after yields the other nodes in list order, beginning behind first.
func (r *roster) after(first int) func(func(int) bool) {
	return func(yield func(int) bool) {
		at := 0
		for r.order[at] != first {
			at++
		}
		for d := 1; d < len(r.order); d++ {
			if !yield(r.order[(at+d)%len(r.order)]) {
				return
			}
		}
	}
}

// newHome is the home of a session that begins, one of among, or -1.
func (r *roster) newHome(among set) int {
	for _, these := range [3]set{among &^ r.failover &^ r.draining, among &^ r.draining, among} {
		if size := these.size(); size > 0 {
			skip := rand.IntN(size)
			for n := range these.all() {
				if skip == 0 {
					return n
				}
				skip--
			}
		}
	}
	return -1
}

// extended is a roster with the nodes of list in that order, made by add where
// they are new. Nodes that the list lacks are drained: sessions leave them, and
// until then they are read.
func (r *roster) extended(list []store.Node, add func(store.Node, int) *node) (*roster, error) {
	next := &roster{nodes: r.nodes, byName: map[string]int{}, failover: r.failover}
	listed := set(0)
	maps.Copy(next.byName, r.byName)
	for _, given := range list {
		i := next.index(given.Name)
		switch {
		case listed.has(i):
			return nil, fmt.Errorf("two nodes are called %s", given.Name)
		case i < 0 && len(next.nodes) == maxNodes:
			return nil, fmt.Errorf("more than %d nodes since the start: restart with the new list", maxNodes)
		case i < 0:
			i = len(next.nodes)
			next.nodes = append(next.nodes[:i:i], add(given, i))
			next.byName[given.Name] = i
		}
		listed = listed.with(i)
		next.order = append(next.order, i)
	}
	for _, i := range r.order {
		if !listed.has(i) {
			next.order = append(next.order, i)
			next.draining = next.draining.with(i)
		}
	}
	return next, nil
}

func (r *roster) namesOf(s set) []string {
	var names []string
	for n := range s.all() {
		names = append(names, r.nodes[n].Name)
	}
	return names
}
