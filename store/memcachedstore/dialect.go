package memcachedstore

import (
	"context"

	"github.com/holdfast-sessions/holdfast/store"
)

// A dialect is a way to say requests in commands, chosen for each connection
// when it is made.
type dialect interface {
	// do makes r happen on c, by one command or several, and returns what the
	// method of Store returns. After errGone nothing was written.
	do(ctx context.Context, c *conn, r request) (store.Item, error)

	// single reports whether do is one command for r, and nothing else.
	single(r *request) bool

	// mayMatch is false for versions that no item has on the connection of that
	// generation.
	mayMatch(generation uint64, at store.Version) bool

	// appendCommand appends the one command for r. The opaque is for dialects
	// whose answers carry it.
	appendCommand(b []byte, r *request, opaque uint16) []byte

	// receive returns the result of cl, which is next to be answered. line is
	// the first line of the answer; receive reads the rest of it. After an error
	// that matches errProtocol the connection cannot go on.
	receive(c *conn, cl *call, line []byte) (store.Item, error)

	// complete reports whether b begins with a whole answer, or with what is none
	// at all: then receive will not wait for more, whatever the call.
	complete(b []byte) bool
}
