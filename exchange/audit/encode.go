package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// encode writes the entry as encoding/json does. The inputs, its last member and greater part, are written here: by reflection
// they cost twice what all the rest does, and every query pays it.
func (e *Entry) encode() ([]byte, error) {
	rest := *e
	rest.Inputs = nil
	out, err := json.Marshal(&rest)
	if err != nil {
		return nil, fmt.Errorf("encode audit entry: %w", err)
	}
	if len(e.Inputs) == 0 {
		return out, nil
	}
	out = append(slices.Grow(out[:len(out)-1], 96*len(e.Inputs)), `,"inputs":`...)
	return append(appendInputs(out, e.Inputs), '}'), nil
}

func appendInputs(out []byte, inputs map[string]map[int]int64) []byte {
	var topics [16]string
	var partitions [16]int
	out = append(out, '{')
	for i, topic := range sorted(topics[:0], inputs) {
		out = strconv.AppendQuote(comma(out, i), topic) // topics are plain ASCII
		out = append(out, ':', '{')
		for j, p := range sorted(partitions[:0], inputs[topic]) {
			out = append(comma(out, j), '"')
			out = append(strconv.AppendInt(out, int64(p), 10), '"', ':')
			out = strconv.AppendInt(out, inputs[topic][p], 10)
		}
		out = append(out, '}')
	}
	return append(out, '}')
}

func sorted[K interface{ ~int | ~string }, V any](into []K, m map[K]V) []K {
	into = slices.AppendSeq(into, maps.Keys(m))
	slices.Sort(into)
	return into
}

func comma(out []byte, i int) []byte {
	if i == 0 {
		return out
	}
	return append(out, ',')
}
