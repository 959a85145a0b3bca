package memorystore

import (
	"container/heap"
	"math"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// never is the end of an entry that has none.
const never time.Duration = 0

// endOf returns when an item ends that is given ttl now. A TTL of zero or less
// is store.Forever, and so is one beyond what can be counted.
func endOf(now, ttl time.Duration) time.Duration {
	if ttl <= store.Forever || ttl > math.MaxInt64-now {
		return never
	}
	return now + ttl
}

func (e *entry) ended(now time.Duration) bool { return e.end != never && e.end <= now }

func (e *entry) left(now time.Duration) time.Duration {
	if e.end == never {
		return store.Forever
	}
	return e.end - now
}

// endings is a heap of the entries that end, the next one first. Each entry
// knows its place in it.
type endings []*entry

// set gives e another end, and with it another place, or none.
func (h *endings) set(e *entry, end time.Duration) {
	was := e.end
	e.end = end
	switch {
	case was == never && end != never:
		heap.Push(h, e)
	case was != never && end == never:
		heap.Remove(h, e.place)
	case was != end:
		heap.Fix(h, e.place)
	}
}

func (h endings) Len() int           { return len(h) }
func (h endings) Less(i, j int) bool { return h[i].end < h[j].end }

func (h endings) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push is called by package heap.
func (h *endings) Push(x any) {
	e := x.(*entry)
	e.place = len(*h)
	*h = append(*h, e)
}

// Pop is called by package heap.
func (h *endings) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil // or the array would keep it alive
	*h = (*h)[:last]
	return e
}
