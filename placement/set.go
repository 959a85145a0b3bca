package placement

import (
	"iter"
	"math/bits"
)

// maxNodes is how many nodes one cluster can have: a set is one word.
const maxNodes = 64

// A set is a set of nodes, by their index.
type set uint64

func setOf(i int) set           { return 1 << i }
func (s set) has(i int) bool    { return i >= 0 && s&setOf(i) != 0 }
func (s set) with(i int) set    { return s | setOf(i) }
func (s set) without(i int) set { return s &^ setOf(i) }
func (s set) size() int         { return bits.OnesCount64(uint64(s)) }
func (s set) first() int        { return bits.TrailingZeros64(uint64(s)) }
func (s set) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for ; s != 0; s &= s - 1 {
			if !yield(s.first()) {
				return
			}
		}
	}
}
