package staging

import (
	"context"
	"fmt"
	"time"
)

// A Standstill is a time in which this machine gave the check no processor, and so most
// likely none to the servers and nodes on it. Times are in seconds, At since the load
// began.
type Standstill struct {
	At     float64 `json:"at"`
	Lasted float64 `json:"lasted"`
}

const (
	beatEvery = 50 * time.Millisecond
	stillness = 500 * time.Millisecond // a server is about to take a silent node for hung
)

// A pulse notes standstills.
type pulse struct {
	felt   time.Duration // when last
	stills []Standstill
}

// beat is called at regular times.
func (p *pulse) beat(now time.Duration) {
	if still := now - p.felt; still > stillness {
		p.stills = append(p.stills, Standstill{p.felt.Seconds(), still.Seconds()})
	}
	p.felt = now
}

// feel goes on until ctx ends: that may be in a standstill, too.
func (c *check) feel(ctx context.Context) {
	c.pulse.felt = c.now()
	for ctx.Err() == nil {
		_ = pause(ctx, beatEvery)
		c.pulse.beat(c.now())
	}
}

// stood tells of the standstills.
func (r *Report) stood() string {
	longest := 0.0
	for _, s := range r.Stood {
		longest = max(longest, s.Lasted)
	}
	if longest == 0 {
		return "never"
	}
	return fmt.Sprintf("%s, for %.1f s at most", many(len(r.Stood), "time"), longest)
}

// Caveat is what to think of before a violation is believed, "" if nothing. It excuses
// none.
func (r *Report) Caveat() string {
	if len(r.Stood) == 0 || len(r.Wrong) == 0 {
		return ""
	}
	return "This machine stood still " + r.stood() + ". Then several things fail at a time, and no mode promises to survive that: " +
		"look for the same on a machine with time to spare."
}
