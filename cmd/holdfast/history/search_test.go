package history

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func moment(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// The two tests below compare the verdicts with a search of every order, on
// random small histories: about half of them right, half wrong.
const histories = 60_000

func TestRegisterVerdictsAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	verdicts := map[bool]int{}
	for range histories {
		ops := randomRegisterOps(rng)
		want := searchRegister(ops, "")
		if err := checkRegister(ops); (err == nil) != want {
			t.Fatalf("verdict %v, but an order exists: %v, for\n%s", err, want, text(ops))
		}
		verdicts[want]++
	}
	wantBothVerdicts(t, verdicts)
}

func TestCounterVerdictsAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	verdicts := map[bool]int{}
	for range histories {
		ops := randomCounterOps(rng)
		want := searchCounter(ops, 0)
		if err := checkCounter(ops); (err == nil) != want {
			t.Fatalf("verdict %v, but an order exists: %v, for\n%s", err, want, text(ops))
		}
		verdicts[want]++
	}
	wantBothVerdicts(t, verdicts)
}

func wantBothVerdicts(t *testing.T, verdicts map[bool]int) {
	t.Helper()
	t.Logf("right %d, wrong %d", verdicts[true], verdicts[false])
	if all := verdicts[true] + verdicts[false]; verdicts[true] < all/20 || verdicts[false] < all/20 {
		t.Errorf("%d right and %d wrong histories: too few of one kind to prove anything", verdicts[true], verdicts[false])
	}
}

// randomRegisterOps makes up to seven operations. Writes give their number.
func randomRegisterOps(rng *rand.Rand) []registerOp {
	var ops []registerOp
	writes := rng.IntN(4)
	for i := range writes {
		ops = append(ops, registerOp{write: true, value: fmt.Sprint(i), span: randomSpan(rng), outcome: randomOutcome(rng)})
	}
	for range rng.IntN(5) {
		value := ""
		if n := rng.IntN(writes + 1); n > 0 {
			value = fmt.Sprint(n - 1)
		}
		ops = append(ops, registerOp{value: value, span: randomSpan(rng)})
	}
	return ops
}

func randomCounterOps(rng *rand.Rand) []counterOp {
	var ops []counterOp
	increments := rng.IntN(5)
	for i := range increments {
		value := int64(1 + i)
		if rng.IntN(4) == 0 {
			value = 1 + rng.Int64N(4)
		}
		ops = append(ops, counterOp{increment: true, value: value, span: randomSpan(rng), outcome: randomOutcome(rng)})
	}
	for range rng.IntN(4) {
		ops = append(ops, counterOp{value: rng.Int64N(int64(increments) + 1), span: randomSpan(rng)})
	}
	return ops
}

func randomSpan(rng *rand.Rand) Span {
	start := rng.IntN(8)
	return step(start, start+rng.IntN(6))
}

func randomOutcome(rng *rand.Rand) Outcome {
	if rng.IntN(2) == 0 {
		return Accepted
	}
	return Outcome(rng.IntN(3))
}

// searchRegister tries every order in which ops can have happened to a
// register that holds value.
func searchRegister(ops []registerOp, value string) bool {
	if !mustHappen(ops, func(op registerOp) Outcome { return op.outcome }) {
		return true
	}
	for i, op := range ops {
		after := value
		switch {
		case op.outcome == Refused || !mayBeNext(ops, i, registerOp.when):
			continue
		case op.write:
			after = op.value
		case op.value != value:
			continue
		}
		if searchRegister(without(ops, i), after) {
			return true
		}
	}
	return false
}

func searchCounter(ops []counterOp, value int64) bool {
	if !mustHappen(ops, func(op counterOp) Outcome { return op.outcome }) {
		return true
	}
	for i, op := range ops {
		after := value
		if op.increment {
			after++
		}
		switch {
		case op.outcome == Refused || !mayBeNext(ops, i, counterOp.when):
			continue
		case op.outcome == Accepted && op.value != after:
			continue
		}
		if searchCounter(without(ops, i), after) {
			return true
		}
	}
	return false
}

func (op registerOp) when() Span { return openEnd(op.span, op.outcome) }
func (op counterOp) when() Span  { return openEnd(op.span, op.outcome) }

func openEnd(span Span, o Outcome) Span {
	if o != Accepted {
		span.End = never
	}
	return span
}

// mustHappen is false when nothing is left that somebody vouches for.
func mustHappen[T any](ops []T, outcome func(T) Outcome) bool {
	for _, op := range ops {
		if outcome(op) == Accepted {
			return true
		}
	}
	return false
}

// mayBeNext is true when no other operation had ended before ops[i] began.
func mayBeNext[T any](ops []T, i int, when func(T) Span) bool {
	for j, op := range ops {
		if j != i && when(op).before(when(ops[i])) {
			return false
		}
	}
	return true
}

func without[T any](ops []T, i int) []T {
	rest := make([]T, 0, len(ops))
	return append(append(rest, ops[:i]...), ops[i+1:]...)
}

func text[T any](ops []T) string {
	var lines strings.Builder
	for _, op := range ops {
		fmt.Fprintf(&lines, "%+v\n", op)
	}
	return lines.String()
}
