package placement

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/deadline"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// An op is the work of one request on one key: what the nodes have answered so
// far, and which of them it has found not to answer.
type op struct {
	*Cluster
	roster *roster
	key    string
	in     []answer // by node
	*trouble
	asked set // by the last READ
	via   *op // the alias that led to this key

	whole  set            // get: who is asked for the value
	item   store.Item     // put: what is written
	record *record.Record // put: the same
	life   time.Duration  // put: how long it lives there; zero: as the record says
	used   time.Time      // when its server knows it was used last; zero: what the nodes tell

	few     [3]answer        // backs in where there are no more nodes
	own     trouble          // of an op that is a request's first
	view    store.View       // that it leads to
	limit   deadline.Context // of the first flight
	limited bool             // there was one
	calls   sync.WaitGroup   // of a flight
}

// trouble is what one request has met, whatever keys it works on.
type trouble struct {
	failed [maxNodes]uint8 // by node: calls without an answer
	gone   set             // that let this request wait in vain, or are full: not asked again
}

func (c *Cluster) newOp(key string) *op {
	r := c.roster.Load()
	o := &op{Cluster: c, roster: r, key: key}
	if o.in = o.few[:]; len(r.nodes) > len(o.few) {
		o.in = make([]answer, len(r.nodes))
	}
	o.in = o.in[:len(r.nodes)]
	o.trouble = &o.own
	return o
}

// next is an op that begins with what o knows of the nodes, but not of the key.
func (o *op) next(key string) *op {
	n := o.newOp(key)
	n.trouble, n.used = o.trouble, o.used
	return n
}

// resume is an op that begins with all that was known when v was seen. v may have
// been seen by another cluster over the same nodes.
func (c *Cluster) resume(v *store.View) *op {
	if s, ok := v.Seen.(*standing); ok {
		return s.op(c, v)
	}
	return c.resumed(v.Seen.(*op))
}

func (c *Cluster) resumed(from *op) *op {
	o := c.newOp(from.key)
	for i, a := range from.in {
		if n := o.roster.index(from.roster.nodes[i].Name); n >= 0 {
			o.in[n] = a
			if from.asked.has(i) {
				o.asked = o.asked.with(n)
			}
		}
	}
	o.used = from.used
	if from.via != nil {
		o.via = c.resumed(from.via)
		o.via.trouble = o.trouble
	}
	return o
}

// dismiss forgets what nodes said that this request has given up since.
func (o *op) dismiss() {
	for n := range o.gone.all() {
		o.in[n] = answer{status: silent, err: store.ErrUnavailable}
	}
}

// usable are the nodes that are worth asking.
func (o *op) usable() set {
	usable := set(0)
	for i, n := range o.roster.nodes {
		if n.monitor == nil || n.monitor.Usable() {
			usable = usable.with(i)
		}
	}
	return usable &^ o.gone
}

// note tells the monitor of a node that did not answer, and keeps this request
// from asking it again in vain. A connection that was lost at once is worth
// another try.
func (o *op) note(n int, took time.Duration) {
	a := &o.in[n]
	if a.status != silent {
		return
	}
	o.failed[n]++
	if n := o.roster.nodes[n]; n.monitor == nil {
		if errors.Is(a.err, store.ErrFull) {
			o.gone = o.gone.with(n.index) // asking again at once would only fill it more
		}
		return
	}
	waited := o.patience > 0 && took >= o.patience*9/10 && errors.Is(a.err, context.DeadlineExceeded)
	if waited || o.failed[n] > 1 || errors.Is(a.err, store.ErrFull) {
		o.gone = o.gone.with(n)
	}
	monitor := o.roster.nodes[n].monitor
	switch {
	case errors.Is(a.err, store.ErrFull) || errors.Is(a.err, context.Canceled):
	case waited:
		monitor.TimedOut(a.err)
	case !errors.Is(a.err, context.DeadlineExceeded): // else this request's own time was over
		monitor.Refused(a.err)
	}
}

// get asks targets for the item: those of whole with its value.
func (o *op) get(ctx context.Context, targets, whole set) {
	o.asked |= targets
	o.whole = whole
	o.flight(ctx, targets, call{(*op).getFrom, (*op).startGet, (*op).got})
}

func (o *op) getFrom(ctx context.Context, n int) answer {
	item, err := o.roster.nodes[n].Store.Get(ctx, o.key, o.part(n))
	return o.got(n, item, err)
}

func (o *op) startGet(ctx context.Context, at store.Starter, n int) store.Pending {
	return at.StartGet(ctx, o.key, o.part(n))
}

func (o *op) part(n int) store.Part {
	if o.whole.has(n) {
		return store.Whole
	}
	return store.Head
}

func (o *op) got(n int, item store.Item, err error) answer {
	if errors.Is(err, store.ErrNotFound) {
		return answer{status: done}
	}
	if err != nil {
		return answer{status: silent, err: err}
	}
	return o.parsed(item, o.part(n))
}

func (o *op) parsed(item store.Item, part store.Part) answer {
	a := answer{status: done, version: item.Version, ttl: item.TTL, mark: mark(item.Flags)}
	if part == store.Whole {
		if a.record, a.err = o.codec.Parse(item.Value, o.key); a.err == nil {
			a.mark = markOf(a.record) // who has the record goes by it
		}
	}
	return a
}

// put writes next to targets, each in the place of what it has answered.
func (o *op) put(ctx context.Context, targets set, next *record.Record) {
	if targets == 0 {
		return
	}
	o.asked |= targets
	value := o.values.Get().(*[]byte) // which a Store reads no more when it has answered
	defer o.values.Put(value)
	*value = o.codec.Append((*value)[:0], next, o.key)
	o.item, o.record = store.Item{Value: *value, Flags: uint32(markOf(next)), TTL: cmp.Or(o.life, next.TTL)}, next
	o.flight(ctx, targets, call{(*op).putTo, (*op).startPut, (*op).wrote})
	o.item, o.record = store.Item{}, nil
}

func (o *op) putTo(ctx context.Context, n int) answer {
	version, err := o.roster.nodes[n].Store.Put(ctx, o.key, o.item, o.versionAt(n))
	return o.wrote(n, store.Item{Version: version}, err)
}

func (o *op) startPut(ctx context.Context, at store.Starter, n int) store.Pending {
	return at.StartPut(ctx, o.key, o.item, o.versionAt(n))
}

// versionAt is the version that a write to node n names: a late one must not undo what
// came after it.
func (o *op) versionAt(n int) store.Version { return o.in[n].version }

func (o *op) wrote(n int, written store.Item, err error) answer {
	if err == nil {
		return answer{status: done, version: written.Version, mark: mark(o.item.Flags), record: o.record, ttl: o.item.TTL}
	}
	failed := o.in[n] // what was there before
	failed.status, failed.err = refused, err
	if errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrFull) {
		failed.status = silent
	}
	return failed
}

// silence is why nothing is known for certain: the errors of the nodes that did
// not answer, and the names of those that were not asked.
func (o *op) silence() error {
	var failures []error
	var skipped []string
	for n := range o.in {
		switch a := &o.in[n]; {
		case a.status == silent && errors.Is(a.err, store.ErrFull):
			failures = append(failures, fmt.Errorf("node %s: %w: %w; give it more memory, or let it evict", o.roster.nodes[n].Name, store.ErrUnavailable, a.err))
		case a.status == silent:
			failures = append(failures, fmt.Errorf("node %s: %w", o.roster.nodes[n].Name, a.err))
		case a.status == unasked:
			skipped = append(skipped, o.roster.nodes[n].Name)
		}
	}
	if len(skipped) > 0 {
		failures = append(failures, fmt.Errorf("%w: %s not asked, since it does not answer", store.ErrUnavailable, strings.Join(skipped, ", ")))
	}
	if len(failures) == 0 {
		return o.counted(store.ErrUnavailable)
	}
	err := failures[0]
	for _, failure := range failures[1:] {
		err = fmt.Errorf("%w; %w", err, failure)
	}
	return o.counted(err)
}

// counted counts err, why a request fails.
func (c *Cluster) counted(err error) error {
	switch {
	case errors.Is(err, record.ErrUnreadable):
		c.counts.unreadable.Add(1)
	case errors.Is(err, store.ErrUnavailable):
		c.counts.unavailable.Add(1)
	}
	return err
}
