package protocolmodel

import (
	"fmt"
	"testing"
)

// TestPromisesHoldWithServersCutOffFromDifferentNodes takes any two nodes, whether
// the session lies on them or not, before and after it has moved.
func TestPromisesHoldWithServersCutOffFromDifferentNodes(t *testing.T) {
	nodes := map[string]set{"n1": n1, "n2": n2, "n3": n3}
	starts := map[string]Start{"": Stored, ", moved": Moved, ", fenced": Fenced}
	casts := [][]Role{
		{Writer, Writer, Writer},
		{Writer, Writer, Reader},
		{Reader, Writer, Writer},
		{Writer, Reader, Writer},
		{Writer, Destroyer, Reader},
		{Destroyer, Writer, Reader},
		{Writer, Renewer, Reader},
		{Renewer, Writer, Writer},
	}
	for first := range nodes {
		for second := range nodes {
			for start := range starts {
				for _, cast := range casts {
					if first == second {
						continue
					}
					t.Run(fmt.Sprintf("%v, from %s and %s%s", cast, first, second, start), func(t *testing.T) {
						c := one(3, Faults{}, cast...)
						c.CutOff, c.Start = []set{nodes[first], nodes[second]}, starts[start]
						holdsEverywhere(t, c)
						holdsEverywhere(t, c.and(probing))
					})
				}
			}
		}
	}
}
