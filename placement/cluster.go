package placement

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// Options of a Cluster.
type Options struct {
	Namespace string        // mixed into storage keys
	Codec     *record.Codec // required
	Timeout   time.Duration // of what runs behind a request; required
}

// A Cluster keeps sessions on nodes. It is a store.Backend.
type Cluster struct {
	node    store.Node
	codec   *record.Codec
	prefix  string // of what is hashed into a storage key
	missing *missing
	behind  behind
	counts  counters
}

var _ store.Backend = (*Cluster)(nil)

// New returns the cluster over nodes, which it closes with itself.
func New(nodes []store.Node, opts Options) (*Cluster, error) {
	if len(nodes) != 1 {
		return nil, fmt.Errorf("%d nodes given: this version keeps sessions on exactly one node", len(nodes))
	}
	c := &Cluster{
		node:    nodes[0],
		codec:   opts.Codec,
		prefix:  opts.Namespace + "\x00",
		missing: newMissing(),
	}
	c.behind.start(opts.Timeout)
	return c, nil
}

// Close waits for what runs behind requests and closes the stores.
func (c *Cluster) Close() error {
	c.behind.stop()
	if closer, ok := c.node.Store.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// StorageKey returns the key under which the session called id lies: the
// URL-safe base64 of SHA-256 over namespace, a zero byte and id. A dump of a
// node yields no id that a browser could send.
func StorageKey(namespace, id string) string { return storageKey(namespace+"\x00", id) }

func storageKey(prefix, id string) string {
	var buf [128]byte // on the stack
	sum := sha256.Sum256(append(append(buf[:0], prefix...), id...))
	var key [43]byte
	base64.RawURLEncoding.Encode(key[:], sum[:])
	return string(key[:])
}

// Stats counts what happened since New.
type Stats struct {
	Conflicts       uint64 `json:"conflicts"`        // writes that met a newer record; a commit is then applied to that
	Uncertain       uint64 `json:"uncertain_writes"` // writes whose answer did not come
	Settled         uint64 `json:"settled_writes"`   // uncertain writes found to have happened
	Touches         uint64 `json:"touches"`          // lives extended behind reads
	TouchesFailed   uint64 `json:"touches_failed"`   // of these, not answered
	TouchesPutOff   uint64 `json:"touches_put_off"`  // not begun, since too many were under way; a later read begins them
	UnknownIDs      uint64 `json:"unknown_ids"`      // loads that found nothing
	UnknownRepeated uint64 `json:"unknown_repeated"` // of these, answered from memory
	Unavailable     uint64 `json:"unavailable"`      // loads, commits and destroys that the store did not answer
	Unreadable      uint64 `json:"unreadable"`       // records kept but not understood
	TombstonesMet   uint64 `json:"tombstones_met"`   // reads that met a destroyed session
	AliasesFollowed uint64 `json:"aliases_followed"` // reads through the former id of a renewed session
	RenewalsLost    uint64 `json:"renewals_lost"`    // renewals that met another one
	ExpiredInStore  uint64 `json:"expired_in_store"` // sessions found past their time and ended
	LostInStore     uint64 `json:"lost_in_store"`    // writes that found their record gone from the node
}

type counters struct {
	conflicts, uncertain, settled     atomic.Uint64
	unknown, unknownRepeated          atomic.Uint64
	unavailable, unreadable           atomic.Uint64
	tombstones, aliases, lostRenewals atomic.Uint64
	expired, lost                     atomic.Uint64
}

// Stats returns the counts so far.
func (c *Cluster) Stats() Stats {
	n := &c.counts
	return Stats{
		Conflicts: n.conflicts.Load(), Uncertain: n.uncertain.Load(), Settled: n.settled.Load(),
		Touches: c.behind.begun.Load(), TouchesFailed: c.behind.failed.Load(), TouchesPutOff: c.behind.putOff.Load(),
		UnknownIDs: n.unknown.Load(), UnknownRepeated: n.unknownRepeated.Load(),
		Unavailable: n.unavailable.Load(), Unreadable: n.unreadable.Load(),
		TombstonesMet: n.tombstones.Load(), AliasesFollowed: n.aliases.Load(), RenewalsLost: n.lostRenewals.Load(),
		ExpiredInStore: n.expired.Load(), LostInStore: n.lost.Load(),
	}
}

// failed counts err and says on which node it happened.
func (c *Cluster) failed(err error) error {
	switch {
	case errors.Is(err, record.ErrUnreadable):
		c.counts.unreadable.Add(1)
	case errors.Is(err, store.ErrUnavailable):
		c.counts.unavailable.Add(1)
	}
	return fmt.Errorf("node %s: %w", c.node.Name, err)
}
