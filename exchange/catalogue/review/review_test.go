package review_test

import (
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/catalogue/review"
	"github.com/onedoor/yimen/schemas"
)

const item = `item: own-item
name: {zh: 事项, en: Item}
department: scjg
applicant: person
facts: [{fact: use, name: {zh: 用途}, kind: choice, choices: [shop, home]}, {fact: open, name: {zh: 开业}, kind: flag}]
materials:
  - material: licence
    name: {zh: 营业执照, en: Licence}
    basis: {zh: 《法》, en: Law}
    necessity: required
    alternatives: [[business-licence]]
`

const grants = `- {department: scjg, evidence: business-licence, item: own-item, basis: {zh: 《法》}, from: 2026-01-01, until: 2026-12-31}
`

var builtin = sync.OnceValue(func() *schemas.Set {
	set, err := schemas.Builtin()
	if err != nil {
		panic(err)
	}
	return set
})

// found reviews the item with the change, and gives what was found of it.
func found(t *testing.T, grants string, oldnew ...string) []review.Finding {
	t.Helper()
	files := fstest.MapFS{"items/own.yaml": {Data: []byte(strings.NewReplacer(oldnew...).Replace(item))}}
	if grants != "" {
		files["grants.yaml"] = &fstest.MapFile{Data: []byte(grants)}
	}
	for _, name := range []string{"departments.yaml", "evidence.yaml"} { // the city's items are not needed, and take time
		content, err := fs.ReadFile(catalogue.Builtin(), name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: content}
	}
	c, err := catalogue.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	var own []review.Finding
	for _, f := range review.Of(c, builtin(), "2026-11-26") {
		if f.Item == "own-item" {
			own = append(own, f)
		}
	}
	return own
}

func TestFindings(t *testing.T) {
	alternatives := func(s string) []string { return []string{"[[business-licence]]", s} }
	when := func(s string) []string {
		return alternatives("[[{evidence: property-registration, when: '" + s + "'}]]")
	}
	iff := func(s string) []string {
		return []string{"necessity: required", "necessity: required\n    if: '" + s + "'"}
	}
	for name, tc := range map[string]struct {
		change []string
		want   string // code and a part of what is said; empty: nothing is found
	}{
		"sound":                  {nil, ""},
		"no law":                 {[]string{"《法》", "惯例"}, "YM-CAT-0401 names no law"},
		"numbered document":      {[]string{"《法》", "国办发〔2018〕37号"}, ""},
		"held by a department":   {[]string{"alternatives: [[business-licence]]", "made_by: applicant"}, "YM-CAT-0402 Business licence"},
		"a copy of it":           {[]string{"alternatives: [[business-licence]]", "made_by: applicant", "营业执照,", "本人结婚证复印件（加盖公章）,"}, "YM-CAT-0402 Marriage certificate"},
		"title of the schema":    {[]string{"alternatives: [[business-licence]]", "made_by: applicant", "营业执照,", "无欠税证明原件,"}, "YM-CAT-0402 Tax clearance"},
		"a promise about it":     {[]string{"alternatives: [[business-licence]]", "made_by: applicant", "营业执照,", "营业执照遗失声明,"}, ""},
		"superset":               {alternatives("[[business-licence, property-title], [business-licence]]"), "YM-CAT-0403 alternative 1 never counts"},
		"twice the same":         {alternatives("[[business-licence], [business-licence]]"), "YM-CAT-0403 alternative 2 never counts"},
		"stricter":               {alternatives(`[[business-licence], [{evidence: business-licence, when: 'record.status == "存续"'}]]`), "YM-CAT-0403 alternative 2"},
		"of somebody else":       {alternatives("[[business-licence], [{evidence: business-licence, of: spouse}]]"), ""},
		"other conditions":       {alternatives(`[[{evidence: business-licence, when: 'record.name == "a"'}], [{evidence: business-licence, when: 'record.name == "b"'}]]`), ""},
		"contradiction":          {when(`record.matter == "抵押权" && record.matter == "地役权"`), "YM-CAT-0404 can never hold"},
		"of another applicant":   {iff(`applicant == "org"`), "YM-CAT-0404"},
		"contradiction of facts": {iff(`facts.open && !facts.open`), "YM-CAT-0404"},
		"holds at times":         {iff(`facts.open && facts.use == "shop"`), ""},
		"no such field":          {when(`record.mater == "抵押权"`), "YM-CAT-0405 has no field mater"},
		"record before records":  {iff(`record.name == "a"`), "YM-CAT-0405 there is none yet"},
		"outside the enum":       {when(`record.matter == "抵押"`), `YM-CAT-0407 matter is never "抵押"`},
		"one of them outside":    {when(`record.matter in ["抵押权", "留置权"]`), `YM-CAT-0407 matter is never "留置权"`},
		"within the enum":        {when(`record.matter in ["抵押权", "预告登记"]`), ""},
		"outside the choices":    {iff(`facts.use == "office"`), `YM-CAT-0407 use is never "office"`},
	} {
		t.Run(name, func(t *testing.T) {
			all := found(t, "", tc.change...)
			if tc.want == "" {
				if len(all) > 0 {
					t.Errorf("false alarm: %+v", all)
				}
				return
			}
			code, said, _ := strings.Cut(tc.want, " ")
			if len(all) != 1 || all[0].Code != code || !strings.Contains(all[0].What.EN, said) {
				t.Fatalf("got %+v", all)
			}
			if f := all[0]; f.File != "items/own.yaml" || f.Line != 7 || f.What.ZH == "" || f.Mend.ZH == "" || f.Mend.EN == "" {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestNeedsWithoutGrant(t *testing.T) {
	if all := found(t, grants); len(all) != 0 {
		t.Errorf("granted, but %+v", all)
	}
	ended := strings.Replace(grants, "2026-12-31", "2026-11-25", 1)
	if all := found(t, ended); len(all) != 1 || all[0].Code != "YM-CAT-0406" {
		t.Errorf("it has ended, but %+v", all)
	}
}

// What a condition reads and a grant does not show is told by whether the condition holds.
func TestConditionsTellWhatIsNotGranted(t *testing.T) {
	read := []string{"[[business-licence]]", `[[{evidence: business-licence, when: 'record.status == "存续" && has(record.address)'}]]`}
	show := func(fields string) string { return strings.Replace(grants, "basis", "fields: ["+fields+"], basis", 1) }
	for name, tc := range map[string]struct{ grants, want string }{
		"both are shown":        {show("status, address, name"), ""},
		"one is not":            {show("status"), "reads address, which the grant to scjg does not show"},
		"none is":               {grants, "reads address status, which the grant to scjg does not show"},
		"of two, one shows all": {show("status, address") + strings.Replace(show("status"), "scjg", "xzsp", 1), "reads address, which the grant to xzsp does not show"},
		"another's has ended":   {show("status, address") + strings.NewReplacer("scjg", "xzsp", "2026-12-31", "2026-11-25").Replace(grants), ""},
	} {
		all := found(t, tc.grants, read...)
		if tc.want == "" && len(all) != 0 || tc.want != "" && (len(all) != 1 || all[0].Code != "YM-CAT-0408" || !strings.Contains(all[0].What.EN, tc.want) || all[0].Mend.ZH == "" || all[0].Line != 7) {
			t.Errorf("%s: %+v", name, all)
		}
	}
	if all := found(t, grants); len(all) != 0 {
		t.Errorf("no condition: %+v", all)
	}
}

// The city that the program brings has nothing to mend.
func TestBuiltinItemsAreSound(t *testing.T) {
	c, err := catalogue.Load(catalogue.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range review.Of(c, builtin(), "2026-11-26") {
		t.Errorf("%s:%d %s %s", f.File, f.Line, f.Code, f.What.EN)
	}
}
