// Package spelling proposes the name that somebody probably meant.
package spelling

// Nearest returns the name of known with the fewest single-character edits to
// name, if at most a third of name has to change.
func Nearest(name string, known []string) (string, bool) {
	best, fewest := "", max(2, len(name)/3)+1
	for _, candidate := range known {
		if n := edits(name, candidate); n < fewest {
			best, fewest = candidate, n
		}
	}
	return best, best != ""
}

// edits is the Levenshtein distance of a and b in bytes.
func edits(a, b string) int {
	// row[j] is the distance of the part of a read so far and b[:j].
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
