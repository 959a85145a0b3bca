package memcachedstore

import (
	"strconv"

	"github.com/holdfast-sessions/holdfast/store"
)

// longAgo is an end for an item in a server's own notation. It is above 30 days,
// so a date, and it lies in the past: the item ends at once. A negative number
// would do for memcached, but not for twemproxy.
const longAgo = 30*24*60*60 + 1

// appendCommand appends the command for r, of memcached's doc/protocol.txt. There
// is no conditional delete: an item that has ended already takes the place.
func (classic) appendCommand(b []byte, r *request, _ uint16) []byte {
	switch r.verb {
	case get, head:
		b = appendFlags(b, "gets ", r.key, " ")
		b = append(b, noteKey(r.key)...)
	case touch:
		b = appendFlags(b, "touch ", r.key, " ")
		b = strconv.AppendInt(b, wholeSeconds(r.item.TTL), 10)
	case put:
		return appendStorage(b, r, wholeSeconds(r.item.TTL), 0)
	case remove:
		if r.at != store.Any {
			return appendStorage(b, &request{verb: remove, key: r.key, at: r.at}, longAgo, noToken)
		}
		b = appendFlags(b, "delete ", r.key, "")
	}
	return append(b, "\r\n"...)
}

// appendStorage appends the storage command for r. absent is the token that
// stands for store.Absent; without one the command is add.
func appendStorage(b []byte, r *request, seconds int64, absent uint64) []byte {
	name, token := "cas ", r.at.Token
	switch {
	case r.at == store.Any:
		name, token = "set ", 0
	case r.at == store.Absent:
		if token = absent; token == 0 {
			name = "add "
		}
	}
	b = appendFlags(b, name, r.key, " ")
	b = strconv.AppendUint(b, uint64(r.item.Flags), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, seconds, 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(len(r.item.Value)), 10)
	if token != 0 {
		b = append(b, ' ')
		b = strconv.AppendUint(b, token, 10)
	}
	b = append(b, "\r\n"...)
	b = append(b, r.item.Value...)
	return append(b, "\r\n"...)
}
