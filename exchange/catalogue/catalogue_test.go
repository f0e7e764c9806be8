package catalogue

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/onedoor/yimen/exchange"
)

func files(contents map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, content := range contents {
		m[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return m
}

// few are the city's departments, its evidence types and one of its items: enough for most tests, and read in no time.
func few(t *testing.T) fs.FS {
	t.Helper()
	m := fstest.MapFS{}
	for _, name := range []string{"departments.yaml", "evidence.yaml", "items/food-licence-individual.yaml"} {
		content, err := fs.ReadFile(Builtin(), name)
		if err != nil {
			t.Fatal(err)
		}
		m[name] = &fstest.MapFile{Data: content}
	}
	return m
}

const grantYAML = `
- department: scjg
  evidence: health-certificate
  item: food-licence-individual
  fields: [number, name]
  basis: {zh: 《政务数据共享条例》, en: Decree 809}
  from: 2026-01-01
  until: 2026-06-30
- department: scjg
  evidence: health-certificate
  item: food-licence-individual
  basis: {zh: 《政务数据共享条例》, en: Decree 809}
  from: 2026-07-01
  until: 2026-12-31
`

func TestBuiltinIsACityThatWorks(t *testing.T) {
	c, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(c.Services()); n < 40 {
		t.Errorf("%d items, want at least 40", n)
	}
	if n := len(c.Grants()); n != 0 {
		t.Errorf("%d grants built in: they are each city's own decision", n)
	}
	used, codes := map[exchange.EvidenceType]bool{}, map[string]bool{}
	for _, s := range c.Services() {
		if s.Name.EN == "" || s.Code == "" {
			t.Errorf("%s: name or code is missing", s.Code)
		}
		if s.National == nil || s.Limits.Promised == nil || codes[s.National.Implementation] {
			t.Errorf("%s: national codes or the promised limit are missing, or stand twice", s.Code)
		} else {
			codes[s.National.Implementation] = true
		}
		for _, m := range s.Materials {
			if file, line := c.Place(s.Code, m.Code); file != "items/"+string(s.Code)+".yaml" || line < 5 {
				t.Errorf("%s/%s was read at %s:%d", s.Code, m.Code, file, line)
			}
			if m.Name.EN == "" || m.Basis.ZH == "" || m.Basis.EN == "" {
				t.Errorf("%s/%s: name or basis is missing", s.Code, m.Code)
			}
		}
		for _, e := range s.Types() {
			used[e] = true
		}
	}
	keepers := map[exchange.EvidenceType]exchange.Department{
		"business-licence": "scjg", "food-licence": "scjg", "property-title": "zrzy", "property-registration": "zrzy",
		"marriage-certificate": "mzj", "household-registration": "gaj", "residence-permit": "gaj", "social-insurance": "rsj",
		"health-certificate": "wjw", "tax-clearance": "swj", "construction-safety-licence": "zjj", "driving-licence": "gaj",
	}
	for _, e := range c.EvidenceTypes() {
		if keepers[e.Type] != e.Keeper {
			t.Errorf("%s is kept by %s, want %q", e.Type, e.Keeper, keepers[e.Type])
		}
		if !used[e.Type] {
			t.Errorf("no item needs %s", e.Type)
		}
	}
	if len(c.EvidenceTypes()) != len(keepers) {
		t.Errorf("%d evidence types, want %d", len(c.EvidenceTypes()), len(keepers))
	}
}

func TestPermit(t *testing.T) {
	c, err := Load(few(t), files(map[string]string{"grants.yaml": grantYAML}))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		department exchange.Department
		item       exchange.Item
		evidence   exchange.EvidenceType
		day        exchange.Date
		fields     string
		want       bool
	}{
		{"scjg", "food-licence-individual", "health-certificate", "2026-01-01", "name number", true},
		{"scjg", "food-licence-individual", "health-certificate", "2026-06-30", "name number", true},
		{"scjg", "food-licence-individual", "health-certificate", "2026-07-01", "", true},
		{"scjg", "food-licence-individual", "health-certificate", "2026-12-31", "", true},
		{"scjg", "food-licence-individual", "health-certificate", "2025-12-31", "", false},
		{"scjg", "food-licence-individual", "health-certificate", "2027-01-01", "", false},
		{"wjw", "food-licence-individual", "health-certificate", "2026-05-01", "", false},
		{"scjg", "food-licence-new", "health-certificate", "2026-05-01", "", false},
		{"scjg", "food-licence-individual", "business-licence", "2026-05-01", "", false},
		{"", "", "", "2026-05-01", "", false},
	} {
		g, ok := c.Permit(tc.department, tc.item, tc.evidence, tc.day)
		if ok != tc.want || strings.Join(g.Fields, " ") != tc.fields {
			t.Errorf("Permit(%s, %s, %s, %s) = %v, %v", tc.department, tc.item, tc.evidence, tc.day, g.Fields, ok)
		}
	}
}

func TestMayAsk(t *testing.T) {
	grant := strings.ReplaceAll(grantYAML, "department: scjg", "department: xzsp")
	c, err := Load(few(t), files(map[string]string{"grants.yaml": grant}))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		department exchange.Department
		item       exchange.Item
		day        exchange.Date
		want       bool
	}{
		{"scjg", "food-licence-individual", "2026-05-01", true}, // decides on it
		{"xzsp", "food-licence-individual", "2026-05-01", true}, // has a grant
		{"xzsp", "food-licence-individual", "2027-05-01", false},
		{"xzsp", "food-licence-new", "2026-05-01", false},
		{"wjw", "food-licence-individual", "2026-05-01", false}, // only keeps what it needs
		{"scjg", "no-such-item", "2026-05-01", false},
		{"", "no-such-item", "2026-05-01", false},
	} {
		if got := c.MayAsk(tc.department, tc.item, tc.day); got != tc.want {
			t.Errorf("MayAsk(%s, %s, %s) = %v", tc.department, tc.item, tc.day, got)
		}
	}
}

func TestSiteReplacesBuiltin(t *testing.T) {
	c, err := Load(few(t), files(map[string]string{
		"departments.yaml": "yjj: {zh: 应急管理局}\nscjg: {zh: 醴陵市市场监督管理局, en: Liling AMR}\n",
		"items/own.yaml": `
item: food-licence-new
name: {zh: 食品经营许可, en: Food}
department: xzsp
applicant: org
materials:
  - material: business-licence
    name: {zh: 营业执照}
    basis: {zh: 法}
    necessity: required
    alternatives: [[business-licence, food-licence]]
`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	s, ok := c.Service("food-licence-new")
	if !ok || s.Department != "xzsp" || len(s.Materials) != 1 || s.Accepts(exchange.Person) || !s.Accepts(exchange.Organisation) {
		t.Errorf("item was not replaced: %+v", s)
	}
	if !slices.Equal(s.Types(), []exchange.EvidenceType{"business-licence", "food-licence"}) {
		t.Errorf("types %v", s.Types())
	}
	if d, ok := c.Department("scjg"); !ok || d.Name.EN != "Liling AMR" {
		t.Errorf("department was not replaced: %+v", d)
	}
	if _, ok := c.Department("yjj"); !ok {
		t.Error("department was not added")
	}
}

func TestVersionFollowsContent(t *testing.T) {
	load := func(fsys ...fs.FS) string {
		t.Helper()
		c, err := Load(fsys...)
		if err != nil {
			t.Fatal(err)
		}
		return c.Version()
	}
	grants := func(content string) fs.FS { return files(map[string]string{"grants.yaml": content}) }
	base := load(few(t), grants(grantYAML))
	if len(base) != 64 {
		t.Errorf("version %q", base)
	}
	if load(few(t), grants("# a comment\n"+grantYAML)) != base {
		t.Error("a comment changes the version")
	}
	for _, changed := range []string{
		"[]", "", strings.Replace(grantYAML, "2026-12-31", "2026-12-30", 1), strings.Replace(grantYAML, "number, name", "number", 1),
	} {
		if load(few(t), grants(changed)) == base {
			t.Errorf("the version does not change with %q", changed)
		}
	}
}

func TestNearest(t *testing.T) {
	c, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]exchange.Item{
		"food-licence-neww": "food-licence-new", "food-license-new": "food-licence-new", "property-transfr": "property-transfer",
		"zzzzzzzz": "", "": "", strings.Repeat("x", 5000): "",
	} {
		if got := c.Nearest(word); got != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", word, got, want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	item, err := fs.ReadFile(Builtin(), "items/food-licence-new.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(grantYAML), item)
	f.Add([]byte("[]"), []byte("item: &a x\nname: *a"))
	f.Add([]byte("- {department: [}"), []byte("? [a]\n: b\n---\nx: 1\n"))
	f.Add([]byte("\xff\xfe"), []byte("<<: {a: 1}\n!!str b: |\n  text\n"))
	f.Fuzz(func(t *testing.T, grants, item []byte) {
		site := fstest.MapFS{"grants.yaml": {Data: grants}, "items/x.yaml": {Data: item}}
		c, err := Load(Builtin(), site)
		if (c == nil) == (err == nil) {
			t.Fatalf("catalogue %v with error %v", c, err)
		}
		if err != nil && exchange.KindOf(err) != exchange.Invalid {
			t.Fatalf("kind %s: %v", exchange.KindOf(err), err)
		}
	})
}

func TestNamed(t *testing.T) {
	c, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]exchange.EvidenceType{"11100000MB03271699001": "property-title", "property-title": "property-title", "": "", "11100000MB03271699002": ""} {
		if e, known := c.Named(code); e.Type != want || known != (want != "") {
			t.Errorf("%q names %q", code, e.Type)
		}
	}
}

// An item narrowed to one type keeps the conditions under which it asks for it, and nothing else.
func TestOnly(t *testing.T) {
	c, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Services() {
		for _, only := range s.Types() {
			narrowed, asks := s.Only(only)
			if types := narrowed.Types(); asks && (len(types) != 1 || types[0] != only) || !asks && len(types) > 0 {
				t.Errorf("%s for %s alone asks for %v", s.Code, only, types)
			}
		}
		if _, asks := s.Only("no-such-type"); asks {
			t.Errorf("%s asks for what there is not", s.Code)
		}
	}
}
