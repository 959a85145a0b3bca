package history

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// ids are the acknowledged logins and renewals in the order of their answers. The
// first of them gave the id 1; 0 is that of the beginning.
type ids []Op

func idsGiven(ops []Op) (given ids) {
	for _, op := range ops {
		if op.done() && (op.Kind == Login || op.Kind == Renew) {
			given = append(given, op)
		}
	}
	slices.SortStableFunc(given, func(a, b Op) int { return cmp.Compare(a.Span.End, b.Span.End) })
	return given
}

// nobodys is the name of all ids that no client was told.
const nobodys = "<?>"

func name(id int) string { return "<" + strconv.Itoa(id) + ">" }

// by returns the id that op gave.
func (given ids) by(op Op) string {
	if i := slices.Index(given, op); i >= 0 {
		return name(i + 1)
	}
	return nobodys
}

// at returns the ids with which op may have been sent: the last one that its client
// had been told, or those before. What was told at the moment when op was sent may
// have been known or not.
func (given ids) at(op Op) []string {
	told := func(before time.Duration) int {
		n, _ := slices.BinarySearchFunc(given, before, func(g Op, t time.Duration) int { return cmp.Compare(g.Span.End, t) })
		return n
	}
	first, last := told(op.Span.Start), told(op.Span.Start+1)
	if op.Former {
		first, last = 0, max(0, last-1)
	}
	var names []string
	for id := first; id <= last; id++ {
		names = append(names, name(id))
	}
	return names
}
