package history

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

const sessions = 200

func TestRightHistoriesAreAccepted(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	ops, unknown := 0, 0
	for i := range sessions {
		seen := simulate(rng, "s", 1+i%4, 30)
		ops += len(seen)
		for _, op := range seen {
			if op.Outcome == Unknown {
				unknown++
			}
		}
		if err := judge(seen); err != nil {
			t.Fatalf("history %d is right, and refused: %v\n%s", i, err, text(seen))
		}
	}
	t.Logf("%d histories with %d operations, of which %d unknown", sessions, ops, unknown)
}

func TestRightHistoriesWithACrashAreAccepted(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	lossy := 0
	for i := range sessions {
		seen, crash := simulateCrash(rng, "s", 1+i%4, 20)
		if err := judge(seen, crash); err != nil {
			t.Fatalf("history %d is right, and refused: %v\n%+v\n%s", i, err, crash, text(seen))
		}
		if judge(seen) != nil {
			lossy++
		}
	}
	t.Logf("%d of %d histories are wrong without the crash", lossy, sessions)
	if lossy < sessions/10 {
		t.Errorf("only %d of %d histories lost something: this proves too little", lossy, sessions)
	}
}

// TestFalsifiedAnswersAreFound: a false answer breaks no promise where another order
// explains it, too; most are found.
func TestFalsifiedAnswersAreFound(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	falsified, found := map[string]int{}, map[string]int{}
	for i := range sessions {
		right := simulate(rng, "s", 1+i%4, 30)
		for range 2 {
			wrong := slices.Clone(right)
			how := falsify(rng, wrong)
			falsified[how]++
			if judge(wrong) != nil {
				found[how]++
			}
		}
	}
	for how, n := range falsified {
		t.Logf("%-30s %4d of %4d found", how, found[how], n)
		if found[how] < n*3/4 {
			t.Errorf("%s: only %d of %d found", how, found[how], n)
		}
	}
}

// falsify exchanges one answer, and tells how.
func falsify(rng *rand.Rand, ops []Op) string {
	for {
		op := &ops[rng.IntN(len(ops))]
		switch {
		case op.Kind == Begin || op.Kind == Expire || !op.done() && !op.absent():
		case op.absent():
			op.Missing = false
			return "missing was told as there"
		case rng.IntN(3) == 0:
			op.Missing = true
			return "there was told as missing"
		case op.Kind == Read && rng.IntN(2) == 0:
			op.Owner += "?"
			return "another owner"
		case op.Kind == Read && op.Key != "n":
			op.Value = another(rng, ops, *op)
			return "another value"
		case op.Key == "n":
			n, _ := strconv.Atoi(op.Value)
			op.Value = fmt.Sprint(n + 1 - 2*rng.IntN(2))
			return "another count"
		}
	}
}

// another is a value that was there at some other time.
func another(rng *rand.Rand, ops []Op, op Op) string {
	values := []string{"", "nobody wrote that"}
	for _, o := range ops {
		if o.Kind == Set && o.Key == op.Key && o.Outcome == Accepted {
			values = append(values, o.Value)
		}
	}
	values = slices.DeleteFunc(values, func(v string) bool { return v == op.Value })
	return values[rng.IntN(len(values))]
}

func BenchmarkCheck(b *testing.B) {
	for _, c := range []struct{ sessions, clients, steps int }{{200, 1, 100}, {200, 4, 25}, {20, 10, 100}, {20, 20, 50}, {1, 1, 20_000}} {
		b.Run(fmt.Sprintf("sessions=%d/clients=%d", c.sessions, c.clients), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(9, 10))
			h := New()
			for i := range c.sessions {
				for _, op := range simulate(rng, fmt.Sprint(i), c.clients, c.steps) {
					h.Add(op)
				}
			}
			for b.Loop() {
				if err := h.Check(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(h.Len()), "ops")
		})
	}
}

func TestGivenUpIsNoAcceptance(t *testing.T) {
	claims := claimsOf(simulate(rand.New(rand.NewPCG(19, 20)), "s", 4, 30), nil)
	if err := checkLifetime(claims, len(claims)/2); !errors.Is(err, errUndecided) {
		t.Errorf("a search with too few steps says %v, want %v", err, errUndecided)
	}
}
