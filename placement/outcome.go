package placement

import (
	"errors"
	"fmt"
	"slices"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// What became of a change: what is known, and what stays open.

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

// madeBy returns the state that ch made, when ch is among the commits of v. That
// is not v when others have committed since: two counts must not both be
// answered with the sum.
func madeBy(ch *store.Change, v *store.View) *store.View {
	commits := v.Record.Commits
	i := slices.Index(commits, ch.Commit)
	if i == len(commits)-1 {
		return v
	}
	made := *v
	for _, r := range tried(ch) {
		before := len(r.Commits) - 2 // random numbers: who follows the same commit is the same state
		if i > 0 && before >= 0 && r.Commits[before] == commits[i-1] {
			made.Record = r
			return &made
		}
	}
	if d, ok := ch.Doubt.(*doubt); ok && i <= 0 && d.done != nil && d.sameHome(v.Key, v.Record) {
		made.Record = d.done // what came before is forgotten
		return &made
	}
	return v
}

// unsettled adds to err, with which ch ends, what it leaves open: that a write of
// ch may have happened or may still.
func unsettled(ch *store.Change, err error) error {
	if err == nil || !ch.Uncertain() || over(err) || errors.Is(err, store.ErrUnknownOutcome) {
		return err
	}
	return fmt.Errorf("%w (%w)", store.ErrUnknownOutcome, err)
}

// over reports whether err says that there is no session to change any more.
func over(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDestroyed) || errors.Is(err, store.ErrRenewed)
}
