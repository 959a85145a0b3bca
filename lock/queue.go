package lock

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/holdfast-sessions/holdfast/store"
)

// A ticket is one owner's place in the queue for a lock.
type ticket struct {
	owner uint64 // a random number
	beat  uint32 // counted up by the owner, so that others see it live
	held  bool   // the owner has the lock; only of the first ticket
}

// A queue is who wants a lock, in the order in which they came. The first has it, or
// may take it.
type queue []ticket

// find returns the place of owner, or -1.
func (q queue) find(owner uint64) int {
	return slices.IndexFunc(q, func(t ticket) bool { return t.owner == owner })
}

// without returns q without the tickets for which gone is true.
func (q queue) without(gone func(ticket) bool) queue {
	return slices.DeleteFunc(slices.Clone(q), gone)
}

const (
	format     = 1 // of a stored queue: its first byte
	ticketSize = 13
)

func (q queue) value() []byte {
	b := append(make([]byte, 0, 1+len(q)*ticketSize), format)
	for _, t := range q {
		b = binary.BigEndian.AppendUint64(b, t.owner)
		b = binary.BigEndian.AppendUint32(b, t.beat)
		held := byte(0)
		if t.held {
			held = 1
		}
		b = append(b, held)
	}
	return b
}

func parse(b []byte) (queue, error) {
	if len(b) == 0 || b[0] != format || len(b)%ticketSize != 1 {
		return nil, fmt.Errorf("%w: what lies under the lock's key is no lock; it will expire", store.ErrUnavailable)
	}
	var q queue
	for b = b[1:]; len(b) > 0; b = b[ticketSize:] {
		q = append(q, ticket{binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:]), b[12] == 1})
	}
	return q, nil
}
