package placement

import (
	"errors"
	"fmt"
	"slices"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// What became of a change: what is known, and what stays open.

// forgotten is COMMIT 6: an earlier write may have happened, and its commit id been
// forgotten since.
func forgotten(v view, ch *store.Change) bool {
	return ch.Uncertain && v.truth.Revision > ch.UncertainSince && v.truth.Revision-ch.UncertainSince >= record.MaxCommits
}

// acknowledged is COMMIT 4: all of targets said yes. Otherwise it notes what may
// have happened, and says whether to try again.
func (o *op) acknowledged(targets set, next *record.Record, ch *store.Change) error {
	var failure error
	for n := range targets.all() {
		if o.in[n].status != done {
			failure = o.heed(n, next, failure)
		}
	}
	if failure != nil {
		o.unsure(targets, next, ch)
	}
	return failure
}

// heed is what node n's refusal or silence means beside what came before.
func (o *op) heed(n int, next *record.Record, before error) error {
	a := &o.in[n]
	switch {
	case before != nil && !errors.Is(before, errAgain):
		return before
	case a.status == silent:
		return errAgain
	case errors.Is(a.err, store.ErrConflict):
		o.counts.conflicts.Add(1)
		return errAgain
	case errors.Is(a.err, store.ErrTooLarge): // it will not get better
		return fmt.Errorf("node %s: %w", o.roster.nodes[n].Name, tooLarge(a.err, next))
	}
	return fmt.Errorf("node %s: %w", o.roster.nodes[n].Name, a.err)
}

// unsure notes that a write may have happened without our learning it: from here
// on it counts how many commit ids a record can have taken in since.
func (o *op) unsure(targets set, next *record.Record, ch *store.Change) {
	mayHave := false
	for n := range targets.all() {
		a := &o.in[n]
		mayHave = mayHave || a.status == done || errors.Is(a.err, store.ErrUnknownOutcome)
	}
	if !mayHave {
		return
	}
	o.counts.uncertain.Add(1)
	if !ch.Uncertain {
		ch.Uncertain, ch.UncertainSince = true, next.Revision-1
	}
	if len(ch.Tried) == maxTried {
		ch.Tried = ch.Tried[1:]
	}
	ch.Tried = append(ch.Tried, next)
}

// maxTried bounds the states that are kept of a change with many tries.
const maxTried = 64

// madeBy returns the state that ch made, when ch is among the commits of v. That
// is not v when others have committed since: two counts must not both be
// answered with the sum.
func madeBy(ch *store.Change, v *store.View) *store.View {
	commits := v.Record.Commits
	i := slices.Index(commits, ch.Commit)
	if i == len(commits)-1 {
		return v
	}
	for _, r := range ch.Tried {
		before := len(r.Commits) - 2 // random numbers: who follows the same commit is the same state
		if i > 0 && before >= 0 && r.Commits[before] == commits[i-1] {
			made := *v
			made.Record = r
			return &made
		}
	}
	return v
}

// certain forgets the doubts about ch where they are over: on one node alone, a
// newer state without it tells that it did not happen and cannot any more, since
// a late write names the version that the newer one has replaced. With copies
// one of them may hold it, and decide one day.
func certain(v *store.View, ch *store.Change) {
	alone := len(v.Record.Members) == 1 && len(v.Record.Leaving) == 0
	if alone && !v.Record.HasCommit(ch.Commit) && v.Record.Revision > ch.UncertainSince && v.Record.Revision-ch.UncertainSince < record.MaxCommits {
		ch.Uncertain, ch.Tried = false, nil
	}
}

// unsettled adds to err, with which ch ends, what it leaves open: that a write of
// ch may have happened or may still.
func unsettled(ch *store.Change, err error) error {
	if err == nil || !ch.Uncertain || over(err) || errors.Is(err, store.ErrUnknownOutcome) {
		return err
	}
	return fmt.Errorf("%w (%w)", store.ErrUnknownOutcome, err)
}

// over reports whether err says that there is no session to change any more.
func over(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDestroyed) || errors.Is(err, store.ErrRenewed)
}
