package lock

import "time"

// A sighting is a ticket as it was first seen with its present beat.
type sighting struct {
	ticket
	since time.Time // when the answer with it had come
}

// A watch remembers the tickets of one queue, to find out which owners are gone.
type watch map[uint64]sighting

// silent returns whether t has stood still for as long as its kind may. asked is
// when the read that found it was sent, came when its answer was there. Between the
// two reads that are compared at least asked minus since has passed on the node,
// however long this server stood still itself.
func (w watch) silent(t ticket, asked, came time.Time, lease, patience time.Duration) bool {
	before, seen := w[t.owner]
	if !seen || before.ticket != t {
		w[t.owner] = sighting{t, came}
		return false
	}
	limit := patience
	if t.held {
		limit = lease
	}
	return asked.Sub(before.since) >= limit
}
