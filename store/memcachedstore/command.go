package memcachedstore

import (
	"math"
	"strconv"
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

// appendCommand appends the command for r: the meta commands of memcached's
// doc/protocol.txt. The server sends the opaque back with the answer.
func appendCommand(b []byte, r *request, opaque uint16) []byte {
	switch r.verb {
	case get:
		b = appendFlags(b, "mg ", r.key, " v c f t")
	case head:
		b = appendFlags(b, "mg ", r.key, " c f t")
	case touch:
		b = appendFlags(b, "mg ", r.key, " c")
		b = appendTTL(b, r.item.TTL)
	case remove:
		b = appendFlags(b, "md ", r.key, "")
		b = appendCompare(b, r.at, noToken)
	case put:
		b = appendFlags(b, "ms ", r.key, " ")
		b = strconv.AppendInt(b, int64(len(r.item.Value)), 10)
		b = append(b, " c F"...)
		b = strconv.AppendUint(b, uint64(r.item.Flags), 10)
		b = appendTTL(b, r.item.TTL)
		if r.at == store.Absent {
			b = append(b, " ME"...)
		} else {
			b = appendCompare(b, r.at, 0)
		}
	}
	b = append(b, " O"...)
	b = strconv.AppendUint(b, uint64(opaque), 10)
	b = append(b, "\r\n"...)
	if r.verb == put {
		b = append(b, r.item.Value...)
		b = append(b, "\r\n"...)
	}
	return b
}

func appendFlags(b []byte, name, key, flags string) []byte {
	b = append(b, name...)
	b = append(b, key...)
	return append(b, flags...)
}

func appendTTL(b []byte, ttl time.Duration) []byte {
	b = append(b, " T"...)
	return strconv.AppendInt(b, wholeSeconds(ttl), 10)
}

// wholeSeconds is ttl as memcached counts it; 0 is for ever.
func wholeSeconds(ttl time.Duration) int64 {
	if ttl <= 0 || ttl > maxTTL {
		return 0
	}
	return int64((ttl + time.Second - 1) / time.Second)
}

// appendCompare makes the command conditional on at. absent is the token that
// stands for store.Absent.
func appendCompare(b []byte, at store.Version, absent uint64) []byte {
	switch at {
	case store.Any:
		return b
	case store.Absent:
		at.Token = absent
	}
	b = append(b, " C"...)
	return strconv.AppendUint(b, at.Token, 10)
}
