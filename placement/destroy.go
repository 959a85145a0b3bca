package placement

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// Destroy is DESTROY: a tombstone in the place of the newest state, wherever a
// renewal has moved it. No write under way can follow it, since each names the
// version that it replaces.
func (c *Cluster) Destroy(ctx context.Context, v *store.View) error {
	uncertain := false
	for {
		_, err := c.put(ctx, v, tombstoneOf(v.Record, record.Logout))
		if err == nil {
			return nil
		}
		uncertain = uncertain || errors.Is(err, store.ErrUnknownOutcome)
		if errors.Is(err, store.ErrFull) || ctx.Err() != nil {
			return err
		}
		// The base was old, or the answer did not come: find what to end now,
		// also where a renewal has moved it long ago.
		if v, err = c.readWhile(ctx, v.Key, always); err != nil {
			return destroyed(err, uncertain)
		}
	}
}

func always(*record.Record) bool { return true }

// destroyed judges why a READ on the way to a destruction found no session.
func destroyed(err error, uncertain bool) error {
	switch {
	case errors.Is(err, store.ErrUnavailable) && uncertain:
		return fmt.Errorf("%w (%w)", store.ErrUnknownOutcome, err)
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrDestroyed):
		return nil // somebody else ended it
	}
	return err
}

// tombstoneOf returns what stands in the place of r after its end. It keeps
// nothing of the user's.
func tombstoneOf(r *record.Record, reason record.Reason) *record.Record {
	return &record.Record{
		Kind:     record.Tombstone,
		Reason:   reason,
		Epoch:    r.Epoch,
		Revision: r.Revision + 1,
		Members:  r.Members,
		TTL:      endTTL(r),
	}
}
