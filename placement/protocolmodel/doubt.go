package protocolmodel

// A doubt is about a change of which a write may have happened.
type doubt struct {
	After   set   // the commits that the first of them followed, as far as its record remembers
	Epoch   uint8 // in which all writes of it named
	Home    uint8 // this home
	Mixed   bool  // they did not
	AtHome  bool  // the home may have done one of them
	Last    uint8 // the revision of the last of them
	Done    uint8 // the revision of the last one that the home has done; 0: of none
	Without uint8 // the newest revision of the home that certainly was without it
}

// unsure notes that the write under way may happen without our learning it: from
// here on it counts how many commit ids a record can have taken in since.
func (a *actor) unsure(after set) {
	if a.Remember == 0 {
		return
	}
	next, d := &a.c.Next, &a.c.Doubt
	if !a.c.Unsure {
		a.c.Unsure, a.c.UnsureOf = true, next.Revision-1
		*d = doubt{After: after, Epoch: next.Epoch, Home: next.Home, Without: next.Revision - 1}
	}
	a.c.UnsureOf, d.Without = min(a.c.UnsureOf, next.Revision-1), min(d.Without, next.Revision-1) // a copy that was ahead may be gone
	d.Mixed = d.Mixed || d.Epoch != next.Epoch || d.Home != next.Home
}

// saidByHome notes what the home said to the write that did not succeed.
func (a *actor) saidByHome() {
	next, d := &a.c.Next, &a.c.Doubt
	if !a.c.Unsure || next.Kind == Nothing {
		return
	}
	status := a.c.In[next.Home].Status
	if status != refused {
		d.AtHome, d.Last = true, max(d.Last, next.Revision)
	}
	if status == done {
		d.Done = next.Revision
	}
}

// doneAtHome reports whether the home that has done the change still tells what follows
// from that, though the record may have forgotten the id.
func (a *actor) doneAtHome(v view) bool {
	d := &a.c.Doubt
	return d.Done > 0 && (a.sameHome(v.truth) || !a.Rules.DoneInEpoch) && v.homeHas && v.truth.Revision >= d.Done
}

// sameHome reports whether all writes named the home and the epoch of r.
func (a *actor) sameHome(r Record) bool {
	d := &a.c.Doubt
	return !d.Mixed && d.Epoch == r.Epoch && d.Home == r.Home
}

// sameState reports whether both are one state, as far as a record tells.
func (a *actor) sameState(r, other Record) bool {
	return r.flags() == other.flags() && r.Commits == other.Commits
}

// forgotten is COMMIT 6: an earlier write may have happened, and been forgotten since.
func (a *actor) forgotten(v view) bool {
	if !a.Rules.ForgottenIsError || a.Remember == 0 || !a.c.Unsure {
		return false
	}
	d := &a.c.Doubt
	remembered := d.After != 0 && v.truth.Commits&d.After == d.After // and so whatever came after that
	if a.Rules.DoubtByEpoch && !a.sameHome(v.truth) {
		return !remembered && a.outOf(a.c.UnsureOf, v.truth)
	}
	if v.homeHas && (remembered || !d.AtHome || !a.Rules.DoubtByHome || !a.outOf(d.Without, v.truth)) {
		d.without(v.truth)
	}
	return !remembered && a.outOf(d.Without, v.truth)
}

// outOf reports whether r may have forgotten a change made after that revision.
func (a *actor) outOf(revision uint8, r Record) bool {
	return int(r.Revision)-int(revision) > a.Remember
}

// without notes that the home has r, which is without the change. A late write to it
// will be refused where r has replaced the version that it names.
func (d *doubt) without(r Record) {
	d.Without = max(d.Without, r.Revision)
	d.AtHome = d.AtHome && r.Revision < d.Last
}
