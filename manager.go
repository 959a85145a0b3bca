package holdfast

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/lock"
	"github.com/holdfast-sessions/holdfast/placement"
	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/sticky"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// A Manager keeps the sessions of one app server. Make it with New, put its
// Handler around the program's, and end it with Shutdown.
type Manager struct {
	options   Options
	transport transport
	macs      *macs // of the transport
	backend   store.Backend
	cluster   *placement.Cluster // the same, or below it
	local     *sticky.Sessions   // the same, in sticky mode; else nil
	locks     *lock.Locks
	readOnly  *readOnly
	seen      *seen
	memory    memory // of why
	work      work
	counts    counts
	extending atomic.Int64 // how many lives of unused sessions are being extended
	failed    atomic.Int64 // when the store did not answer last, in nanoseconds since 1970; 0: it answers
}

// New returns a manager of sessions on nodes, which it closes at Shutdown. Nil
// nodes: sessions stay in the memory of this process.
func New(nodes []store.Node, opts *Options) (*Manager, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	cookie, err := o.Cookie.build()
	if err != nil {
		return nil, err
	}
	codec, err := record.NewCodec(o.Keys, o.AllowPlain)
	if err != nil {
		return nil, fmt.Errorf("holdfast: Keys: %w", err)
	}
	macs, err := newMACs(o.Keys, o.AllowPlain)
	if err != nil {
		return nil, fmt.Errorf("holdfast: Keys: %w", err)
	}
	if nodes == nil {
		nodes = []store.Node{{Name: "local", Store: memorystore.New(nil)}}
	}
	if err := checkNodes(nodes); err != nil {
		return nil, err
	}
	m := &Manager{
		options:   o,
		transport: &cookieTransport{cookie, macs},
		macs:      macs,
		seen:      newSeen(o.IdleTimeout),
		readOnly:  newReadOnly(),
	}
	if err := m.open(nodes, codec); err != nil {
		return nil, fmt.Errorf("holdfast: %w", err)
	}
	return m, nil
}

// open makes the backend.
func (m *Manager) open(nodes []store.Node, codec *record.Codec) (err error) {
	o := &m.options
	m.cluster, err = placement.New(nodes, placement.Options{
		Namespace: o.Namespace, Codec: codec, Timeout: o.OperationTimeout,
		Copies: o.Copies, Failover: o.FailoverNodes, RefuseDegraded: o.RefuseDegraded, Logger: o.Logger,
	})
	if err != nil {
		return err
	}
	m.backend = m.cluster
	m.locks = lock.New(lock.Options{
		Stores: m.cluster.LockStores, Wait: o.Locking.Wait, Lease: o.Locking.Lease,
		MaxWaiting: o.Locking.MaxWaiting, Timeout: o.OperationTimeout / 2, Behind: m.afterwards,
	})
	if o.Sticky {
		err = m.openSticky()
	}
	return err
}

func checkNodes(nodes []store.Node) error {
	names := make(map[string]bool)
	for _, n := range nodes {
		switch {
		case !isName(n.Name, isNodeChar, maxNodeSize):
			return fmt.Errorf("holdfast: node name %q: take 1 to %d of A-Z a-z 0-9 _", n.Name, maxNodeSize)
		case n.Store == nil:
			return fmt.Errorf("holdfast: node %s has no Store", n.Name)
		case names[n.Name]:
			return fmt.Errorf("holdfast: two nodes are called %s", n.Name)
		}
		names[n.Name] = true
	}
	return nil
}

// SetNodes makes nodes the list, in that order, while requests are served. A name
// that is known already keeps its Store: it must never be moved to another server.
// Sessions leave the nodes that the list lacks, each with its next request; until
// then they are read there.
//
// All servers must know a node before any of them uses it: until a server does,
// it serves the sessions there for reading only. So a new node is given to all
// servers with SetNodes and Drain, and then to all with SetNodes alone.
func (m *Manager) SetNodes(nodes []store.Node) error {
	if err := checkNodes(nodes); err != nil {
		return err
	}
	if err := m.cluster.SetNodes(nodes); err != nil {
		return fmt.Errorf("holdfast: %w", err)
	}
	return nil
}

// Drain makes sessions leave the node called name, each with its next request.
// SetNodes with that node in its list ends it. A node that is drained of the homes
// of its sessions counts as the one fault that the promises allow: let nothing else
// fail meanwhile.
func (m *Manager) Drain(name string) error {
	if err := m.cluster.Drain(name); err != nil {
		return fmt.Errorf("holdfast: %w", err)
	}
	return nil
}

// A NodeState tells what this server thinks of one cache node.
type NodeState = placement.NodeState

// Nodes returns the state of each node, in list order; those that were taken from
// the list are last.
func (m *Manager) Nodes() []NodeState { return m.cluster.Nodes() }

// newRecord returns a session that begins now.
func (m *Manager) newRecord() *record.Record {
	now := time.UnixMilli(time.Now().UnixMilli()) // as exact as it will be read
	r := record.New()
	r.Created, r.LastAccessed, r.IdleTimeout = now, now, m.options.IdleTimeout
	if m.options.AbsoluteTimeout > 0 {
		r.Deadline = now.Add(m.options.AbsoluteTimeout)
	}
	return r
}

// Shutdown refuses new session work, waits until ctx ends for what is under way and
// for changes that only this server has, and closes the stores. It logs how many
// are left. Call it after http.Server.Shutdown, or use Serve.
func (m *Manager) Shutdown(ctx context.Context) error {
	if !m.work.close() {
		return nil
	}
	err := m.work.wait(ctx)
	if err != nil {
		err = fmt.Errorf("holdfast: shutdown: session work is still under way: %w", err)
	}
	return errors.Join(err, m.sendRest(ctx), m.backend.Close())
}

// work counts what is under way, and refuses more once it is closed.
type work struct {
	mu     sync.Mutex
	n      int           // guarded by mu
	closed bool          // guarded by mu
	idle   chan struct{} // closed when closed and n is 0; made by close
}

func (w *work) begin() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fmt.Errorf("holdfast: the session manager is %w", ErrClosed)
	}
	w.n++
	return nil
}

func (w *work) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n--; w.closed && w.n == 0 {
		close(w.idle)
	}
}

// close reports whether it was this call that closed w.
func (w *work) close() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.closed, w.idle = true, make(chan struct{})
	if w.n == 0 {
		close(w.idle)
	}
	return true
}

func (w *work) wait(ctx context.Context) error {
	select {
	case <-w.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// noteHealth logs when the store stops answering, and when it answered everybody for a
// while, once each: of two nodes one may answer and one not.
func (m *Manager) noteHealth(err error) {
	switch unavailable := errors.Is(err, ErrUnavailable); {
	case unavailable && errors.Is(err, context.Canceled): // the client went away
	case unavailable:
		if m.failed.Swap(time.Now().UnixNano()) == 0 {
			m.options.Logger.Warn("the session store does not answer", "error", err)
		}
	default:
		failed := m.failed.Load()
		if failed != 0 && time.Since(time.Unix(0, failed)) > quiet && m.failed.CompareAndSwap(failed, 0) {
			m.options.Logger.Info("the session store answers again")
		}
	}
}

// quiet is how long nothing fails after an outage that is over.
const quiet = 5 * time.Second

// reportFailure counts and logs a response that was replaced by an error page.
// An outage is in the log already.
func (m *Manager) reportFailure(r *http.Request, err error) {
	m.counts.replaced.Add(1)
	if StatusOf(err) == http.StatusInternalServerError {
		m.options.Logger.Error("a session failed, and the handler did not look at Session.Err", "path", r.URL.Path, "error", err)
	}
}
