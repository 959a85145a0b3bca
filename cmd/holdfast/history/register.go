package history

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// registerOp is a write, or an accepted read.
type registerOp struct {
	write   bool
	value   string
	span    Span
	outcome Outcome
	from    *Op // nil if it was noted as a register's
}

// cluster is a write with all reads of its value. In any order that explains
// the history a cluster's operations stand together, the write first.
type cluster struct {
	value     string
	write     Span
	firstEnd  time.Duration
	lastStart time.Duration
	reads     int
}

// forward clusters have operations whose order is known: the register must
// hold the value at least from firstEnd to lastStart. The operations of the
// others all overlap at some moment between lastStart and firstEnd.
func (c *cluster) forward() bool { return c.firstEnd < c.lastStart }

// checkRegister decides whether a register explains ops. When the values of
// all writes differ, an order exists if and only if every read follows the
// start of its write, no two forward clusters overlap, and no other cluster
// lies wholly within a forward one (P. B. Gibbons and E. Korach, "Testing
// Shared Memories", SIAM Journal on Computing 26(4), 1997).
func checkRegister(ops []registerOp) error {
	clusters, err := clustersOf(ops)
	if err != nil {
		return err
	}
	var held, moments []*cluster
	for _, c := range slices.SortedFunc(maps.Values(clusters), earlierSeen) {
		if c.forward() {
			held = append(held, c)
		} else {
			moments = append(moments, c)
		}
	}
	for i, c := range held[min(1, len(held)):] {
		if before := held[i]; c.firstEnd < before.lastStart {
			return fmt.Errorf("both %q and %q were there before the other was last seen", before.value, c.value)
		}
	}
	for _, m := range moments {
		for _, c := range held {
			if c.firstEnd < m.lastStart && m.firstEnd < c.lastStart {
				return fmt.Errorf("%q was seen before and after the whole life of %q: a lost update or a stale read", c.value, m.value)
			}
		}
	}
	return nil
}

func earlierSeen(a, b *cluster) int {
	return cmp.Or(cmp.Compare(a.firstEnd, b.firstEnd), cmp.Compare(a.value, b.value))
}

// clustersOf groups ops by value. The register's first value was written
// before everything else.
func clustersOf(ops []registerOp) (map[string]*cluster, error) {
	clusters := map[string]*cluster{"": newCluster("", Span{-1, -1})}
	refused := map[string]bool{}
	for _, op := range ops {
		switch {
		case !op.write:
		case clusters[op.value] != nil || refused[op.value]:
			return nil, fmt.Errorf("%q was written twice: the history cannot be judged", op.value)
		case op.outcome == Refused:
			refused[op.value] = true
		case op.outcome == Unknown:
			clusters[op.value] = newCluster(op.value, Span{op.span.Start, never})
		default:
			clusters[op.value] = newCluster(op.value, op.span)
		}
	}
	for _, op := range ops {
		if op.write {
			continue
		}
		c := clusters[op.value]
		switch {
		case refused[op.value]:
			return nil, fmt.Errorf("read %q, whose write was refused", op.value)
		case c == nil:
			return nil, fmt.Errorf("read %q, which nobody wrote", op.value)
		case op.span.before(c.write):
			return nil, fmt.Errorf("read %q before its write began", op.value)
		}
		c.add(op.span)
	}
	// What nobody saw and nobody vouches for need not have happened.
	for value, c := range clusters {
		if c.reads == 0 && c.write.End == never {
			delete(clusters, value)
		}
	}
	return clusters, nil
}

func newCluster(value string, write Span) *cluster {
	return &cluster{value: value, write: write, firstEnd: write.End, lastStart: write.Start}
}

func (c *cluster) add(read Span) {
	c.reads++
	c.firstEnd = min(c.firstEnd, read.End)
	c.lastStart = max(c.lastStart, read.Start)
}
