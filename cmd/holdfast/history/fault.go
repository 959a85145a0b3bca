package history

import (
	"slices"
	"time"
)

// fault is a moment at which a change may vanish that was on one node alone, or on
// none.
type fault struct {
	strike Span
	since  time.Duration // everything older was on all nodes
	sent   time.Duration // everything older that was acknowledged was on some node
}

// Fault notes that something failed within strike. A change that had not been
// acknowledged by then may vanish with a node, even if it was seen; so those who
// saw it are not heard. What ended with an unknown outcome before since was on
// all nodes by then, or had not happened, and must not vanish any more.
func (h *History) Fault(strike Span, since time.Duration) { h.Loss(strike, since, never) }

// Loss is a Fault by which also a change may vanish that was acknowledged at sent or
// later, or come back later: it was in the memory of one server alone.
func (h *History) Loss(strike Span, since, sent time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = append(h.faults, fault{strike, min(since, sent), sent})
}

// judged is an outcome after the faults: what was acknowledged and may have been lost
// is as good as unknown.
func judged(o Outcome, span Span, faults []fault) Outcome {
	lossy := func(f fault) bool { return span.End >= f.sent && span.Start <= f.strike.End }
	if o == Accepted && slices.ContainsFunc(faults, lossy) {
		return Unknown
	}
	return o
}

// mayUndo reports whether a change may vanish by f that somebody has seen.
func (f fault) mayUndo(change Span, o Outcome) bool {
	certain := f.strike.Start
	if o == Unknown {
		certain = f.since
	}
	return change.Start <= f.strike.End && change.End >= certain
}

// saw reports whether an answer may tell of a change before f undid it.
func (f fault) saw(answer, change Span) bool {
	return answer.Start <= f.strike.End && answer.End >= change.Start
}

// withoutDoubtful leaves out the reads of what may have vanished.
func withoutDoubtful(ops []registerOp, faults []fault) []registerOp {
	kept, writes := slices.Clone(ops), map[string][]registerOp{}
	for i, op := range kept {
		if op.write && op.outcome != Refused {
			kept[i].outcome = judged(op.outcome, op.span, faults)
			writes[op.value] = append(writes[op.value], kept[i])
		}
	}
	doubtful := func(read registerOp) bool {
		return slices.ContainsFunc(faults, func(f fault) bool {
			return slices.ContainsFunc(writes[read.value], func(write registerOp) bool {
				return f.mayUndo(write.span, write.outcome) && f.saw(read.span, write.span)
			})
		})
	}
	return slices.DeleteFunc(kept, func(op registerOp) bool { return !op.write && doubtful(op) })
}

// withoutDoubtfulCounts leaves out the reads of what no increment before the
// fault vouches for, and no read from before since.
func withoutDoubtfulCounts(ops []counterOp, faults []fault) []counterOp {
	kept := slices.Clone(ops)
	for i, op := range kept {
		if op.increment {
			kept[i].outcome = judged(op.outcome, op.span, faults)
		}
	}
	all := slices.Clone(kept)
	for _, f := range faults {
		certain := int64(0)
		for _, op := range all {
			if op.outcome == Accepted && (op.span.End < f.since || op.increment && op.span.End < f.strike.Start) {
				certain = max(certain, op.value)
			}
		}
		kept = slices.DeleteFunc(kept, func(op counterOp) bool {
			return !op.increment && op.value > certain && op.span.Start <= f.strike.End
		})
	}
	return kept
}
