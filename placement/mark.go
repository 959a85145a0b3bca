package placement

import "github.com/holdfast-sessions/holdfast/record"

// A mark is the client flags of an item: from the top 2 bits kind, 7 bits
// epoch, 23 bits revision. With it a probe without value tells what a node
// holds. Epoch and revision are the low bits of the record's, to be compared as
// serial numbers (RFC 1982).
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

// epochsAfter returns by how many epochs m is newer than than; negative: older.
func (m mark) epochsAfter(than mark) int {
	return serial(uint32(m)>>revisionBits, uint32(than)>>revisionBits, epochBits)
}

// revisionsAfter is the same for revisions, which count within one epoch.
func (m mark) revisionsAfter(than mark) int {
	return serial(uint32(m), uint32(than), revisionBits)
}

// newerThan orders by epoch, then by revision.
func (m mark) newerThan(than mark) bool {
	if d := m.epochsAfter(than); d != 0 {
		return d > 0
	}
	return m.revisionsAfter(than) > 0
}

// serial is the difference of the serial numbers in the low bits of a and b.
func serial(a, b uint32, bits int) int {
	shift := 32 - bits
	return int(int32(a<<shift-b<<shift) >> shift)
}
