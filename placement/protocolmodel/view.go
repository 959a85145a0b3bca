package protocolmodel

// A view is what follows from the answers to a READ.
type view struct {
	answered set    // nodes
	found    bool   // anything at all
	truth    Record // what counts
	at       int    // the node that it is from
	homeHas  bool   // the home of the highest epoch answered in it
	clean    bool   // and so did every member
	unaware  set    // leaving nodes that hold an older epoch
	newest   uint8  // the highest revision seen in that epoch
	ahead    bool   // a copy is ahead of the home
	copied   bool   // a node other than its home holds the truth's epoch
}

// look is READ 1, 2, 4 and 5.
func (c *Config) look(in *[maxNodes]Answer) view {
	v := view{at: -1}
	for n := range c.Nodes {
		if in[n].Status != done {
			continue
		}
		v.answered = v.answered.with(n)
		r := in[n].Record
		if r.ends() { // READ 1: a tombstone beats every record
			return view{answered: v.answered, found: true, truth: r, at: n}
		}
		if r.Kind != Nothing && (v.at < 0 || c.tells(in[n], in[v.at])) {
			v.truth, v.at = r, n
		}
	}
	if v.found = v.at >= 0; !v.found {
		return v
	}
	c.chooseTruth(&v, in)
	if in[v.at].Probed {
		return v // not clean: its value is not known
	}
	c.judge(&v, in)
	return v
}

// tells reports whether an answer tells more of the newest epoch than another.
// Records of one epoch have one home and the same members: any value tells them.
func (c *Config) tells(a, than Answer) bool {
	if a.Record.Epoch == than.Record.Epoch && a.Probed != than.Probed {
		return than.Probed
	}
	return c.newer(a.Record, than.Record)
}

// newer orders records by epoch and revision. It decides only which epoch and
// home are looked at; which record is the truth is chosen after that.
func (c *Config) newer(r, than Record) bool {
	if c.Rules.EpochFirst && r.Epoch != than.Epoch {
		return r.Epoch > than.Epoch
	}
	return r.Revision > than.Revision
}

// chooseTruth is READ 4 and 5: the home's record, whatever a copy says; of a
// lost home, that of the first member after it in list order that holds its
// epoch. A node that was a member may hold that epoch too, but it is not written any more.
func (c *Config) chooseTruth(v *view, in *[maxNodes]Answer) {
	if in[v.at].Probed {
		return // nobody told the home of this epoch
	}
	c.arbitrate(v, in)
	home, members := int(v.truth.Home), v.truth.Members
	v.homeHas = c.follows(in[home], v.truth)
	if v.homeHas && !c.Rules.HomeIsBase || !v.homeHas && !c.Rules.OneDecider {
		return // the highest revision
	}
	if !c.Rules.MembersFirst {
		members = c.allNodes()
	}
	for n := range c.ring(home) {
		if members.has(n) && c.follows(in[n], v.truth) {
			c.takeFrom(v, in, n)
			return
		}
	}
}

// arbitrate is for two homes with one epoch: two servers, each cut off from
// another node, have decided at the same time. A copy is written after its home
// has decided, and conditionally, so that each node has that of one of the two. A
// home has lost of which a member has the other's: its change was never
// acknowledged. If both have, the first in list order counts, so that all agree.
func (c *Config) arbitrate(v *view, in *[maxNodes]Answer) {
	if !c.Rules.Arbiter {
		return
	}
	best := c.claimOf(v.truth, in)
	for n := range c.Nodes {
		if a := &in[n]; holds(*a, v.truth.Epoch) && !a.Probed {
			if claim := c.claimOf(a.Record, in); claim.beats(best) {
				v.truth, v.at, best = a.Record, n, claim
			}
		}
	}
	v.copied = best.copied
}

// A claim is that of a home to have decided an epoch.
type claim struct {
	home   uint8
	lost   bool // a member holds what another home has decided
	copied bool // a node other than the home holds it
}

func (c *Config) claimOf(r Record, in *[maxNodes]Answer) claim {
	claim := claim{home: r.Home, lost: c.lost(r, in)}
	for n := range c.Nodes {
		claim.copied = claim.copied || n != int(r.Home) && !in[n].Probed && c.follows(in[n], r)
	}
	return claim
}

func (c claim) beats(other claim) bool {
	switch {
	case c.lost != other.lost:
		return other.lost
	case !c.lost && c.copied != other.copied:
		return c.copied
	}
	return c.home < other.home
}

// lost reports whether a member of r holds what another home has decided.
func (c *Config) lost(r Record, in *[maxNodes]Answer) bool {
	for n := range c.Nodes {
		if r.Members.has(n) && holds(in[n], r.Epoch) && !c.follows(in[n], r) {
			return true
		}
	}
	return false
}

// takeFrom makes the record of n the truth. A value counts for the node that told
// it, and for no other with the same flags.
func (c *Config) takeFrom(v *view, in *[maxNodes]Answer, n int) {
	if in[n].Probed && !c.Rules.OwnValue && in[n].Record == v.truth.flags() {
		return
	}
	v.truth, v.at = in[n].Record, n
}

// judge is READ 2: what the members say beside the truth, and those that leave.
func (c *Config) judge(v *view, in *[maxNodes]Answer) {
	v.clean = v.homeHas
	v.newest = v.truth.Revision
	for n := range c.Nodes {
		switch {
		case !c.follows(in[n], v.truth):
			v.misses(n, in[n])
		case in[n].Record.Revision > v.truth.Revision:
			v.ahead = true
			v.newest = max(v.newest, in[n].Record.Revision)
		}
	}
}

// misses notes a node that does not hold the truth's epoch. What another home has
// there in the same epoch is written over only once it is certain who has won.
func (v *view) misses(n int, a Answer) {
	rival, leaves := holds(a, v.truth.Epoch), v.truth.Leaving.has(n)
	v.clean = v.clean && !rival && !leaves && !v.truth.Members.has(n)
	if leaves && a.Record.Kind != Nothing || rival && v.copied {
		v.unaware = v.unaware.with(n)
	}
}

// follows reports whether a node answered with an item of r's epoch and home. A
// probe does not tell the home.
func (c *Config) follows(a Answer, r Record) bool {
	return holds(a, r.Epoch) && (a.Probed || a.Record.Home == r.Home || !c.Rules.Arbiter)
}

// holds reports whether a node answered with an item of that epoch.
func holds(a Answer, epoch uint8) bool {
	return a.Status == done && a.Record.Kind != Nothing && a.Record.Epoch == epoch
}
