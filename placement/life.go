package placement

import (
	"time"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// LIFE. An item lives a little longer than its session may be idle (slack), so
// that what is left of its time to live tells when the session was last used,
// also after reads, which extend it without writing it. Lives are extended at
// most once per grain, so the last use is known to within a grain.

const (
	// maxTTL is the longest time that memcached takes as one: longer ones are dates.
	maxTTL = 30 * 24 * time.Hour
	// tick is how exactly servers tell the time that is left: they count seconds. blur is
	// how far off what they tell can be, rounded when it is sent and when it is told.
	tick, blur = time.Second, 2 * time.Second
	// endedTTL is how long a tombstone of a session without expiry stays.
	endedTTL = maxTTL
)

func slack(idle time.Duration) time.Duration { return max(5*time.Second, idle/8) }

// Grain returns how exactly the last use of a session with that idle timeout is
// known: its life is extended at most once in this time.
func Grain(idle time.Duration) time.Duration { return idle / 16 }

// ttlOf returns the time to live of the item that holds r now.
func ttlOf(r *record.Record, now time.Time) time.Duration {
	ttl := store.Forever
	switch {
	case r.IdleTimeout > 0:
		ttl = r.IdleTimeout + slack(r.IdleTimeout)
	case !r.Deadline.IsZero():
		ttl = max(r.Deadline.Sub(now), 0) + slack(0)
	}
	if ttl > maxTTL {
		return store.Forever // the record says when it ends
	}
	return ttl.Truncate(time.Millisecond) // what a record can hold
}

// longer is the time to live of a record that follows one with the time to live
// former. It never becomes shorter, though the idle timeout does: no forgotten copy
// may outlive the session. The record itself says when that is over.
func longer(former, wanted time.Duration) time.Duration {
	switch {
	case wanted == store.Forever:
		return store.Forever
	case former == store.Forever:
		return maxTTL // as long as a tombstone of such a session
	}
	return max(former, wanted)
}

// endTTL returns the time to live of the tombstone or alias after r: as long as
// any forgotten copy of r can live.
func endTTL(r *record.Record) time.Duration {
	if r.TTL == store.Forever {
		return endedTTL
	}
	return min(r.TTL+slack(r.IdleTimeout), endedTTL)
}

// A life is what an item tells of its session's life at one moment.
type life struct {
	lastUse time.Time
	ended   record.Reason // zero: it lives
	extend  bool          // its life has not been extended for a grain
}

func lifeOf(r *record.Record, left time.Duration, now time.Time) life {
	l := life{lastUse: r.LastAccessed}
	if !r.Deadline.IsZero() && !now.Before(r.Deadline) {
		l.ended = record.Absolute
		return l
	}
	l.extend = foreign(r.TTL, left)
	if r.IdleTimeout == 0 {
		return l
	}
	stored := now.Sub(r.LastAccessed)
	unused := stored
	if r.TTL != store.Forever && !l.extend {
		unused = max(r.TTL-left, 0) // needs no clocks that agree
	}
	l.extend = l.extend || unused >= Grain(r.IdleTimeout)
	if stored >= 0 {
		unused = min(unused, stored) // what is left may come from an earlier record too
	}
	// Where the two agree nobody has used it since it was stored, and the record
	// is more exact.
	if byTTL := now.Add(-unused); byTTL.Sub(r.LastAccessed).Abs() > blur {
		l.lastUse = byTTL.Truncate(time.Millisecond)
	}
	if unused > r.IdleTimeout+Grain(r.IdleTimeout)+tick {
		l.ended = record.Idle
	}
	return l
}

// heed has l go on from used, which is known from elsewhere. Only what the nodes do not
// know of it extends the life.
func (l *life) heed(used time.Time, r *record.Record, now time.Time) {
	l.extend = r.IdleTimeout > 0 && used.Sub(l.lastUse) >= Grain(r.IdleTimeout)
	if !used.After(l.lastUse) {
		return
	}
	l.lastUse = used
	if l.ended == record.Idle && now.Sub(used) <= r.IdleTimeout {
		l.ended = 0
	}
}

// neverUsed is for an op whose work is no use, and which knows of none.
func neverUsed() time.Time { return time.Unix(0, 0) }

// remaining is how long next, which follows v, is to live from now on, if that is no use.
func (o *op) remaining(v view, next *record.Record) time.Duration {
	return lifeLeft(next, o.unused(v))
}

// lifeLeft is how long the item of r is to live from now on, which was not used for unused.
func lifeLeft(r *record.Record, unused time.Duration) time.Duration {
	if r.IdleTimeout == 0 || r.TTL == store.Forever {
		return r.TTL // the record says when it ends
	}
	return max(r.TTL-max(unused, 0), tick)
}

// unused is how long nobody has used the session of v. What is left of its time to live is
// believed only where nothing more exact is known: to write a session again and again
// would lengthen its life by a rounding each time.
func (o *op) unused(v view) time.Duration {
	r, left, last := v.truth, o.left(v), v.truth.LastAccessed
	mine := !o.used.Before(last)
	if mine {
		last = o.used
	}
	known, told := time.Since(last), r.TTL-left
	switch {
	case r.TTL == store.Forever || r.IdleTimeout == 0 || foreign(r.TTL, left):
		return known
	case mine && told > known-blur: // nobody else has used it later
		return known
	case !mine && (told-known).Abs() <= blur && !vague(r):
		return known
	}
	return told
}

// vague reports whether the time that is left may be that of an extension although it agrees
// with the last use in r: those are a grain apart, less a tick, and told a tick too late.
func vague(r *record.Record) bool { return Grain(r.IdleTimeout) < blur+3*tick }

// foreign reports whether the time that an item has left cannot come from ttl,
// its record's: an extension that was sent for an earlier record happened later.
func foreign(ttl, left time.Duration) bool {
	if ttl == store.Forever || left == store.Forever {
		return ttl != left
	}
	return left > ttl+blur
}
