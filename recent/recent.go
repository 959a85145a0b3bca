// Package recent remembers what was noted lately, by the hash of its key: a few
// bytes each, however long the key, and no more of them than it was made for.
package recent

import (
	"hash/maphash"
	"time"
)

// A Map remembers values by key, in two generations. When the younger one is full or old
// it becomes the elder, and the elder is forgotten. It is not safe for concurrent use.
type Map[K comparable, V any] struct {
	most int
	keep time.Duration
	seed maphash.Seed

	young, elder map[uint64]V
	began        time.Time // when the young generation did
}

// New makes a Map of at most so many keys in each generation, which ends after keep.
// With keep zero a generation ends only when it is full.
func New[K comparable, V any](most int, keep time.Duration) *Map[K, V] {
	return &Map[K, V]{most: most, keep: keep, seed: maphash.MakeSeed(), young: map[uint64]V{}, began: time.Now()}
}

// Put notes value under key. It is remembered for keep at least, unless there are too
// many, and for three times that at most.
func (m *Map[K, V]) Put(key K, value V) {
	m.turn()
	m.young[maphash.Comparable(m.seed, key)] = value
}

// Get returns what was put last under key, if that is remembered.
func (m *Map[K, V]) Get(key K) (value V, ok bool) {
	m.turn()
	if len(m.young) == 0 && len(m.elder) == 0 {
		return value, false
	}
	hash := maphash.Comparable(m.seed, key)
	if value, ok = m.young[hash]; !ok {
		value, ok = m.elder[hash]
	}
	return value, ok
}

// Len is how many are remembered, counting twice what is in both generations.
func (m *Map[K, V]) Len() int { return len(m.young) + len(m.elder) }

func (m *Map[K, V]) turn() {
	var age time.Duration
	if m.keep > 0 {
		age = time.Since(m.began)
	}
	if len(m.young) < m.most && (m.keep == 0 || age < m.keep) {
		return
	}
	m.elder = m.young
	if m.keep > 0 && age >= 2*m.keep {
		m.elder = nil
	}
	m.young, m.began = map[uint64]V{}, time.Now()
}
