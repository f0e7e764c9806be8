package broker

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// Stated is what the applicant stated, by evidence type and field of its document, to be compared with the records (校核比对).
// Its values are JSON.
type Stated map[exchange.EvidenceType]map[string]json.RawMessage

// against compares what was stated with the granted fields of a document. What the grant does not allow is not compared: else
// guessing would find it out.
func (s Stated) against(t exchange.EvidenceType, fields json.RawMessage, granted []string) []exchange.Difference {
	if len(s[t]) == 0 {
		return nil
	}
	var found []exchange.Difference
	document := members(fields)
	for _, field := range slices.Sorted(maps.Keys(s[t])) {
		held, there := document[field]
		d := exchange.Difference{Field: field, Held: held}
		switch {
		case !slices.Contains(granted, field):
			d.Kind = exchange.Unchecked
		case same(s[t][field], held):
			continue
		case !there:
			d.Kind = exchange.Absent
		case isName(field):
			d.Kind = exchange.NameOnly
		default:
			d.Kind = exchange.Differs
		}
		found = append(found, d)
	}
	return found
}

// isName says whether a field is the name of a person or an organisation. Rare characters make many spellings of one name, so
// names that differ are shown and never count.
func isName(field string) bool {
	return field == "name" || strings.HasSuffix(field, "Name") || field == "legalRepresentative"
}

// differ says whether any of the differences is one of substance.
func differ(all []exchange.Difference) bool {
	return slices.ContainsFunc(all, func(d exchange.Difference) bool {
		return d.Kind == exchange.Differs || d.Kind == exchange.Absent
	})
}

// members are the members of a JSON object; none of what is no object.
func members(object json.RawMessage) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	if len(object) == 0 || json.Unmarshal(object, &all) != nil {
		return nil
	}
	return all
}
