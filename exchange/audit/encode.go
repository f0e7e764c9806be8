package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
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
	var topics [32]member[string, map[int]int64]
	var partitions [16]member[int, int64]
	out = append(out, '{')
	for i, topic := range sorted(topics[:0], inputs) {
		out = append(append(comma(out, i), '"'), topic.name...) // topics are letters, digits, dots and dashes
		out = append(out, '"', ':', '{')
		for j, p := range sorted(partitions[:0], topic.value) {
			out = append(comma(out, j), '"')
			out = append(strconv.AppendInt(out, int64(p.name), 10), '"', ':')
			out = strconv.AppendInt(out, p.value, 10)
		}
		out = append(out, '}')
	}
	return append(out, '}')
}

// member is one of a map's.
type member[K cmp.Ordered, V any] struct {
	name  K
	value V
}

// sorted are a map's members by name, each looked up once.
func sorted[K cmp.Ordered, V any](into []member[K, V], m map[K]V) []member[K, V] {
	for name, value := range m {
		into = append(into, member[K, V]{name, value})
	}
	slices.SortFunc(into, func(a, b member[K, V]) int { return cmp.Compare(a.name, b.name) })
	return into
}

func comma(out []byte, i int) []byte {
	if i == 0 {
		return out
	}
	return append(out, ',')
}
