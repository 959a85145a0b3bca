package sticky

import (
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// A session is one session in memory. While nobody uses it it is packed: a server
// has a hundred idle ones for each that is in use.
type session struct {
	mu       sync.Mutex // guards all below; never held over I/O or a user's code
	gone     bool       // it is not in memory any more: look again
	doubt    bool       // a change may have happened below that is not here
	size     int32      // bytes that it counts for
	used     int64      // when a request used it last, in nanoseconds since 1970
	straight int32      // changes that go straight to the nodes at this moment
	settles  int64      // until when requests that were sent before the take-over may change it elsewhere, likewise
	checked  int64      // when the nodes were last asked about it, likewise
	heard    int64      // when they last said what they have of it, likewise
	packed   []byte     // its record, while it is packed
	ends     int64      // while it is packed: when its time is over, likewise; 0: never
	seen     any        // where the nodes have it, as View.Seen; nil: that must be read
	hot      *hot       // nil while it is packed
}

// hot is a session in use.
type hot struct {
	stored *record.Record // as the nodes have it; nil: they do not yet
	newest *record.Record // with the changes that were not sent
	former *record.Record // newest before it was sent, in an older place, for who has seen that; nil: it was another

	sending *batch // on its way; whoever made it so has the turn
	waiting *batch // for the next time
}

// newSession is one that the nodes have as v says, and this server as newest.
func newSession(v *store.View, seen any, newest *record.Record) *session {
	now := time.Now().UnixNano()
	return &session{used: now, checked: now, heard: now, seen: seen, hot: &hot{stored: v.Record, newest: newest}}
}

func (l *session) lastUse() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Unix(0, l.used)
}

// peek is the newest state of l, or nil.
func (l *session) peek(s *Sessions, key string) *record.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.unpackLocked(key, l) != nil {
		return nil
	}
	return l.hot.newest
}

func (l *session) sizeLocked() int32 {
	if l.hot == nil {
		return int32(len(l.packed)) + overhead
	}
	return int32(2*overhead + 512 + sizeOf(l.hot.newest))
}

func sizeOf(r *record.Record) (size int) {
	for _, a := range r.Attributes() {
		size += len(a.Name) + len(a.Value) + 64
	}
	return size
}

// overhead is about what a packed session takes beside its bytes.
const overhead = 256

// unsentLocked reports whether l has changes that the nodes have not.
func (l *session) unsentLocked() bool {
	return l.hot != nil && (l.hot.sending != nil || l.hot.waiting != nil)
}

func (l *session) unsent() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unsentLocked()
}

// belowLocked is l as the nodes know it; nil: they do not.
func (l *session) belowLocked(key string) *store.View {
	if l.hot.stored == nil {
		return nil
	}
	return &store.View{Record: l.hot.stored, LastAccessed: time.Unix(0, l.used), Key: key, Seen: l.seen}
}

// endOf is when the time of r, last used at used, is over; 0: never.
func endOf(r *record.Record, used int64) (end int64) {
	if r.IdleTimeout > 0 {
		end = used + int64(r.IdleTimeout)
	}
	if at := r.Deadline.UnixNano(); !r.Deadline.IsZero() && (end == 0 || at < end) {
		end = at
	}
	return end
}

// expired reports whether the time of r, last used at used, is over.
func expired(r *record.Record, used int64, now time.Time) bool {
	end := endOf(r, used)
	return end != 0 && now.UnixNano() > end
}
