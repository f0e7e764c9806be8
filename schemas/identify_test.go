package schemas

import "testing"

func TestIdentifyReadsWhatAFaultyDocumentTells(t *testing.T) {
	set, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	const alive, other, wrong = "430281199001010017", "430281199001010025", "430281199001010018"
	owner := func(number any) any { return map[string]any{"name": "某", "number": number} }
	cases := map[string]struct {
		schema  string
		doc     map[string]any
		natural bool
		holders int
		whole   bool
	}{
		"everything there":          {"health-certificate", map[string]any{"certificateNumber": "A1234", "citizenNumber": alive}, true, 1, true},
		"no certificate number":     {"health-certificate", map[string]any{"citizenNumber": alive}, false, 1, true},
		"no holder":                 {"health-certificate", map[string]any{"certificateNumber": "A1234"}, true, 0, false},
		"wrong check digit":         {"health-certificate", map[string]any{"certificateNumber": "A1234", "citizenNumber": wrong}, true, 0, false},
		"holder of another type":    {"health-certificate", map[string]any{"citizenNumber": []any{alive}}, false, 0, false},
		"both owners":               {"property-title", map[string]any{"owners": []any{owner(alive), owner(other)}}, false, 2, true},
		"one owner legible":         {"property-title", map[string]any{"owners": []any{owner(alive), owner(wrong)}}, false, 1, false},
		"one owner without number":  {"property-title", map[string]any{"owners": []any{owner(alive), map[string]any{"name": "某"}}}, false, 1, false},
		"one owner lost altogether": {"property-title", map[string]any{"owners": []any{owner(alive), nil}}, false, 1, false},
		"owners are not a list":     {"property-title", map[string]any{"owners": alive}, false, 0, false},
		"empty list":                {"property-title", map[string]any{"owners": []any{}}, false, 0, false},
		"nothing":                   {"property-title", nil, false, 0, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var schema *Schema
			for _, s := range set.All() {
				if string(s.Type) == c.schema {
					schema = s
				}
			}
			got := schema.Identify(c.doc)
			if (got.Natural != "") != c.natural || len(got.Holders) != c.holders || got.Whole != c.whole {
				t.Errorf("natural number %t, %d holders, whole %t", got.Natural != "", len(got.Holders), got.Whole)
			}
		})
	}
}
