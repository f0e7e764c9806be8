package exchange

// Nearest is the known word with the fewest edits to the given one, for "did you mean"; "" where even that is far off.
func Nearest(word string, known []string) string {
	best, bound := "", max(2, len(word)/3)+1
	if len(word) > 128 {
		return "" // nobody mistypes that much
	}
	for _, k := range known {
		if d := edits(word, k); d < bound {
			best, bound = k, d
		}
	}
	return best
}

// edits is how many bytes must change, come or go to make b of a (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
