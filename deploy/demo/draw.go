package demo

import (
	"math/rand/v2"
	"strings"
)

// draw is the stream of chance for one thing of the city, such as the names of person 17. It depends on the seed, the
// subject and the index only, so that every person and company can be told without telling the others before.
func (c *City) draw(subject string, index int) *rand.Rand {
	hash := uint64(14695981039346656037) // FNV-1a
	for i := range len(subject) {
		hash = (hash ^ uint64(subject[i])) * 1099511628211
	}
	return rand.New(rand.NewPCG(mix(c.seed^hash), mix(uint64(index))))
}

// mix spreads neighbouring values over all 64 bits (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// chance is true once in about 1/p draws.
func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

// between is a whole number from low to high, both included.
func between(r *rand.Rand, low, high int) int { return low + r.IntN(high-low+1) }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// digits is n digits of chance.
func digits(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0' + byte(r.IntN(10))
	}
	return string(b)
}

// weighted picks words in proportion to their weights.
type weighted struct {
	words []string
	upTo  []int // the sum of the weights up to and with each word
}

func (w *weighted) add(word string, weight int) {
	sum := weight
	if n := len(w.upTo); n > 0 {
		sum += w.upTo[n-1]
	}
	w.words, w.upTo = append(w.words, word), append(w.upTo, sum)
}

func (w *weighted) pick(r *rand.Rand) string {
	at := r.IntN(w.upTo[len(w.upTo)-1])
	for i, sum := range w.upTo {
		if at < sum {
			return w.words[i]
		}
	}
	return w.words[len(w.words)-1]
}

// lists reads lines of a key and its words: "male 伟 强 军". A key may have several lines.
func lists(text string) map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 1 {
			all[fields[0]] = append(all[fields[0]], fields[1:]...)
		}
	}
	return all
}
