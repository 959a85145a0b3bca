package history

import "slices"

// core leaves out and weakens what ops say, as long as they are still wrong: what is
// left contradicts itself. weaken returns what of an operation holds whatever became
// of it, and false if that is nothing.
func core[T any](ops []T, wrong func([]T) bool, weaken func(T) (T, bool)) []T {
	ops = thinned(ops, wrong, func(part []T) (rest []T) {
		return slices.DeleteFunc(part, func(op T) bool { _, any := weaken(op); return !any })
	})
	return thinned(ops, wrong, func(part []T) (rest []T) {
		for _, op := range part {
			if weaker, any := weaken(op); any {
				rest = append(rest, weaker)
			}
		}
		return rest
	})
}

// thinned replaces parts of ops, first large and then small ones, by what thin leaves of
// them, as long as ops are still wrong.
func thinned[T any](ops []T, wrong func([]T) bool, thin func([]T) []T) []T {
	tries := 0
	for size := (len(ops) + 1) / 2; size > 0; size /= 2 {
		for from := 0; from < len(ops) && tries < mostTries; tries++ {
			to := min(from+size, len(ops))
			rest := thin(slices.Clone(ops[from:to]))
			if thinner := slices.Concat(ops[:from], rest, ops[to:]); wrong(thinner) {
				ops, to = thinner, from+len(rest)
			}
			from = to
		}
	}
	return ops
}
