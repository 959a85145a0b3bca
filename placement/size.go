package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-sessions/holdfast/record"
)

// tooLarge adds to err what a developer needs to know: which attributes it is.
func tooLarge(err error, r *record.Record) error {
	const shown = 3
	as := slices.Clone(r.Attributes())
	slices.SortFunc(as, func(a, b record.Attribute) int { return cmp.Compare(len(b.Value), len(a.Value)) })
	var largest []string
	for _, a := range as[:min(len(as), shown)] {
		largest = append(largest, fmt.Sprintf("%q %d bytes", a.Name, len(a.Value)))
	}
	return fmt.Errorf("%w; the largest of %d attributes: %s", err, len(as), strings.Join(largest, ", "))
}
