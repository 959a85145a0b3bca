package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A patch that does not apply any more shows with the other tests already, not only
// when somebody runs the mutants.
func TestEveryPatchApplies(t *testing.T) {
	root, err := productRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mutants, err := readMutants(filepath.Join(root, "integration", "mutants"), regexp.MustCompile(""))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		if _, err := overlay(t.Context(), root, filepath.Join(t.TempDir(), m.name), m); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

func TestPatchesThatSayTooLittleAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no promise":           "--- a/sum.go\n+++ b/sum.go\n",
		"no drills":            "It adds.\n\n--- a/sum.go\n+++ b/sum.go\n",
		"no file":              "It adds.\n\nDrills: . TestSum\n",
		"drill without a test": "It adds.\n\nDrills: .\n\n--- a/sum.go\n+++ b/sum.go\n",
		"drills in the hunks":  "It adds.\n\n--- a/sum.go\n+++ b/sum.go\nDrills: . TestSum\n",
	} {
		if m, err := parseMutant(text); err == nil {
			t.Errorf("%s: got %+v, want an error", name, m)
		}
	}
}

// sums is a module with a product of one function.
func sums(t *testing.T, drills, hunk string) (root string, m mutant) {
	root = t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module sums\n\ngo 1.26\n",
		"sum.go": "package sums\n\nfunc sum(a, b int) int {\n\treturn a + b\n}\n",
		"sum_test.go": `package sums

import "testing"

func TestSum(t *testing.T) {
	t.Run("of zeros", func(t *testing.T) {
		if got := sum(0, 0); got != 0 {
			t.Errorf("got %d, want 0", got)
		}
	})
	t.Run("of ones", func(t *testing.T) {
		if got := sum(1, 1); got != 2 {
			t.Errorf("got %d, want 2", got)
		}
	})
}

func TestBroken(t *testing.T) { t.Error("it never works") }

func TestSkipped(t *testing.T) { t.Skip("not today") }
`,
		"defect.patch": "It adds.\n\nDrills: " + drills + "\n\n--- a/sum.go\n+++ b/sum.go\n" + hunk,
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mutants, err := readMutants(root, regexp.MustCompile(""))
	if err != nil {
		t.Fatal(err)
	}
	return root, mutants[0]
}

const (
	subtracts = "@@ -3,3 +3,3 @@\n func sum(a, b int) int {\n-\treturn a + b\n+\treturn a - b\n }\n"
	swaps     = "@@ -3,3 +3,3 @@\n func sum(a, b int) int {\n-\treturn a + b\n+\treturn b + a\n }\n"
	hangs     = "@@ -3,3 +3,3 @@\n func sum(a, b int) int {\n-\treturn a + b\n+\tselect {}\n }\n"
	nonsense  = "@@ -3,3 +3,3 @@\n func sum(a, b int) int {\n-\treturn a + b\n+\treturn nonsense\n }\n"
	outdated  = "@@ -3,3 +3,3 @@\n func sum(a, b int) int {\n-\treturn a * b\n+\treturn a - b\n }\n"
)

func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct{ drills, hunk, want string }{
		"killed":                  {". TestSum", subtracts, "| defect | . TestSum |"},
		"killed by one of two":    {". TestSum/zeros; . TestSum/ones", subtracts, "| defect | . TestSum/ones |"},
		"the same in other words": {". TestSum", swaps, "SURVIVES"},
		"hangs":                   {". TestSum", hangs, "SURVIVES"},
		"does not build":          {". TestSum", nonsense, "does not build"},
		"does not apply":          {". TestSum", outdated, errNotApplied.Error()},
		"drill fails anyhow":      {". TestBroken", subtracts, "fails without any mutant"},
		"drill is not there":      {". TestSums", subtracts, "runs no test"},
		"part is not there":       {". TestSum/of_twos", subtracts, "runs no test"},
		"drill is skipped":        {". TestSkipped", subtracts, "runs no test"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath("git"); err != nil {
				t.Skip("there is no git to apply patches with")
			}
			root, m := sums(t, c.drills, c.hunk)
			var out bytes.Buffer
			err := judge(t.Context(), root, []mutant{m}, plan{timeout: 2 * time.Second}, &out)
			if killed := strings.HasPrefix(c.want, "|"); killed != (err == nil) {
				t.Errorf("got error %v", err)
			}
			if said := out.String() + errors.Join(err, errors.New("")).Error(); !strings.Contains(said, c.want) {
				t.Errorf("%q is missing in\n%s", c.want, said)
			}
		})
	}
}

func TestFirstComplaint(t *testing.T) {
	for said, want := range map[string]string{
		"--- FAIL: TestA (0.0s)\n    --- FAIL: TestA/b (0.0s)\n        a_test.go:7: got 1\n        a_test.go:9: got 2\n": "a_test.go:7: got 1",
		"panic: nothing there\n\ngoroutine 7:\n": "panic: nothing there",
		"exit":                                   "",
	} {
		if got := complaint(said); got != want {
			t.Errorf("of %q: got %q, want %q", said, got, want)
		}
	}
}
