package main

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A result is what a drill has found.
type result struct {
	drill  drill
	passed int // tests as deep as the pattern goes, if they were to be named
	failed bool
	late   bool   // it was ended before it had an answer
	line   string // the first that says what is wrong
	said   string
	took   time.Duration
}

// killed reports whether the drill has noticed. One that took too long has not: so does
// a slow machine.
func (r *result) killed() bool { return r.failed && !r.late }

func (r result) String() string {
	verdict := "passes"
	switch {
	case r.late:
		verdict = "takes too long, and so says nothing"
	case r.failed:
		verdict = "fails: " + r.line
	}
	return fmt.Sprintf("%v %s (%.1f s)", r.drill, verdict, r.took.Seconds())
}

// readResult reads what the tests have said, and how they ended.
func readResult(d drill, said string, err error) result {
	r := result{drill: d, failed: err != nil, said: said}
	for line := range strings.Lines(said) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- PASS: "); ok && depth(name) >= depth(d.pattern) {
			r.passed++
		}
		r.late = r.late || strings.HasPrefix(line, "panic: test timed out")
	}
	if r.failed {
		r.line = cmp.Or(complaint(said), err.Error())
	}
	return r
}

// end is the last part of what the tests have said.
func (r *result) end() string { return r.said[max(0, len(r.said)-8<<10):] }

// depth is how many subtests deep a name or a pattern is.
func depth(name string) int { return strings.Count(name, "/") }

// complaint is the first thing that a test which failed has logged, or a panic.
func complaint(said string) string {
	_, failed, _ := strings.Cut(said, "--- FAIL: ")
	logged := regexp.MustCompile(`(?m)^ +\w+\.go:\d+: .+$`).FindString(failed)
	return strings.TrimSpace(cmp.Or(logged, regexp.MustCompile(`(?m)^(panic|fatal error): .+$`).FindString(said)))
}
