package memcachedstore

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// classic is the dialect of servers without meta commands: gets, set, add, cas,
// touch and delete. No answer to a write tells the version, so a read is sent
// behind it. No command tells the time left, so a second item keeps the end.
type classic struct {
	// hidden: connections do not tell the lives of the server apart, as behind a
	// proxy. A token alone then proves nothing.
	hidden bool
}

func (d classic) do(ctx context.Context, c *conn, r request) (store.Item, error) {
	if d.hidden && r.verb.writes() && r.at != store.Absent && r.at != store.Any {
		if err := d.confirm(ctx, c, &r); err != nil {
			return store.Item{}, err
		}
	}
	switch r.verb {
	case put:
		return d.put(ctx, c, r)
	case touch:
		return d.touch(ctx, c, r)
	case remove:
		return d.remove(ctx, c, r)
	}
	return c.exchange(ctx, r)
}

func (classic) single(r *request) bool { return !r.verb.writes() }

// confirm sees to it that the item still is the one of r.at, whose token may be
// of a former life of the server.
func (d classic) confirm(ctx context.Context, c *conn, r *request) error {
	if err := c.fits(r); err != nil {
		return err
	}
	item, err := c.exchange(ctx, request{verb: get, key: r.key})
	switch {
	case errors.Is(err, store.ErrNotFound) && r.verb == remove:
		return nil // the server will say so again
	case errors.Is(err, store.ErrNotFound), err == nil && item.Version != r.at:
		return store.ErrConflict
	}
	return err
}

func (d classic) put(ctx context.Context, c *conn, r request) (store.Item, error) {
	sum, end := fingerprint(r.item.Flags, r.item.Value), endOf(r.item.TTL, time.Now())
	seen, err := d.writeAndRead(ctx, c, r)
	switch {
	case err != nil:
		return store.Item{}, err
	case seen.Version == store.Absent || fingerprint(seen.Flags, seen.Value) != sum:
		return store.Item{Version: d.spent(c)}, nil // somebody else has written since
	}
	c.tell(noteRequest(r.key, note{sum, end}))
	return store.Item{Version: seen.Version}, nil
}

// touch touches and then reads: in this order an item that was written between
// the two shows, by its version.
func (d classic) touch(ctx context.Context, c *conn, r request) (store.Item, error) {
	end := endOf(r.item.TTL, time.Now())
	seen, err := d.writeAndRead(ctx, c, r)
	switch {
	case err != nil:
		return store.Item{}, err
	case seen.Version == store.Absent:
		return store.Item{Version: d.spent(c)}, nil
	}
	c.tell(noteRequest(r.key, note{fingerprint(seen.Flags, seen.Value), end}))
	return store.Item{Version: seen.Version}, nil
}

func (d classic) remove(ctx context.Context, c *conn, r request) (store.Item, error) {
	_, err := c.exchange(ctx, r)
	if err == nil {
		c.tell(request{verb: remove, key: noteKey(r.key), at: store.Any})
	}
	return store.Item{}, err
}

// writeAndRead does r and reads the item behind it, in one round trip. The item
// is zero if it could not be read. The error is of r alone.
func (d classic) writeAndRead(ctx context.Context, c *conn, r request) (store.Item, error) {
	written, err := c.send(r)
	if err != nil {
		return store.Item{}, err
	}
	c.leaveToReader(written) // whoever reads must not wait for a write
	read, unread := c.send(request{verb: get, key: r.key})
	_, err = c.await(ctx, written)
	if unread != nil {
		return store.Item{}, err
	}
	if err != nil {
		c.forget(read)
		return store.Item{}, err
	}
	seen, unread := c.await(ctx, read)
	if unread != nil {
		return store.Item{}, nil
	}
	return seen, nil
}

// sealed marks the generation of a version of a hidden server: the rest of it is
// the fingerprint of the item.
const sealed = 1 << 63

// version names the state of an item. Behind a proxy, where no connection tells
// the lives of a server apart, its content has to.
func (d classic) version(generation, token, sum uint64) store.Version {
	if d.hidden {
		generation = sum | sealed
	}
	return store.Version{Generation: generation, Token: token}
}

// spent is a version that no item has: of one that was written, and then
// overwritten, or could not be read.
func (d classic) spent(c *conn) store.Version {
	return d.version(c.generation, noToken, 0)
}

func (d classic) mayMatch(generation uint64, at store.Version) bool {
	if d.hidden {
		return at.Generation&sealed != 0
	}
	return at.Generation == generation
}
