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
	l.hot, l.packed = &hot{stored: s.public(r), newest: r}, nil
	s.resizeLocked(l)
	return nil
}

// pack makes l small, unless it was used lately.
func (s *Sessions) pack(key string, l *session, now int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone || l.hot == nil || l.unsentLocked() || now-l.used < int64(packAfter) {
		return
	}
	packed := s.codec.Append(nil, l.hot.newest, key)
	l.packed, l.hot = slices.Clip(slices.Clone(packed)), nil
	s.resizeLocked(l)
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
		case idle > packAfter:
			s.pack(i.key, i.session, now)
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
		all = append(all, idler{key, l, l.used, int64(l.size)})
		l.mu.Unlock()
	}
	return all
}
