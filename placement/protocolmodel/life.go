package protocolmodel

// Life is how long a session lives, in ticks. The zero value is a session
// without expiry, in a world where no time passes.
type Life struct {
	Idle    uint8 // the idle timeout at first
	Slack   uint8 // an item outlives its session by so much
	Ticks   uint8 // how often time may pass
	Resets  set   // of clients whose change sets another idle timeout
	NewIdle uint8 // that one
	Strict  bool  // also after a hang no session is served too long
}

// withIdle is r with another idle timeout. Its time to live never becomes
// shorter, so that no forgotten copy outlives it: r itself tells when it is over.
func (c *Config) withIdle(r Record, idle uint8) Record {
	if c.Life.Idle == 0 {
		return r // it lives for ever
	}
	r.Idle = idle
	ttl := idle + c.Life.Slack
	if c.Rules.LongestTTL {
		ttl = max(ttl, r.TTL)
	}
	r.TTL = ttl
	return r
}

// endTTL is the time to live of the tombstone after r: as long as any forgotten
// copy of it can live.
func (a *actor) endTTL(r Record) uint8 {
	switch {
	case a.Life.Idle == 0 || !a.Rules.TombstoneOutlives:
		return a.Life.Slack
	case r.ends(): // another's tombstone does not tell
		return max(a.Life.Idle, a.Life.NewIdle) + 2*a.Life.Slack
	}
	return r.TTL + a.Life.Slack
}

// over reports whether the session of v was not used for longer than it may.
// What any member tells counts: one may have missed a touch. A time left that
// cannot come from the record tells nothing.
func (c *Config) over(v view, in *[maxNodes]Answer) bool {
	if c.Life.Idle == 0 || v.truth.Kind != Session {
		return false
	}
	unused, told := uint8(0), false
	for n := range c.Nodes {
		if !c.isTruth(v, in[n]) || in[n].Left > v.truth.TTL || !c.Rules.LongestLife && n != v.at {
			continue
		}
		if u := v.truth.TTL - in[n].Left; !told || u < unused {
			unused, told = u, true
		}
	}
	return told && unused > v.truth.Idle
}

// extend is LIFE, behind the answer to a READ: the members that hold the truth
// live as long again from now on.
func (a *actor) extend(v view) {
	if a.Life.Idle == 0 || !a.Rules.TouchBehind || !a.tired(v, &a.c.In) {
		a.end(acknowledged)
		return
	}
	a.c.Old = a.c.In
	a.enter(touching)
	for n := range a.Nodes {
		if v.truth.Members.has(n) && a.touches(v, n, a.c.Old[n]) {
			a.send(n, Message{Verb: touch, Life: v.truth.TTL}, false)
			a.c.Old[n].Record.TTL = v.truth.TTL // a probe did not tell it
		}
	}
	if a.c.Flight == 0 {
		a.end(acknowledged)
	}
}

// tired reports whether any member's item has not its full life.
func (a *actor) tired(v view, in *[maxNodes]Answer) bool {
	for n, got := range in {
		if v.truth.Members.has(n) && a.isTruth(v, got) && got.Left != v.truth.TTL {
			return true
		}
	}
	return false
}

// isTruth tells by its flags whether a node holds the truth.
func (c *Config) isTruth(v view, got Answer) bool {
	return c.follows(got, v.truth) && got.Record.Revision == v.truth.Revision
}

// touches says whether node n, where READ found that, is touched.
func (a *actor) touches(v view, n int, read Answer) bool {
	switch {
	case !a.follows(read, v.truth):
		return false
	case a.Rules.TouchTruth && !a.isTruth(v, read):
		return false // its writer is under way, or the next commit mends it
	}
	return a.Rules.TouchAll || n == v.at
}

// touched looks at what was touched: where the version is another than the one
// that was read, the time to live may be another too.
func (a *actor) touched() {
	read := a.c.In
	a.enter(checking)
	for n := range a.Nodes {
		if a.Rules.TouchChecks && read[n].Status == done && read[n].Version != a.c.Old[n].Version {
			a.send(n, Message{Verb: get}, false)
		}
	}
	if a.c.Flight == 0 {
		a.end(acknowledged)
	}
}

// checked gives what was touched by mistake its own life back.
func (a *actor) checked() {
	read, old := a.c.In, a.c.Old
	a.enter(touching)
	for n := range a.Nodes {
		if read[n].Status == done && read[n].Record.TTL != old[n].Record.TTL {
			a.c.Old[n] = read[n]
			a.send(n, Message{Verb: touch, Life: read[n].Record.TTL}, false)
		}
	}
	if a.c.Flight == 0 {
		a.end(acknowledged)
	}
}
