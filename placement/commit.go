package placement

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// Commit is CREATE, COMMIT or RENEW.
func (c *Cluster) Commit(ctx context.Context, id string, base *store.View, ch *store.Change) (*store.View, error) {
	if base == nil {
		return c.settle(ctx, c.nothing(storageKey(c.prefix, id)), ch)
	}
	if ch.RenewTo != "" {
		return c.renew(ctx, base, ch)
	}
	return c.settle(ctx, base, ch)
}

// nothing is the state of a session before it is created: CREATE is a COMMIT to it.
func (c *Cluster) nothing(key string) *store.View {
	return &store.View{
		Key:      key,
		Record:   &record.Record{Epoch: 1, Members: []string{c.node.Name}},
		Versions: []store.Version{store.Absent},
	}
}

// settle is COMMIT: it writes ch onto v, and when that did not happen for
// certain, READs and writes again, until ch happened once or cannot any more.
//
// A retry is safe whatever became of the write before it, because both name the
// version that they replace: if the late one comes first, ours is refused and
// the next READ finds our commit id; if ours comes first, the late one is
// refused by the node.
func (c *Cluster) settle(ctx context.Context, v *store.View, ch *store.Change) (*store.View, error) {
	for {
		if v.Record.HasCommit(ch.Commit) {
			c.counts.settled.Add(1)
			return madeBy(ch, v), nil
		}
		if err := c.tooLate(v, ch); err != nil {
			return nil, err
		}
		next, err := c.apply(v.Record, ch)
		if err != nil {
			return nil, err
		}
		version, err := c.put(ctx, v, next)
		if err == nil {
			return c.written(v, next, version), nil
		}
		if errors.Is(err, store.ErrUnknownOutcome) {
			ch.Tried = append(ch.Tried, next)
		}
		if v, err = c.again(ctx, v, ch, err); err != nil {
			return nil, err
		}
	}
}

// madeBy returns the state that ch made, when ch is among the commits of v. That
// is not v when others have committed since: two counts must not both be
// answered with the sum. Its version is stale, so that a next commit begins with
// a READ.
func madeBy(ch *store.Change, v *store.View) *store.View {
	commits := v.Record.Commits
	since := len(commits) - 1 - slices.Index(commits, ch.Commit)
	if since == 0 {
		return v
	}
	for _, r := range ch.Tried {
		if r.Revision == v.Record.Revision-uint64(since) {
			made := *v
			made.Record, made.Versions = r, []store.Version{stale}
			return &made
		}
	}
	return v
}

// stale is a version that no item ever has.
var stale = store.Version{Generation: math.MaxUint64}

// again decides after a failed write what to try next: the newest state, from
// a READ, or nothing more.
func (c *Cluster) again(ctx context.Context, v *store.View, ch *store.Change, failure error) (*store.View, error) {
	switch {
	case errors.Is(failure, store.ErrConflict):
		c.counts.conflicts.Add(1)
	case errors.Is(failure, store.ErrFull):
		return nil, failure // asking again at once would only fill it more
	case errors.Is(failure, store.ErrUnknownOutcome):
		c.counts.uncertain.Add(1)
		c.uncertain(v, ch)
	case !errors.Is(failure, store.ErrUnavailable):
		return nil, failure // too large, for example: it will not get better
	}
	fresh, err := c.read(ctx, v.Key)
	if cause := ctx.Err(); cause != nil && err == nil {
		err = c.failed(fmt.Errorf("%w: no time left for another try: %w", store.ErrUnavailable, cause))
	}
	switch {
	case err == nil:
		return fresh, nil
	case errors.Is(err, store.ErrNotFound) && v.Versions[0] == store.Absent && ctx.Err() == nil:
		return v, nil // CREATE has not happened yet
	case errors.Is(err, store.ErrUnavailable) && ch.Uncertain:
		return nil, fmt.Errorf("%w (%w)", store.ErrUnknownOutcome, err)
	case errors.Is(err, store.ErrNotFound):
		c.counts.lost.Add(1)
	}
	return nil, err
}

// uncertain notes the revision at which ch first had an unknown outcome.
func (c *Cluster) uncertain(v *store.View, ch *store.Change) {
	if !ch.Uncertain {
		ch.Uncertain, ch.UncertainSince = true, v.Record.Revision
	}
}

// tooLate reports that ch cannot be told from one that happened: its commit id
// would have been forgotten by now.
func (c *Cluster) tooLate(v *store.View, ch *store.Change) error {
	if ch.Uncertain && v.Record.Revision-ch.UncertainSince >= record.MaxCommits {
		return fmt.Errorf("%w: %d changes later", store.ErrUnknownOutcome, v.Record.Revision-ch.UncertainSince)
	}
	return nil
}

// apply makes the record that follows r by ch.
func (c *Cluster) apply(r *record.Record, ch *store.Change) (*record.Record, error) {
	next := r.Clone()
	if err := ch.Apply(next); err != nil {
		return nil, err
	}
	now := time.Now()
	next.LastAccessed = now
	next.Revision++
	next.TTL = ttlOf(next, now)
	next.AddCommit(ch.Commit)
	return next, nil
}

// put writes next in the place of v. An error says on which node.
func (c *Cluster) put(ctx context.Context, v *store.View, next *record.Record) (store.Version, error) {
	item := store.Item{
		Value: c.codec.Append(nil, next, v.Key),
		Flags: uint32(markOf(next)),
		TTL:   next.TTL,
	}
	version, err := c.node.Store.Put(ctx, v.Key, item, v.Versions[0])
	switch {
	case err == nil || errors.Is(err, store.ErrConflict):
		return version, err
	case errors.Is(err, store.ErrTooLarge):
		return version, c.failed(tooLarge(err, next))
	case errors.Is(err, store.ErrFull):
		return version, c.failed(fmt.Errorf("%w: %w; give the node more memory, or let it evict", store.ErrUnavailable, err))
	}
	return version, c.failed(err)
}

// written is the View of what was just written in the place of v.
func (c *Cluster) written(v *store.View, r *record.Record, version store.Version) *store.View {
	return &store.View{
		Record: r, LastAccessed: v.LastAccessed, Aliased: v.Aliased,
		Key: v.Key, Versions: []store.Version{version},
	}
}
