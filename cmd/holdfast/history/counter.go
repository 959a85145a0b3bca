package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// counterOp is an increment, or an accepted read.
type counterOp struct {
	increment bool
	value     int64
	span      Span
	outcome   Outcome
	from      *Op // nil if it was noted as a counter's
}

// checkCounter decides whether a counter that starts at 0 explains ops. The
// values fix the order of all answered operations: the increment to 1, the
// reads of 1, the increment to 2, and so on. So there are two questions. Does
// that order contradict the times? And is there, for each value that no
// answered increment gave, an unanswered one that began early enough?
func checkCounter(ops []counterOp) error {
	answered, unanswered := sortCounter(ops)
	if err := checkOrder(answered); err != nil {
		return err
	}
	return fillGaps(answered, unanswered)
}

// sortCounter returns the answered operations in the order that their values
// fix, and the starts of the increments with unknown outcome.
func sortCounter(ops []counterOp) (answered []counterOp, unanswered []time.Duration) {
	for _, op := range ops {
		switch op.outcome {
		case Accepted:
			answered = append(answered, op)
		case Unknown:
			unanswered = append(unanswered, op.span.Start)
		}
	}
	slices.SortFunc(answered, func(a, b counterOp) int { return cmp.Compare(a.slot(), b.slot()) })
	slices.Sort(unanswered)
	return answered, unanswered
}

// slot is an operation's place in the order. Reads of one value share theirs.
func (op counterOp) slot() int64 {
	if op.increment {
		return 2 * op.value
	}
	return 2*op.value + 1
}

// checkOrder refuses an operation that ended before one of a lower slot began.
func checkOrder(answered []counterOp) error {
	var below, here counterOp // the latest to start: of all slots below, and of this one
	for i, op := range answered {
		if op.value < 0 || op.increment && op.value == 0 {
			return fmt.Errorf("an increment gave %d", op.value)
		}
		if i > 0 && answered[i-1].slot() != op.slot() {
			below, here = later(below, here), op
		}
		if i > 0 && op.increment && answered[i-1].slot() == op.slot() {
			return fmt.Errorf("two increments were both told %d: a lost update", op.value)
		}
		if op.span.before(below.span) {
			return fmt.Errorf("%d was seen before an operation began that gave %d: a lost update or a stale read", op.value, below.value)
		}
		here = later(here, op)
	}
	return nil
}

func later(a, b counterOp) counterOp {
	if b.span.Start > a.span.Start {
		return b
	}
	return a
}

// fillGaps gives each missing value the earliest unanswered increment that is
// left. It must have begun before anything ended that stands behind the gap.
// Gaps are filled from the lowest: what may fill a lower one may fill a higher
// one too, so that no other choice does better.
func fillGaps(answered []counterOp, unanswered []time.Duration) error {
	ends := earliestEnds(answered)
	next := int64(1) // the lowest value that is not accounted for
	for i, op := range answered {
		for ; next < op.value || next == op.value && !op.increment; next++ {
			if len(unanswered) == 0 {
				return fmt.Errorf("it reached %d, and more increments were counted than sent", op.value)
			}
			if unanswered[0] > ends[i] {
				return fmt.Errorf("it reached %d before enough increments had been sent", op.value)
			}
			unanswered = unanswered[1:]
		}
		if op.increment {
			next = op.value + 1
		}
	}
	return nil
}

// earliestEnds returns for each i the earliest end of answered[i:].
func earliestEnds(answered []counterOp) []time.Duration {
	ends := make([]time.Duration, len(answered))
	earliest := never
	for i := len(answered) - 1; i >= 0; i-- {
		earliest = min(earliest, answered[i].span.End)
		ends[i] = earliest
	}
	return ends
}
