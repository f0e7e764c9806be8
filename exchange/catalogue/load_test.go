package catalogue

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/onedoor/yimen/exchange"
)

const itemYAML = `item: own-item
name: {zh: 事项, en: Item}
department: scjg
applicant: any
materials:
  - material: licence
    name: {zh: 营业执照, en: Licence}
    basis: {zh: 法, en: Law}
    necessity: required
    alternatives: [[business-licence]]
`

// Each row damages one sound file in one way and names the code, the place and the mending it expects.
func TestLoadRefuses(t *testing.T) {
	change := func(content string, oldnew ...string) string {
		changed := strings.NewReplacer(oldnew...).Replace(content)
		if changed == content {
			t.Fatalf("row changes nothing: %v", oldnew)
		}
		return changed
	}
	item := func(oldnew ...string) map[string]string {
		return map[string]string{"items/own.yaml": change(itemYAML, oldnew...)}
	}
	grant := func(oldnew ...string) map[string]string {
		return map[string]string{"grants.yaml": change(grantYAML, oldnew...)}
	}
	evidence := func(s string) map[string]string { return map[string]string{"evidence.yaml": s} }
	for name, tc := range map[string]struct {
		files map[string]string
		want  []string // each must stand in the error
	}{
		"indentation":           {item("    name: {zh: 营业", "   name: {zh: 营业"), []string{"YM-CAT-0101", "items/own.yaml:"}},
		"repeated key":          {item("applicant: any", "applicant: any\napplicant: org"), []string{"YM-CAT-0101", "items/own.yaml:5"}},
		"two documents":         {item("item: own-item", "a: b\n---\nitem: own-item"), []string{"YM-CAT-0101", "items/own.yaml:3"}},
		"unknown key":           {item("applicant: any", "applicant: any\ndepartement: x"), []string{"YM-CAT-0102", "items/own.yaml:5", "did you mean department?"}},
		"unknown material key":  {item("necessity:", "neccessity:"), []string{"YM-CAT-0102", "items/own.yaml:9", "did you mean necessity?", "YM-CAT-0103"}},
		"missing key":           {item("department: scjg\n", ""), []string{"YM-CAT-0103", "department is missing"}},
		"no basis":              {item("    basis: {zh: 法, en: Law}\n", ""), []string{"YM-CAT-0103", "basis is missing", "items/own.yaml:6"}},
		"only english":          {item("{zh: 法, en: Law}", "{en: Law}"), []string{"YM-CAT-0103", "zh is missing"}},
		"name is a number":      {item("{zh: 事项, en: Item}", "{zh: 7, en: Item}"), []string{"YM-CAT-0104", "items/own.yaml:2"}},
		"name is empty":         {item("{zh: 事项, en: Item}", "{zh: '', en: Item}"), []string{"YM-CAT-0104", "not empty"}},
		"name is null":          {item("{zh: 事项, en: Item}", ""), []string{"YM-CAT-0104", "items/own.yaml:2"}},
		"alias":                 {item("name: {zh: 事项, en: Item}", "name: &n {zh: 事项, en: Item}"), []string{"YM-CAT-0104", "items/own.yaml:2"}},
		"applicant unknown":     {item("applicant: any", "applicant: company"), []string{"YM-CAT-0104", "person, org, any"}},
		"code in capitals":      {item("item: own-item", "item: Own_Item"), []string{"YM-CAT-0105", "items/own.yaml:1"}},
		"codes by half":         {item("applicant: any", "applicant: any\nnational: {basic: '430281000001'}"), []string{"YM-CAT-0103", "implementation is missing", "items/own.yaml:5"}},
		"basic code short":      {item("applicant: any", "applicant: any\nnational: {basic: '43028100001', implementation: '11430281000000019L4430281000001'}"), []string{"YM-CAT-0209", "items/own.yaml:5", "12 digits"}},
		"implementation short":  {item("applicant: any", "applicant: any\nnational: {basic: '430281000001', implementation: '11430281000000019L430281000001'}"), []string{"YM-CAT-0209", "31 characters"}},
		"credit code wrong":     {item("applicant: any", "applicant: any\nnational: {basic: '430281000001', implementation: '11430281000000019M4430281000001'}"), []string{"YM-CAT-0209", "no credit code"}},
		"level unknown":         {item("applicant: any", "applicant: any\nnational: {basic: '430281000001', implementation: '11430281000000019L7430281000001'}"), []string{"YM-CAT-0209", "level"}},
		"codes apart":           {item("applicant: any", "applicant: any\nnational: {basic: '430281000002', implementation: '11430281000000019L4430281000001'}"), []string{"YM-CAT-0209", "not the basic code"}},
		"limit upside down":     {item("applicant: any", "applicant: any\nlimits: {statutory: 5, promised: 6}"), []string{"YM-CAT-0210", "items/own.yaml:5"}},
		"limit in words":        {item("applicant: any", "applicant: any\nlimits: {promised: five}"), []string{"YM-CAT-0104", "working days"}},
		"limit of years":        {item("applicant: any", "applicant: any\nlimits: {promised: 1000}"), []string{"YM-CAT-0104", "working days"}},
		"fee without basis":     {item("applicant: any", "applicant: any\nfees: [{name: {zh: 费}, yuan: '80'}]"), []string{"YM-CAT-0103", "basis is missing", "items/own.yaml:5"}},
		"fee in words":          {item("applicant: any", "applicant: any\nfees: [{name: {zh: 费}, yuan: eighty, basis: {zh: 文}}]"), []string{"YM-CAT-0104", "yuan"}},
		"department unknown":    {item("department: scjg", "department: scj"), []string{"YM-CAT-0201", "items/own.yaml:3", "did you mean scjg?"}},
		"evidence unknown":      {item("[[business-licence]]", "[[busines-license]]"), []string{"YM-CAT-0201", "items/own.yaml:10", "did you mean business-licence?"}},
		"evidence far off":      {item("[[business-licence]]", "[[qqqq]]"), []string{"YM-CAT-0201", "check the spelling"}},
		"no material":           {map[string]string{"items/own.yaml": itemYAML[:strings.Index(itemYAML, "materials:")] + "materials: []\n"}, []string{"YM-CAT-0202", "items/own.yaml:5"}},
		"materials not a list":  {map[string]string{"items/own.yaml": itemYAML[:strings.Index(itemYAML, "materials:")] + "materials: {a: b}\n"}, []string{"YM-CAT-0104", "a list"}},
		"optional deferrable":   {item("necessity: required", "necessity: optional\n    deferrable: true"), []string{"YM-CAT-0203", "items/own.yaml:10"}},
		"deferrable maybe":      {item("necessity: required", "necessity: required\n    deferrable: perhaps"), []string{"YM-CAT-0104", "true or false"}},
		"made by nobody":        {item("    alternatives: [[business-licence]]\n", ""), []string{"YM-CAT-0204", "items/own.yaml:6"}},
		"made by both":          {item("necessity: required", "necessity: required\n    made_by: applicant"), []string{"YM-CAT-0204"}},
		"made by somebody":      {item("alternatives: [[business-licence]]", "made_by: agent"), []string{"YM-CAT-0104", "items/own.yaml:10"}},
		"no alternative":        {item("[[business-licence]]", "[]"), []string{"YM-CAT-0205", "items/own.yaml:10"}},
		"empty set":             {item("[[business-licence]]", "[[business-licence], []]"), []string{"YM-CAT-0205"}},
		"set without list":      {item("[[business-licence]]", "[business-licence]"), []string{"YM-CAT-0104", "a list"}},
		"condition unreadable":  {item("[[business-licence]]", "[[{evidence: business-licence, when: 'record.'}]]"), []string{"YM-CAT-0206", "items/own.yaml:10", "column"}},
		"condition, no truth":   {item("necessity: required", "necessity: required\n    if: '1 + 1'"), []string{"YM-CAT-0206", "items/own.yaml:10", "not true or false"}},
		"fact undeclared":       {item("necessity: required", "necessity: required\n    if: facts.rentd", "materials:", "facts: [{fact: rented, name: {zh: 租赁}, kind: flag}]\nmaterials:"), []string{"YM-CAT-0208", "rentd", "did you mean rented?"}},
		"choice of nothing":     {item("materials:", "facts: [{fact: use, name: {zh: 用途}, kind: choice}]\nmaterials:"), []string{"YM-CAT-0207", "items/own.yaml:5"}},
		"choices of a flag":     {item("materials:", "facts: [{fact: use, name: {zh: 用途}, kind: flag, choices: [a, b]}]\nmaterials:"), []string{"YM-CAT-0207"}},
		"fact twice":            {item("materials:", "facts: [{fact: use, name: {zh: 用途}, kind: flag}, {fact: use, name: {zh: 用途}, kind: flag}]\nmaterials:"), []string{"YM-CAT-0108", "use"}},
		"fact of no kind":       {item("materials:", "facts: [{fact: use, name: {zh: 用途}, kind: money}]\nmaterials:"), []string{"YM-CAT-0104", "flag, text, number, date, choice"}},
		"evidence of nobody":    {item("[[business-licence]]", "[[{evidence: business-licence, of: friend}]]"), []string{"YM-CAT-0104", "self, spouse, representative, agent"}},
		"need without evidence": {item("[[business-licence]]", "[[{of: spouse}]]"), []string{"YM-CAT-0103", "evidence is missing"}},
		"item twice":            {map[string]string{"items/a.yaml": itemYAML, "items/b.yaml": itemYAML}, []string{"YM-CAT-0108", "items/b.yaml:1", "items/a.yaml:1"}},
		"material twice":        {map[string]string{"items/a.yaml": itemYAML + itemYAML[strings.Index(itemYAML, "  - material"):]}, []string{"YM-CAT-0108", "items/a.yaml:11"}},
		"grant without basis":   {grant("  basis: {zh: 《政务数据共享条例》, en: Decree 809}\n  from: 2026-01-01", "  from: 2026-01-01"), []string{"YM-CAT-0103", "grants.yaml:2", "basis"}},
		"grant without end":     {grant("  until: 2026-12-31\n", ""), []string{"YM-CAT-0103", "until is missing", "grants.yaml:9"}},
		"grant not needed":      {grant("evidence: health-certificate", "evidence: driving-licence"), []string{"YM-CAT-0301", "does not need driving-licence", "health-certificate"}},
		"grant to nobody":       {grant("department: scjg", "department: nobody"), []string{"YM-CAT-0201", "grants.yaml:2"}},
		"grant for no item":     {grant("food-licence-individual", "food-licence-individul"), []string{"YM-CAT-0201", "did you mean food-licence-individual?"}},
		"grant upside down":     {grant("until: 2026-06-30", "until: 2025-06-30"), []string{"YM-CAT-0302", "grants.yaml:2"}},
		"grant on no day":       {grant("2026-06-30", "2026-06-31"), []string{"YM-CAT-0104", "a day that exists"}},
		"grants overlap":        {grant("2026-07-01", "2026-06-30"), []string{"YM-CAT-0303", "grants.yaml:9", "grants.yaml:2"}},
		"grants not a list":     {map[string]string{"grants.yaml": "department: scjg\n"}, []string{"YM-CAT-0104", "grants.yaml:1"}},
		"grant field empty":     {grant("[number, name]", "[number, '']"), []string{"YM-CAT-0104", "grants.yaml:5"}},
		"misspelt file":         {map[string]string{"grant.yaml": grantYAML, "departments.yaml": "a: {zh: 甲}"}, []string{"YM-CAT-0106", "grant.yaml", "did you mean grants.yaml?"}},
		"yml":                   {map[string]string{"items/a.yml": itemYAML, "departments.yaml": "a: {zh: 甲}"}, []string{"YM-CAT-0106", "items/a.yml"}},
		"nothing there":         {map[string]string{"README.md": "x"}, []string{"YM-CAT-0107", "no departments.yaml"}},
		"too large":             {map[string]string{"grants.yaml": strings.Repeat("# x\n", maxFile/4+1)}, []string{"YM-CAT-0107", "grants.yaml"}},
		"stale never":           {evidence("x:\n  name: {zh: 甲}\n  keeper: scjg\n  stale_after: 0s\n"), []string{"YM-CAT-0104", "evidence.yaml:4"}},
		"stale in days":         {evidence("x:\n  name: {zh: 甲}\n  keeper: scjg\n  stale_after: 3d\n"), []string{"YM-CAT-0104", "72h"}},
		"type code cut off":     {evidence("x:\n  name: {zh: 甲}\n  keeper: scjg\n  stale_after: 72h\n  type_code: 11100000MB0327169900\n"), []string{"YM-CAT-0109", "evidence.yaml:5"}},
		"type code twice":       {evidence("x:\n  name: {zh: 甲}\n  keeper: scjg\n  stale_after: 72h\n  type_code: 11100000MB03271699001\n"), []string{"YM-CAT-0110", "property-title"}},
		"no keeper":             {evidence("x:\n  name: {zh: 甲}\n  stale_after: 72h\n"), []string{"YM-CAT-0103", "keeper"}},
		"keeper unknown":        {evidence("x:\n  name: {zh: 甲}\n  keeper: gajj\n  stale_after: 72h\n"), []string{"YM-CAT-0201", "evidence.yaml:3", "did you mean"}},
		"key not a word":        {map[string]string{"departments.yaml": "1: {zh: 甲}\n"}, []string{"YM-CAT-0104", "departments.yaml:1"}},
		"department unnamed":    {map[string]string{"departments.yaml": "abc:\n"}, []string{"YM-CAT-0104", "departments.yaml:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Load(few(t), files(tc.files))
			if err == nil || c != nil {
				t.Fatal("loaded")
			}
			if exchange.KindOf(err) != exchange.Invalid {
				t.Errorf("kind %s", exchange.KindOf(err))
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in:\n%v", want, err)
				}
			}
		})
	}
}

func TestLoadTellsAllAtOnce(t *testing.T) {
	_, err := Load(few(t), files(map[string]string{
		"grants.yaml":    "- {department: nobody, evidence: x, item: y, until: never}\n",
		"items/own.yaml": "item: A\nmaterials: []\n",
		"evidence.yaml":  "x: {}\n",
	}))
	joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err)
	if !ok {
		t.Fatal(err)
	}
	var places []string
	for _, one := range joined.Unwrap() {
		p, ok := errors.AsType[*exchange.Problem](one)
		if !ok {
			t.Fatalf("%v is no Problem", one)
		}
		if p.Mend.ZH == "" || p.Mend.EN == "" || p.What.ZH == "" || p.What.EN == "" {
			t.Errorf("%s lacks words in a language", p.Code)
		}
		place, _, _ := strings.Cut(p.What.EN, ": ")
		places = append(places, place+" "+p.Code)
	}
	want := "evidence.yaml:1 YM-CAT-0103|evidence.yaml:1 YM-CAT-0103|evidence.yaml:1 YM-CAT-0103|" +
		"grants.yaml:1 YM-CAT-0103|grants.yaml:1 YM-CAT-0103|grants.yaml:1 YM-CAT-0201|grants.yaml:1 YM-CAT-0201|grants.yaml:1 YM-CAT-0104|" +
		"items/own.yaml:1 YM-CAT-0103|items/own.yaml:1 YM-CAT-0103|items/own.yaml:1 YM-CAT-0103|items/own.yaml:1 YM-CAT-0105|items/own.yaml:2 YM-CAT-0202"
	if got := strings.Join(places, "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// broken is a file system one of whose files cannot be read.
type broken struct{ fstest.MapFS }

func (b broken) Open(name string) (fs.File, error) {
	if name == "grants.yaml" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: os.ErrPermission}
	}
	return b.MapFS.Open(name)
}

func (b broken) ReadFile(name string) ([]byte, error) {
	_, err := b.Open(name)
	return nil, err
}

func TestLoadUnreadableFile(t *testing.T) {
	_, err := Load(few(t), broken{fstest.MapFS{"grants.yaml": {Data: []byte("[]")}}})
	if err == nil || !strings.Contains(err.Error(), "YM-CAT-0107") || !strings.Contains(err.Error(), "permission") {
		t.Errorf("got %v", err)
	}
}
