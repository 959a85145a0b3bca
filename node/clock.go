package node

import "time"

// A tick is a second on the node's clock.
type tick int64

const (
	never tick = 0
	past  tick = 1

	// firstTick is where memcached begins, so that past is past. It shows in the
	// time left of an item that a touch has just ended.
	firstTick tick = 62
)

// longest is the largest expiry time that counts from now. What is above it is
// a Unix time, in memcached's protocol.
const longest = 30 * 24 * 60 * 60

// A clock counts whole seconds from its start, as memcached's does: an item
// with a second to live has a second or less.
type clock struct{ start time.Time }

func newClock() clock { return clock{time.Now()} }

func (c clock) now() tick { return tick(time.Since(c.start)/time.Second) + firstTick }

// end translates an expiry time of the protocol.
func (c clock) end(exptime int32) tick {
	switch {
	case exptime == 0:
		return never
	case exptime < 0:
		return past
	case exptime <= longest:
		return c.now() + tick(exptime)
	default:
		return max(past, tick(int64(exptime)-c.start.Unix())+firstTick)
	}
}
