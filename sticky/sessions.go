package sticky

import (
	"cmp"
	"context"
	"hash/maphash"
	"log/slog"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/turns"
)

// Nodes are where sessions are sent: placement.Cluster.
type Nodes interface {
	store.Backend
	Keeper
	Watcher
}

// A Keeper is a backend for who remembers sessions by their storage keys.
type Keeper interface {
	// Key returns the storage key of the session called id.
	Key(id string) string

	// LoadKey is Load by storage key.
	LoadKey(ctx context.Context, key, hint string) (*store.View, error)

	// LookAt is LoadKey that is no use of the session, which was used last at used: its
	// life goes on from there.
	LookAt(ctx context.Context, key, hint string, used time.Time) (*store.View, error)

	// Create is Commit of a session that begins, by storage key.
	Create(ctx context.Context, key string, ch *store.Change) (*store.View, error)

	// Standing makes the notes of a View small, or nil, and reports whether it is the
	// newest state.
	Standing(*store.View) (notes any, newest bool)

	// Bury puts a tombstone for so long where the session with that storage key was, and
	// ends it if it is there again.
	Bury(ctx context.Context, key string, ttl time.Duration) error

	// Lacks reports whether a node that answered has lost the session of a View.
	Lacks(*store.View) bool
}

// A Watcher notices nodes that have lost what they had.
type Watcher interface {
	// Emptied puts an item under key on each node that lacks one, and returns their
	// names. It reports whether any node has answered.
	Emptied(ctx context.Context, key string) (nodes []string, answered bool)

	// Answers asks all nodes, also those that are given up, and reports whether one
	// answers.
	Answers(ctx context.Context) bool
}

// Options of Sessions.
type Options struct {
	Async       bool           // answer before a change is on the nodes
	MaxUnsent   int            // sessions with unsent changes, above which requests wait; zero: 200,000
	MaxIdle     time.Duration  // a session not used for so long leaves memory; zero: it stays
	MaxBytes    int64          // of memory for sessions, roughly; zero: no bound
	MaxSessions int            // in memory, above which none begins; zero: no bound
	Filter      *regexp.Regexp // the names of the attributes that are sent; nil: all
	Timeout     time.Duration  // of one sending behind requests; required
	Grace       time.Duration  // how long a former id is good after a renewal
	Logger      *slog.Logger   // nil: nothing is logged
	RefuseAway  bool           // while no node answers changes are refused, instead of kept in memory
}

const defaultMaxUnsent = 200_000

// Sessions are the sessions that this server has in memory. It is a store.Backend.
type Sessions struct {
	below   Nodes
	options Options
	codec   *record.Codec // of what is packed
	seed    maphash.Seed
	shards  [shards]shard
	turns   turns.Turns // who talks to the nodes about a session has its turn
	queue   queue
	counts  counters
	flips   flips
	ended   ended

	ctx     context.Context // of what runs behind requests
	cancel  context.CancelFunc
	working sync.WaitGroup
	resend  chan struct{} // holds one value when all sessions are to be checked
	checks  chan struct{} // as many values as checks run behind requests
	down    atomic.Bool   // no node answered last time
	outage  outage
	pulse   pulse
	hurry   atomic.Int32 // calls of Flush at work: nothing is looked at again before it is sent
}

const shards = 64

type shard struct {
	mu       sync.Mutex
	sessions map[string]*session // by storage key; guarded by mu
}

var _ store.Backend = (*Sessions)(nil)

// New returns the sessions of a server that begins, over nodes, which it closes with
// itself.
func New(nodes Nodes, o Options) (*Sessions, error) {
	codec, err := record.NewCodec(nil, false)
	if err != nil {
		return nil, err
	}
	o.MaxUnsent = cmp.Or(o.MaxUnsent, defaultMaxUnsent)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	s := &Sessions{
		below: nodes, options: o, codec: codec, seed: maphash.MakeSeed(),
		resend: make(chan struct{}, 1), checks: make(chan struct{}, maxChecks),
	}
	for i := range s.shards {
		s.shards[i].sessions = map[string]*session{}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.pulse.felt.Store(time.Now().UnixNano())
	s.working.Go(s.beat)
	s.working.Go(s.sweepAll)
	s.working.Go(s.resendAll)
	s.working.Go(s.watch)
	return s, nil
}

// Close ends what runs behind requests and closes the nodes. What was not sent is
// lost: call Flush before.
func (s *Sessions) Close() error {
	s.queue.close()
	s.cancel()
	s.working.Wait()
	return s.below.Close()
}

func (s *Sessions) shard(key string) *shard {
	return &s.shards[maphash.String(s.seed, key)%shards]
}

// find returns the session with that key, or nil.
func (s *Sessions) find(key string) *session {
	at := s.shard(key)
	at.mu.Lock()
	defer at.mu.Unlock()
	return at.sessions[key]
}

// keep puts l, which is new, into memory. Whoever calls it has the turn at key, or
// nobody else knows key.
func (s *Sessions) keep(key string, l *session) {
	at := s.shard(key)
	at.mu.Lock()
	defer at.mu.Unlock()
	at.sessions[key] = l
	s.counts.sessions.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	s.resizeLocked(l)
}

// drop removes l from memory, with what it has not sent: it has ended.
func (s *Sessions) drop(key string, l *session) { s.remove(key, l, true) }

// remove removes l from memory unless it has changes that were not sent, or also
// then. It reports whether it has.
func (s *Sessions) remove(key string, l *session, unsentToo bool) bool {
	at := s.shard(key)
	at.mu.Lock()
	defer at.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone || l.unsentLocked() && !unsentToo {
		return false
	}
	if l.hot != nil {
		s.counts.dropped.Add(uint64(l.hot.sending.size() + l.hot.waiting.size()))
	}
	l.gone = true
	delete(at.sessions, key)
	s.queue.remove(key)
	s.counts.sessions.Add(-1)
	s.counts.bytes.Add(-int64(l.size))
	return true
}

func (s *Sessions) dropIf(key string, l *session) {
	if l != nil {
		s.drop(key, l)
	}
}

// leaveTo forgets l, of which the nodes know more. If it has changes that were not
// sent they find their way: they are refused, and made again on what is there.
func (s *Sessions) leaveTo(key string, l *session) {
	if l != nil && !s.remove(key, l, false) {
		doubt(l)
	}
}

// take takes v, what the nodes have now, into memory, with newest as what this
// server makes of it, and returns that with what was not sent yet. Changes that
// were made meanwhile are made again on it if again. Whoever calls it has the turn.
func (s *Sessions) take(v *store.View, newest *record.Record, again bool) *record.Record {
	seen, current := s.below.Standing(v)
	l := s.find(v.Key)
	if l == nil {
		l = newSession(v, seen, newest)
		l.doubt = !current
		s.keep(v.Key, l)
		return newest
	}
	for {
		w, runs, before := l.waitingRuns(s, v.Key)
		with, refused := newest, 0
		switch {
		case w != nil && again:
			with = newest.Clone()
			refused = replay(runs, with)
			with = s.withPrivate(s.public(with), before) // those changes are made there already
		case w != nil:
			with = before.Rebased(v.Record)
		}
		if s.took(l, v, seen, w, len(runs), with, !again) {
			s.counts.dropped.Add(uint64(refused))
			if !current {
				doubt(l)
			}
			return with
		}
	}
}

// waitingRuns is what waits to be sent, with its changes so far, and the state that
// they made.
func (l *session) waitingRuns(s *Sessions, key string) (w *batch, runs []func(*record.Record) error, newest *record.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.unpackLocked(key, l) != nil || l.hot.waiting == nil {
		return nil, nil, nil
	}
	return l.hot.waiting, slices.Clip(l.hot.waiting.runs), l.hot.newest
}

// took reports whether nothing was changed since w had n changes. sent says that newest
// is what was newest here, with another place.
func (s *Sessions) took(l *session, v *store.View, seen any, w *batch, n int, newest *record.Record, sent bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.hot == nil:
		l.hot = &hot{} // packed meanwhile
	case l.hot.waiting != w || w != nil && len(w.runs) != n:
		return false
	}
	if w != nil {
		w.base, w.after = v.Record, newest
	}
	if l.hot.former = nil; sent {
		l.hot.former = l.hot.newest
	}
	l.hot.stored, l.hot.newest = v.Record, newest
	l.packed, l.seen, l.doubt = nil, seen, false
	l.checked = time.Now().UnixNano()
	l.heard = l.checked
	s.resizeLocked(l)
	return true
}

// resizeLocked counts l anew.
func (s *Sessions) resizeLocked(l *session) {
	if l.gone {
		return
	}
	size := l.sizeLocked()
	s.counts.bytes.Add(int64(size - l.size))
	l.size = size
}
