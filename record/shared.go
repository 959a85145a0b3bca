package record

import (
	"hash/maphash"
	"sync/atomic"
)

// shared are strings that most records have in common: the names of nodes, and what
// an app calls its attributes. Each is made once, and taken from there while nothing
// else takes its slot. It has a choice of two: with one, two names of the same slot
// would be made again with each record.
type shared struct {
	seed  maphash.Seed
	slots [1024]atomic.Pointer[string]
}

// maxShared is above what such strings have. It bounds what a slot holds of a record
// that is no more.
const maxShared = 256

func newShared() *shared { return &shared{seed: maphash.MakeSeed()} }

func (s *shared) string(b []byte) string {
	if len(b) == 0 || len(b) > maxShared {
		return string(b)
	}
	hash, n := maphash.Bytes(s.seed, b), uint64(len(s.slots))
	first, second := &s.slots[hash%n], &s.slots[hash/n%n]
	for _, slot := range []*atomic.Pointer[string]{first, second} {
		if known := slot.Load(); known != nil && *known == string(b) {
			return *known
		}
	}
	made := string(b)
	if first.CompareAndSwap(nil, &made) {
		return made
	}
	second.Store(&made)
	return made
}
