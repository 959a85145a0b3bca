package history

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestClearedRegisterVerdictsAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	verdicts := map[bool]int{}
	for range histories / 4 {
		ops := randomRegisterOps(rng)
		for range 1 + rng.IntN(2) {
			ops = append(ops, registerOp{write: true, span: randomSpan(rng), outcome: randomOutcome(rng)})
		}
		want := searchRegister(ops, "")
		if err := checkCleared(ops, searchLimit); (err == nil) != want {
			t.Fatalf("verdict %v, but an order exists: %v, for\n%s", err, want, text(ops))
		}
		verdicts[want]++
	}
	wantBothVerdicts(t, verdicts)
}

// TestLifetimeVerdictsAreExact compares with a search that spares itself nothing. What a
// session may do is the same for both: the planted violations tell whether that is right.
func TestLifetimeVerdictsAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	verdicts := map[bool]int{}
	for range histories / 10 {
		ops := simulate(rng, "s", 3, 2)
		for range rng.IntN(3) {
			falsify(rng, ops)
		}
		claims := claimsOf(ops, nil)
		want := tryAll(lifetimes(), claims, lifetime{})
		if err := checkLifetime(claims, searchLimit); (err == nil) != want {
			t.Fatalf("verdict %v, but an order exists: %v, for\n%s", err, want, text(ops))
		}
		verdicts[want]++
	}
	wantBothVerdicts(t, verdicts)
}

// TestQuickVerdictsAgreeWithASearch compares both quick ways with a kept checker, on
// histories that are too long to try every order.
func TestQuickVerdictsAgreeWithASearch(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	verdicts := map[bool]int{}
	for range histories / 20 {
		ops := simulate(rng, "s", 3, 12)
		if rng.IntN(2) == 0 {
			falsify(rng, ops)
		}
		ops = slices.DeleteFunc(ops, func(op Op) bool { return op.absent() || op.Kind == Read && !op.done() })
		counts, _ := counterOps(slices.DeleteFunc(slices.Clone(ops), func(op Op) bool { return op.Key != "n" }))
		quick, searched := checkCounter(counts), counters().search(happened(counts), searchLimit)
		if (quick == nil) != (searched == nil) {
			t.Fatalf("quick verdict %v, searched %v, for\n%s", quick, searched, text(counts))
		}
		verdicts[quick == nil]++
		values := registerOps(slices.DeleteFunc(ops, func(op Op) bool { return op.Key != "k0" || op.Kind == Delete }))
		quick, searched = checkRegister(values), checkCleared(values, searchLimit)
		if (quick == nil) != (searched == nil) {
			t.Fatalf("quick verdict %v, searched %v, for\n%s", quick, searched, text(values))
		}
		verdicts[quick == nil]++
	}
	wantBothVerdicts(t, verdicts)
}

// counters is the automaton of a counter.
func counters() automaton[int64, counterOp] {
	step := func(value int64, op counterOp) (int64, bool) {
		if op.increment {
			value++
		}
		return value, op.outcome == Unknown || value == op.value
	}
	return automaton[int64, counterOp]{0, step, counterOp.when, func(counterOp) string { return "" }}
}

func happened(ops []counterOp) []counterOp {
	return slices.DeleteFunc(slices.Clone(ops), func(op counterOp) bool { return op.outcome == Refused })
}

// tryAll tries every order of ops.
func tryAll[S comparable, T any](a automaton[S, T], ops []T, state S) bool {
	if !slices.ContainsFunc(ops, func(op T) bool { return a.when(op).End < never }) {
		return true
	}
	for i, op := range ops {
		if !mayBeNext(ops, i, a.when) {
			continue
		}
		if after, possible := a.step(state, op); possible && tryAll(a, without(ops, i), after) {
			return true
		}
	}
	return false
}
