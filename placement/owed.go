package placement

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// owed are the ends that a node has missed, because it was away: tombstones of
// sessions that were destroyed, aliases of sessions that were renewed, and the
// removal of sessions that have left it. It gets them before it is asked again, or
// shortly after, however long that takes: a node that hung may do what was sent to
// it before.
type owed struct {
	mu   sync.Mutex
	ends map[string]debt // by key; guarded by mu
}

// A debt is the item that ends another. Without a value it removes what is not
// newer than its flags say.
type debt store.Item

func (d debt) removes() bool { return d.Value == nil }

// maxOwed bounds the ends kept for one node. What is above it ends with the
// copies' own time to live.
const maxOwed = 1 << 14

// add reports whether there was room.
func (o *owed) add(key string, item store.Item) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ends == nil {
		o.ends = map[string]debt{}
	}
	former, known := o.ends[key]
	switch {
	case !known && len(o.ends) >= maxOwed:
		return false
	case known && debt(item).removes() && !former.removes():
		return true
	}
	o.ends[key] = debt(item)
	return true
}

// atOnce is how many debts are paid at the same time.
const atOnce = 64

// some returns a few of them, or all.
func (o *owed) some() map[string]debt {
	o.mu.Lock()
	defer o.mu.Unlock()
	few := map[string]debt{}
	for key, d := range o.ends {
		if few[key] = d; len(few) == atOnce {
			break
		}
	}
	return few
}

func (o *owed) paid(key string, d debt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ends[key].Flags == d.Flags { // else another end has come meanwhile
		delete(o.ends, key)
	}
}

func (o *owed) size() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.ends)
}

// oweAbsent notes end, a tombstone or an alias, for the nodes that did not get it
// because they did not answer. A node that answers and was not asked has no say
// about an alias, while all members have it: if one has not, it may have come back
// since the others were asked.
func (o *op) oweAbsent(end *record.Record) {
	absent := o.roster.every()
	for n := range o.in {
		if a := &o.in[n]; a.status == done && (end.Kind == record.Alias || a.tombstone() || a.alias()) {
			absent = absent.without(n)
		}
	}
	if members, _ := o.roster.indices(end.Members); end.Kind == record.Alias && absent&members == 0 {
		absent &^= o.usable() &^ o.asked
	}
	if absent == 0 {
		return
	}
	item := store.Item{Value: o.codec.Append(nil, end, o.key), Flags: uint32(markOf(end)), TTL: end.TTL}
	for n := range absent.all() {
		if node := o.roster.nodes[n]; node.monitor != nil && !node.owed.add(o.key, item) {
			o.counts.endsDropped.Add(1)
		}
	}
	o.collect()
}

// oweLeft has what lay on nodes that a session has left removed, once they stand in
// its record no more: they hear of nothing that happens to it.
func (o *op) oweLeft(v view, next *record.Record) {
	members, _ := o.roster.indices(next.Members)
	leaving, _ := o.roster.indices(next.Leaving)
	left := (v.members | v.leaving) &^ members &^ leaving
	for n := range left.all() {
		if node := o.roster.nodes[n]; node.monitor != nil && !node.owed.add(o.key, store.Item{Flags: uint32(markOf(next))}) {
			o.counts.endsDropped.Add(1)
		}
	}
	if left != 0 {
		o.collect()
	}
}

// deliver pays what is owed to n. What comes to it while the last of that is paid is
// left for later: where sessions end all the time a node would else never be back. An
// error says that n does not answer.
func (c *Cluster) deliver(ctx context.Context, n *node) error {
	for {
		some := n.owed.some()
		switch err := n.paySome(ctx, some); {
		case err == nil && len(some) < atOnce:
			return nil
		case errors.Is(err, store.ErrUnavailable):
			return err
		case errors.Is(err, store.ErrFull): // it has dropped what was there; this stays owed
			return nil
		case err != nil: // something else lies there by now
			pause(ctx, time.Millisecond)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// paySome returns one error of those that there are, at best that n does not answer.
func (n *node) paySome(ctx context.Context, some map[string]debt) error {
	var payments sync.WaitGroup
	failures := make(chan error, len(some))
	for key, d := range some {
		payments.Go(func() {
			if err := pay(ctx, n.Store, key, d); err != nil {
				failures <- err
				return
			}
			n.owed.paid(key, d)
		})
	}
	payments.Wait()
	close(failures)
	var failure error
	for err := range failures {
		if failure == nil || errors.Is(err, store.ErrUnavailable) {
			failure = err
		}
	}
	return failure
}

// pay puts what is owed in the place of what is under key, unless that has an end
// already.
func pay(ctx context.Context, s store.Store, key string, d debt) error {
	item, err := s.Get(ctx, key, store.Head)
	found, end := mark(item.Flags), mark(d.Flags)
	switch {
	case errors.Is(err, store.ErrNotFound) && d.removes():
		return nil
	case errors.Is(err, store.ErrNotFound):
		item.Version = store.Absent
	case err != nil:
		return err
	case found.kind() == record.Tombstone, end.kind() != record.Tombstone && found.newerThan(end):
		return nil
	case d.removes():
		return s.Delete(ctx, key, item.Version)
	}
	_, err = s.Put(ctx, key, store.Item(d), item.Version)
	return err
}

// collectEvery is how often ends are offered to nodes that missed them and
// never were away for long.
const collectEvery = 250 * time.Millisecond

// collect has a goroutine deliver what is owed until nothing is.
func (c *Cluster) collect() {
	c.behind.keep("owed ends", c.deliverAll, func() bool { return c.owing() > 0 })
}

func (c *Cluster) deliverAll(ctx context.Context) {
	pause(ctx, collectEvery)
	for _, n := range c.roster.Load().nodes {
		if n.monitor != nil && n.monitor.Usable() {
			limited, cancel := context.WithTimeout(ctx, c.behind.timeout)
			_ = c.deliver(limited, n) // what fails stays owed
			cancel()
		}
	}
}

func (c *Cluster) owing() (total int) {
	for _, n := range c.roster.Load().nodes {
		total += n.owed.size()
	}
	return total
}
