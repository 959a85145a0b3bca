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
	v, err := c.commit(ctx, id, base, ch)
	return v, unsettled(ch, err)
}

func (c *Cluster) commit(ctx context.Context, id string, base *store.View, ch *store.Change) (*store.View, error) {
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
		if err := judge(v, ch); err != nil {
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
		if v, err = c.again(ctx, v, ch, err, passageOf(ch)); err != nil {
			return nil, err
		}
	}
}

// judge looks again at ch, whose id v does not have, when a write of it had an
// unknown outcome. While v is what that write was to replace, it may still
// happen, and then the next write is refused. A newer state tells that it did
// not and cannot any more, unless its commit id would be forgotten by now.
func judge(v *store.View, ch *store.Change) error {
	if !ch.Uncertain || v.Record.Revision <= ch.UncertainSince {
		return nil
	}
	if later := v.Record.Revision - ch.UncertainSince; later >= record.MaxCommits {
		return fmt.Errorf("%w: %d changes later", store.ErrUnknownOutcome, later)
	}
	ch.Uncertain, ch.Tried = false, nil
	return nil
}

// unsettled adds to err, with which ch ends, what it leaves open: that a write of
// ch may have happened or may still.
func unsettled(ch *store.Change, err error) error {
	if err == nil || !ch.Uncertain || over(err) || errors.Is(err, store.ErrUnknownOutcome) {
		return err
	}
	return fmt.Errorf("%w (%w)", store.ErrUnknownOutcome, err)
}

// over reports whether err says that there is no session to change any more.
func over(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDestroyed) || errors.Is(err, store.ErrRenewed)
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
// a READ through aliases that are good, or nothing more.
func (c *Cluster) again(ctx context.Context, v *store.View, ch *store.Change, failure error, good passage) (*store.View, error) {
	if err := c.failedWrite(v, ch, failure); err != nil {
		return nil, err
	}
	return c.reread(ctx, v, good)
}

// failedWrite notes why a write of ch in the place of v failed. It returns the
// failure if another try is of no use.
func (c *Cluster) failedWrite(v *store.View, ch *store.Change, failure error) error {
	switch {
	case errors.Is(failure, store.ErrConflict):
		c.counts.conflicts.Add(1)
	case errors.Is(failure, store.ErrFull):
		return failure // asking again at once would only fill it more
	case errors.Is(failure, store.ErrUnknownOutcome):
		c.counts.uncertain.Add(1)
		if !ch.Uncertain {
			ch.Uncertain, ch.UncertainSince = true, v.Record.Revision
		}
	case !errors.Is(failure, store.ErrUnavailable):
		return failure // too large, for example: it will not get better
	}
	return nil
}

// reread is READ for another try in the place of v, if there is time for one.
func (c *Cluster) reread(ctx context.Context, v *store.View, good passage) (*store.View, error) {
	fresh, err := c.readWhile(ctx, v.Key, good)
	if isAbsent(err) && v.Versions[0] == store.Absent {
		fresh, err = v, nil // CREATE has not happened yet
	}
	if cause := ctx.Err(); cause != nil && err == nil {
		err = c.failed(fmt.Errorf("%w: no time left for another try: %w", store.ErrUnavailable, cause))
	}
	if isAbsent(err) {
		c.counts.lost.Add(1)
	}
	if err != nil {
		return nil, err
	}
	fresh.Aliased = fresh.Aliased || v.Aliased // the way to v led through an alias, the way from there need not
	return fresh, nil
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
