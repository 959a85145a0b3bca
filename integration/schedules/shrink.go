package schedules

import "slices"

// shrink takes out steps for as long as what is left still fails, with no more than
// so many plays (delta debugging: large parts first, then smaller ones).
func shrink(s *Schedule, plays int, fails func(*Schedule) bool) *Schedule {
	best := *s
	for size := max(len(best.Steps)/2, 1); ; size = max(size/2, 1) {
		less := false
		for at := 0; at < len(best.Steps) && plays > 0; {
			tried := best
			tried.Steps = slices.Delete(slices.Clone(best.Steps), at, min(at+size, len(best.Steps)))
			plays--
			if fails(&tried) {
				best, less = tried, true
			} else {
				at += size
			}
		}
		if plays <= 0 || size == 1 && !less {
			return &best
		}
	}
}
