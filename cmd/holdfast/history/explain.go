package history

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// coreLimit bounds each of the many searches for what contradicts itself.
const coreLimit = 10_000

// mostTries bounds how many these are: a verdict may show more than it must.
const mostTries = 100

// mostShown is how many operations a verdict shows.
const mostShown = 12

// answered is an operation with the answer that it stands for, if any.
type answered interface {
	answer() (Op, bool)
}

// explain is the verdict of check on ops, with those that contradict each other.
func explain[T answered](ops []T, check func([]T, int) error, weaken func(T) (T, bool)) error {
	err := check(ops, searchLimit)
	if err == nil || errors.Is(err, errUndecided) {
		return err
	}
	left := core(ops, func(ops []T) bool {
		still := check(ops, coreLimit)
		return still != nil && still.Error() == err.Error()
	}, weaken)
	if shown := show(left); shown != "" {
		return fmt.Errorf("%w: %s", err, shown)
	}
	return err
}

// show lists answers in the order in which they were asked for.
func show[T answered](ops []T) string {
	var answers []Op
	for _, op := range ops {
		if a, ok := op.answer(); ok {
			answers = append(answers, a)
		}
	}
	slices.SortFunc(answers, func(a, b Op) int { return cmp.Compare(a.Span.Start, b.Span.Start) })
	var lines []string
	for _, a := range answers[:min(len(answers), mostShown)] {
		lines = append(lines, a.String())
	}
	if more := len(answers) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "; ")
}
