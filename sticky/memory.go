package sticky

import (
	"cmp"
	"slices"
	"time"
)

const (
	packAfter  = 10 * time.Second // without a use
	sweepRound = 5 * time.Second  // in which all sessions are looked at once
)

// unpackLocked makes l ready for use.
func (s *Sessions) unpackLocked(key string, l *session) error {
	if l.hot != nil {
		return nil
	}
	r, err := s.codec.Parse(l.packed, key)
	if err != nil {
		return err
	}
	l.hot, l.packed, l.ends = &hot{stored: s.public(r), newest: r}, nil, 0
	s.resizeLocked(l)
	return nil
}

// pack makes l small, unless it was used lately. It reports whether l is worth to be
// kept: not if the nodes have refused what it is.
func (s *Sessions) pack(key string, l *session, now int64) (worth bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone || l.hot == nil || l.unsentLocked() || now-l.used < int64(packAfter) {
		return true
	}
	if l.hot.stored == nil || !l.hot.newest.SameState(l.hot.stored) {
		return false
	}
	packed := s.codec.Append(nil, l.hot.newest, key)
	l.ends = endOf(l.hot.newest, l.used)
	l.packed, l.hot = slices.Clip(slices.Clone(packed)), nil
	s.resizeLocked(l)
	return true
}

// sweepAll looks at one shard after the other.
func (s *Sessions) sweepAll() {
	for i := 0; ; i = (i + 1) % shards {
		step := sweepRound / shards
		if s.pressed() {
			step = time.Millisecond
		}
		if pause(s.ctx, step) != nil {
			return
		}
		s.sweep(&s.shards[i])
	}
}

// pressed reports whether memory is above its bound.
func (s *Sessions) pressed() bool {
	return s.options.MaxBytes > 0 && s.counts.bytes.Load() > s.options.MaxBytes
}

// An idler is a session and its last use.
type idler struct {
	key     string
	session *session
	used    int64
	ends    int64 // 0: never, or it is not packed
	size    int64
}

// sweep packs the idle sessions of one shard, and has those leave whose time in
// memory is over. Keys are hashes, so each shard has its share of all.
func (s *Sessions) sweep(at *shard) {
	now := time.Now().UnixNano()
	all := at.idlers()
	surplus := s.surplus()
	if surplus > 0 {
		slices.SortFunc(all, func(a, b idler) int { return cmp.Compare(a.used, b.used) })
	}
	for _, i := range all {
		switch idle := time.Duration(now - i.used); {
		case surplus > 0 || s.options.MaxIdle > 0 && idle > s.options.MaxIdle:
			if s.remove(i.key, i.session, false) {
				s.counts.swapped.Add(1)
				surplus -= i.size
			}
		case i.ends != 0 && now > i.ends, idle > packAfter && !s.pack(i.key, i.session, now):
			s.remove(i.key, i.session, false)
		}
	}
}

// surplus is how many bytes one shard is to give up.
func (s *Sessions) surplus() int64 {
	if !s.pressed() {
		return 0
	}
	return (s.counts.bytes.Load() - s.options.MaxBytes*9/10) / shards
}

func (at *shard) idlers() []idler {
	at.mu.Lock()
	defer at.mu.Unlock()
	all := make([]idler, 0, len(at.sessions))
	for key, l := range at.sessions {
		l.mu.Lock()
		all = append(all, idler{key, l, l.used, l.ends, int64(l.size)})
		l.mu.Unlock()
	}
	return all
}
