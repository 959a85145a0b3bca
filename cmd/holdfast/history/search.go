package history

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// searchLimit bounds a search by its steps and not by a clock: so a verdict does
// not depend on the machine, and time may stand still meanwhile.
const searchLimit = 400_000

// An errUndecided is the verdict of a search that was given up.
var errUndecided = errors.New("undecided: too many operations overlap or are unknown")

// An automaton is an object that takes operations one after the other.
type automaton[S comparable, T any] struct {
	first S
	step  func(state S, op T) (after S, possible bool)
	when  func(op T) Span
	tells func(op T) string // what an operation tells that changes nothing; empty: it changes something
}

// search looks for an order of ops in which each is possible, in at most limit
// steps: nil if there is one.
func (a automaton[S, T]) search(ops []T, limit int) error {
	steps := 0
	model := porcupine.Model{
		Init: func() any { return a.first },
		Step: func(state, op, _ any) (bool, any) {
			if steps++; steps > limit {
				return false, state
			}
			after, possible := a.step(state.(S), op.(T))
			return possible, after
		},
	}
	ops = a.narrowest(ops)
	timed := make([]porcupine.Operation, len(ops))
	for i, op := range ops {
		span := a.when(op)
		timed[i] = porcupine.Operation{Input: op, Call: int64(span.Start), Return: int64(span.End)}
	}
	switch possible := porcupine.CheckOperations(model, timed); {
	case possible:
		return nil
	case steps > limit:
		return fmt.Errorf("%w (%d operations, given up after %d steps)", errUndecided, len(ops), limit)
	}
	return errNoOrder
}

// narrowest leaves out what another operation tells that had less time for it: where
// that one stands both can.
func (a automaton[S, T]) narrowest(ops []T) (rest []T) {
	latest := slices.Clone(ops)
	slices.SortStableFunc(latest, func(x, y T) int {
		return cmp.Or(cmp.Compare(a.when(y).Start, a.when(x).Start), cmp.Compare(a.when(x).End, a.when(y).End))
	})
	ends := map[string]time.Duration{} // the earliest end of what tells the same and began no earlier
	for _, op := range latest {
		told, span := a.tells(op), a.when(op)
		if earliest, before := ends[told]; told != "" && before && earliest <= span.End {
			continue
		}
		ends[told] = span.End
		rest = append(rest, op)
	}
	return rest
}

// An errNoOrder is the verdict of a search that tried everything.
var errNoOrder = errors.New("no order of these operations explains all answers")
