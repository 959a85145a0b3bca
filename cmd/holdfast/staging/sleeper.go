package staging

import (
	"context"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/history"
)

// Sessions that nobody uses for a while: shorter than their idle timeout, and then they
// must be there; or longer, and then they must be gone.

const (
	idleTimeout  = 6 * time.Second
	sleeperCount = 3 // of each kind

	shortPause = idleTimeout * 5 / 8
	longPause  = idleTimeout + idleTimeout/16 + 3*time.Second // the nodes tell the time in seconds, and late when they are busy
)

// dozes uses its own session from time to time, and in time.
func (c *check) dozes(ctx context.Context) {
	var s *session
	for pause(ctx, 0) == nil {
		if s == nil || s.isOver() || c.drop(s) {
			if s = c.begin(); s == nil {
				_ = pause(ctx, meanRest)
				continue
			}
		}
		if pause(ctx, shortPause) == nil {
			c.read(s, s.present(c.now))
		}
	}
}

// sleeps uses each of its sessions a little and then not at all.
func (c *check) sleeps(ctx context.Context) {
	for pause(ctx, meanRest) == nil {
		s := c.begin()
		if s == nil {
			continue
		}
		c.update(s, s.present(c.now))
		last := c.now()
		if pause(ctx, longPause) != nil {
			return
		}
		s.end()
		p := s.present(c.now)
		c.seen.Add(history.Op{Session: s.name, Kind: history.Expire, Span: history.Span{Start: last, End: p.at}})
		if op := c.read(s, p); op.Outcome == history.Accepted && op.Missing {
			c.meter.count(string(history.Expire))
		}
	}
}
