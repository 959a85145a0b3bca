package placement

import "github.com/holdfast-sessions/holdfast/record"

// A mark is the client flags of an item: from the top 2 bits kind, 7 bits
// epoch, 23 bits revision. With it a probe without value tells what a node
// holds. Epoch and revision are the low bits of the record's, to be compared as
// serial numbers.
type mark uint32

const (
	epochBits    = 7
	revisionBits = 23
)

func markOf(r *record.Record) mark {
	const epochMask, revisionMask = 1<<epochBits - 1, 1<<revisionBits - 1
	return mark(uint32(r.Kind)<<(epochBits+revisionBits) |
		r.Epoch&epochMask<<revisionBits |
		uint32(r.Revision)&revisionMask)
}

func (m mark) kind() record.Kind { return record.Kind(m >> (epochBits + revisionBits)) }
