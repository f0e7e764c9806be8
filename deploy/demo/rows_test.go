package demo

import (
	"slices"
	"strings"
	"testing"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/adapters/mapping"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
)

func manifestOf(t *testing.T, c *City, r *register) (*adapters.Manifest, *mapping.Mapping) {
	t.Helper()
	text, err := c.manifest(r, &Tally{Rows: 1000})
	if err != nil {
		t.Fatal(err)
	}
	m, err := adapters.ParseManifest(string(r.evidence)+".yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := mapping.Compile(m.Mapping, m.Absent)
	if err != nil {
		t.Fatal(err)
	}
	return m, rules
}

func TestManifestsDescribeTheFiles(t *testing.T) {
	c := New(Config{})
	for i := range c.registers {
		r := &c.registers[i]
		d, m := manifestOf(t, c, r)
		if d.Adapter != r.adapter || d.Evidence != r.evidence {
			t.Errorf("%s: manifest speaks of %s, %s", r.adapter, d.Adapter, d.Evidence)
		}
		if d.Source.Complete == r.partial || d.Dialect.Delimiter != string(r.dialect.delimiter) ||
			(d.Dialect.Encoding == "gb18030") != r.dialect.gb18030 {
			t.Errorf("%s: manifest and register differ in dialect or completeness", r.adapter)
		}
		names := columnNames(r)
		if !slices.Equal(d.Dialect.Columns, names) {
			t.Errorf("%s: columns %q, want %q", r.adapter, d.Dialect.Columns, names)
		}
		for _, used := range m.Columns() {
			if !slices.Contains(names, used) {
				t.Errorf("%s: the mapping uses %s, which the file lacks", r.adapter, used)
			}
		}
	}
}

// TestEveryRow maps and validates each row: sound rows must pass and say what the oracle says, spoilt ones must not
// pass and must name whom the oracle says they name.
func TestEveryRow(t *testing.T) {
	set, err := schemas.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c := New(Config{Seed: 7, People: 3000, Spoilt: 150})
	for i := range c.registers {
		r := &c.registers[i]
		_, m := manifestOf(t, c, r)
		schema, ok := set.ByType(r.evidence)
		if !ok {
			t.Fatalf("no schema of %s", r.evidence)
		}
		naturals, flaws, complaints := map[string]bool{}, map[Flaw]int{}, 0
		names := columnNames(r)
		for number := range c.units(r) {
			for _, p := range c.unit(r, number) {
				flaws[p.Spoilt]++
				if naturals[p.Natural] {
					t.Errorf("%s: %q twice", r.evidence, p.Natural)
				}
				naturals[p.Natural] = true
				if complaint := checkRow(schema, m, names, &p); complaint != "" && complaints < 5 {
					complaints++
					t.Errorf("%s: %s: %q", r.evidence, complaint, p.cells)
				}
			}
		}
		if flaws[""] == 0 || len(naturals) > 200 && len(flaws) < 6 {
			t.Errorf("%s: rows by flaw %v, want sound ones and most flaws", r.evidence, flaws)
		}
	}
}

func checkRow(schema *schemas.Schema, m *mapping.Mapping, names []string, p *paper) string {
	doc, faults := m.Apply(names, p.cells)
	sound := len(faults) == 0 && schema.Validate(doc) == nil && len(p.cells) == len(names) &&
		!strings.ContainsRune(strings.Join(p.cells, ""), half)
	facts, err := schema.Facts(doc)
	if who := schema.Identify(doc); !sameHolders(who.Holders, p.Named) || who.Whole != (len(p.Named) == len(p.Holders)) {
		return "names other holders than the oracle says (" + string(p.Spoilt) + ")"
	}
	if p.Spoilt != "" {
		if sound {
			return "passes though spoilt by " + string(p.Spoilt)
		}
		return ""
	}
	if !sound || err != nil {
		why := "does not pass"
		for _, f := range faults {
			why += "; " + f.What.EN
		}
		if err := schema.Validate(doc); err != nil {
			why += "; " + err.Error()
		}
		return why
	}
	if facts.Status != p.Status || facts.From != p.From || facts.Until != p.Until {
		return "status or validity differ from the oracle's"
	}
	return ""
}

func sameHolders(a, b []exchange.Holder) bool {
	number := func(holders []exchange.Holder) []string {
		var all []string
		for _, h := range holders {
			all = append(all, string(h.Kind)+h.Number)
		}
		slices.Sort(all)
		return all
	}
	return slices.Equal(number(a), number(b))
}

func columnNames(r *register) []string {
	var names []string
	for _, column := range r.columns {
		names = append(names, column.name)
	}
	return names
}
