package memcachedstore

import (
	"math"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// maxTTL is the longest time to live that memcached takes for one: above it is
// a date, which lies in the past.
const maxTTL = 30 * 24 * time.Hour

// noToken is a compare-and-set token that no item ever has.
const noToken = math.MaxUint64

// A verb is a method of Store; get with Head is one of its own.
type verb uint8

const (
	get verb = iota
	head
	put
	touch
	remove
)

func (v verb) String() string {
	return [...]string{"get", "head", "put", "touch", "delete"}[v]
}

// writes is false for verbs that leave the item as it is, so that a lost
// answer leaves no doubt.
func (v verb) writes() bool { return v >= put }

// A request is what a caller asks of the server.
type request struct {
	verb verb
	key  string
	item store.Item    // for put: Value, Flags, TTL; for touch: TTL
	at   store.Version // for put and remove
}

// wholeSeconds is ttl as memcached counts it; 0 is for ever.
func wholeSeconds(ttl time.Duration) int64 {
	if ttl <= 0 || ttl > maxTTL {
		return 0
	}
	return int64((ttl + time.Second - 1) / time.Second)
}
