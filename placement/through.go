package placement

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-sessions/holdfast/record"
	"github.com/holdfast-sessions/holdfast/store"
)

// through brings the aliases that led to o to every member that answers, before
// anything is written behind them: an alias that stands at its home alone can
// vanish with it, and all that was committed through it.
func (o *op) through(ctx context.Context) error {
	if o.via == nil {
		return nil
	}
	if err := o.via.through(ctx); err != nil {
		return err
	}
	via := o.via
	for {
		v := look(via.roster, via.in)
		switch {
		case !v.found || v.truth == nil:
			return errElsewhere
		case v.truth.Kind == record.Tombstone:
			return ended(v.truth)
		case v.truth.Kind != record.Alias || v.truth.Target != o.key || len(v.truth.Commits) == 0:
			return errElsewhere
		}
		if via.wholly(v) {
			alias := &store.Change{Commit: v.truth.Commits[len(v.truth.Commits)-1]}
			_, err := via.settleOnce(ctx, &store.View{}, alias, nil)
			if !errors.Is(err, errAgain) {
				return err
			}
		}
		if _, err := via.read(ctx, v.at, store.Whole); err != nil {
			return err
		}
	}
}

// wholly reports whether the values of all members were read.
func (o *op) wholly(v view) bool {
	for n := range v.members.all() {
		if o.in[n].hasItem() && o.in[n].record == nil && o.in[n].err == nil {
			return false
		}
	}
	return true
}

// errElsewhere says that an alias did not win: READ begins again where it stood.
var errElsewhere = fmt.Errorf("%w: read again under the former id", store.ErrConflict)

// former is the op of the id under which the way to o began.
func (o *op) former() *op {
	for o.via != nil {
		o = o.via
	}
	return o
}
