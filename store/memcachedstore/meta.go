package memcachedstore

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// meta is the dialect of the meta commands: each request is one command.
type meta struct{}

func (meta) do(ctx context.Context, c *conn, r request) (store.Item, error) {
	return c.exchange(ctx, r)
}

func (meta) single(*request) bool { return true }

func (meta) mayMatch(generation uint64, at store.Version) bool {
	return at.Generation == generation
}

// appendCommand appends the command for r: the meta commands of memcached's
// doc/protocol.txt. The server sends the opaque back with the answer.
func (meta) appendCommand(b []byte, r *request, opaque uint16) []byte {
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

// receive makes the result of cl from the line and the value that follows it.
// The opaque shows that they belong to cl; a SERVER_ERROR has none.
func (meta) receive(c *conn, cl *call, line []byte) (store.Item, error) {
	a, err := parseAnswer(line)
	if err != nil {
		return store.Item{}, err
	}
	if a.code != refused && (a.fields&hasOpaque == 0 || a.opaque != cl.opaque) {
		return store.Item{}, fmt.Errorf("%w: it belongs to another command", errProtocol)
	}
	item, err := cl.settle(a, c.generation)
	if err != nil || a.code != found {
		return item, err
	}
	item.Value, err = c.value(cl, a.size, c.maxItem)
	return item, err
}

// complete finds the line, and after VA the value with its line end.
func (meta) complete(b []byte) bool {
	line, rest, ok := bytes.Cut(b, []byte("\n"))
	if !ok {
		return false
	}
	if size, ok := bytes.CutPrefix(line, []byte("VA ")); ok {
		size, _, _ = bytes.Cut(size, []byte(" "))
		n, _ := parseUint(size, maxSize)
		return uint64(len(rest)) >= n+2
	}
	return true
}
