package placement

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/turns"
)

// Options of a Cluster.
type Options struct {
	Namespace string        // mixed into storage keys
	Codec     *record.Codec // required
	Timeout   time.Duration // of the work of one request, and of what runs behind it; required
	Copies    int           // how many nodes hold a session, its home included; zero: two
	Failover  []string      // names of nodes that get sessions only when no other is left
	Logger    *slog.Logger  // nil: nothing is logged

	// RefuseDegraded makes a change an error while a member does not answer and no
	// other node can take its place. Else it is acknowledged with fewer copies.
	RefuseDegraded bool
}

const (
	defaultCopies = 2
	// quarantine is how long a node must answer after it was away before it is
	// asked: a memcached that was stopped serves expired items until its clock ticks.
	quarantine = 2 * time.Second
	// nodeLostAfter is how long a node is away until it counts as empty, so that
	// unknown ids can be told from sessions that it may have.
	nodeLostAfter = time.Minute
)

// A Cluster keeps sessions on nodes. It is a store.Backend.
type Cluster struct {
	codec          *record.Codec
	prefix         string        // of what is hashed into a storage key
	copies         int           // wanted
	patience       time.Duration // how long one node is waited for; zero: as long as the request
	lostAfter      time.Duration
	failover       []string
	refuseDegraded bool
	returned       atomic.Pointer[func(name string)]
	log            *slog.Logger
	roster         atomic.Pointer[roster]
	changing       sync.Mutex // held while another roster is made
	missing        *missing
	turns          turns.Turns // of commits that met a conflict: they would only refuse each other again
	mends          mends
	behind         behind
	values         sync.Pool // of *[]byte, for what is on its way to nodes
	counts         counters
}

var _ store.Backend = (*Cluster)(nil)

// New returns the cluster over nodes, which it closes with itself.
func New(nodes []store.Node, opts Options) (*Cluster, error) {
	c := &Cluster{
		codec: opts.Codec, prefix: opts.Namespace + "\x00", failover: opts.Failover, refuseDegraded: opts.RefuseDegraded,
		copies: cmp.Or(opts.Copies, defaultCopies), lostAfter: nodeLostAfter,
		log: cmp.Or(opts.Logger, slog.New(slog.DiscardHandler)), missing: newMissing(),
	}
	switch {
	case len(nodes) == 0:
		return nil, errors.New("no nodes given")
	case c.copies < 1:
		return nil, fmt.Errorf("%d copies: a session lies on at least one node", c.copies)
	case opts.Copies > len(nodes):
		return nil, fmt.Errorf("%d copies on %d nodes: give more nodes, or fewer copies", opts.Copies, len(nodes))
	}
	c.copies = min(c.copies, len(nodes))
	c.values.New = func() any { return new([]byte) }
	if len(nodes) > 1 {
		c.patience = opts.Timeout / 2 // the other half is for the nodes that answer
	}
	c.behind.start(opts.Timeout)
	c.roster.Store(&roster{})
	if err := c.SetNodes(nodes); err != nil {
		return nil, err
	}
	return c, nil
}

// Close waits for what runs behind requests and closes the stores.
func (c *Cluster) Close() error {
	c.changing.Lock() // no node is added behind this
	defer c.changing.Unlock()
	c.behind.stop()
	var failures []error
	for _, n := range c.roster.Load().nodes {
		failures = append(failures, n.close())
	}
	return errors.Join(failures...)
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
