package history

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// checkAttribute decides whether ops, all on one attribute of one session, are
// explained: by a counter if it was ever updated, else by a register.
func checkAttribute(ops []Op, faults []fault) error {
	updated := slices.ContainsFunc(ops, func(op Op) bool { return op.Kind == Update })
	ops = slices.DeleteFunc(slices.Clone(ops), func(op Op) bool {
		return op.absent() || op.Kind == Read && op.Outcome != Accepted
	})
	if !updated {
		return explainRegister(registerOps(ops), faults)
	}
	counts, err := counterOps(ops)
	if err != nil {
		return err
	}
	return explainCounter(counts, faults)
}

func registerOps(ops []Op) []registerOp {
	values := make([]registerOp, len(ops))
	for i, op := range ops {
		values[i] = registerOp{write: op.Kind != Read, value: op.Value, span: op.Span, outcome: op.Outcome, from: &ops[i]}
		if op.Kind == Delete {
			values[i].value = ""
		}
	}
	return values
}

var errMixed = errors.New("it is both set and updated: the history cannot be judged")

func counterOps(ops []Op) ([]counterOp, error) {
	counts := make([]counterOp, len(ops))
	for i, op := range ops {
		if op.Kind == Set || op.Kind == Delete {
			return nil, errMixed
		}
		counts[i] = counterOp{increment: op.Kind == Update, span: op.Span, outcome: op.Outcome, from: &ops[i]}
		if op.Outcome != Accepted || op.Kind == Read && op.Value == "" {
			continue
		}
		n, err := strconv.ParseInt(op.Value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("no number: %v", op)
		}
		counts[i].value = n
	}
	return counts, nil
}

func explainRegister(ops []registerOp, faults []fault) error {
	return explain(withoutDoubtful(ops, faults), checkValues, registerOp.weaker)
}

func explainCounter(ops []counterOp, faults []fault) error {
	check := func(ops []counterOp, _ int) error { return checkCounter(ops) }
	return explain(withoutDoubtfulCounts(ops, faults), check, counterOp.weaker)
}

// checkValues takes the quick way where every value tells who wrote it.
func checkValues(ops []registerOp, limit int) error {
	if clears(ops) {
		return checkCleared(ops, limit)
	}
	return checkRegister(ops)
}

// weaker is what holds of op if nobody believes its answer.
func (op registerOp) weaker() (registerOp, bool) {
	if op.outcome == Accepted {
		op.outcome = Unknown
	}
	return op, op.write
}

func (op counterOp) weaker() (counterOp, bool) {
	if op.outcome == Accepted {
		op.outcome = Unknown
	}
	return op, op.increment
}

func (op registerOp) answer() (Op, bool) { return answerOf(op.from, op.outcome) }
func (op counterOp) answer() (Op, bool)  { return answerOf(op.from, op.outcome) }

// answerOf is the operation behind from, if it is known and somebody believes its
// answer.
func answerOf(from *Op, o Outcome) (Op, bool) {
	if from == nil || o != Accepted {
		return Op{}, false
	}
	return *from, true
}
