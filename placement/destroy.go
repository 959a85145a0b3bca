package placement

import (
	"context"
	"errors"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// Destroy is DESTROY: a tombstone in the place of the newest state, wherever a
// renewal has moved it. No write under way can follow it, since each names the
// version that it replaces.
func (c *Cluster) Destroy(ctx context.Context, v *store.View) error {
	var ending store.Change // notes whether an outcome is unknown
	for {
		_, err := c.put(ctx, v, tombstoneOf(v.Record, record.Logout))
		if err == nil {
			return nil
		}
		// The base was old, or the answer did not come: find what to end now,
		// also where a renewal has moved it long ago.
		if v, err = c.again(ctx, v, &ending, err, sameOwner); err != nil {
			return destroyed(unsettled(&ending, err))
		}
	}
}

// destroyed is err, why nothing was destroyed, unless somebody else did it.
func destroyed(err error) error {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDestroyed) {
		return nil
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
