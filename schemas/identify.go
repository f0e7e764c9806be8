package schemas

import (
	"slices"

	"github.com/onedoor/yimen/exchange"
)

// Identity is whose document it is and which certificate it describes, as far as a document that need not be sound tells.
type Identity struct {
	Natural string            // the certificate's own number as in Facts; "" where a part of it is missing
	Holders []exchange.Holder // those whose number is sound
	Whole   bool              // every holder the document speaks of is among Holders
}

// Identify reads the identity of a document that need not fit the schema. It is how the exchange knows whom a faulty row
// concerns.
func (s *Schema) Identify(doc any) Identity {
	var id Identity
	id.Natural, _ = s.keys.natural(doc) // why it is missing is for Validate to say
	id.Whole = true
	for _, h := range s.keys.holders {
		places, read := owners(doc, h.path), 0
		each(doc, h.path, func(number string) {
			holder, err := parseHolder(number, h.kind)
			if err != nil {
				return
			}
			read++
			if !slices.Contains(id.Holders, holder) {
				id.Holders = append(id.Holders, holder)
			}
		})
		if read == 0 || read < places {
			id.Whole = false
		}
	}
	return id
}

// owners counts the places where a path expects a number, filled or not; at least one.
func owners(doc any, p path) int {
	if len(p) == 0 {
		return 1
	}
	if p[0] != "*" {
		m, _ := doc.(map[string]any)
		return owners(m[p[0]], p[1:])
	}
	list, _ := doc.([]any)
	n := 0
	for _, v := range list {
		n += owners(v, p[1:])
	}
	return max(n, 1)
}
