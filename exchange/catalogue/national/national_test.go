package national

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

var city = sync.OnceValues(func() (*catalogue.Catalogue, error) { return catalogue.Load(catalogue.Builtin()) })

// bare is the city without its items, but for those named.
func bare(t testing.TB, items ...string) []fs.FS {
	t.Helper()
	m := fstest.MapFS{}
	for _, name := range append([]string{"departments.yaml", "evidence.yaml"}, items...) {
		content, err := fs.ReadFile(catalogue.Builtin(), name)
		if err != nil {
			t.Fatal(err)
		}
		m[name] = &fstest.MapFile{Data: content}
	}
	return []fs.FS{m}
}

// tableOf reads what CSV writes.
func tableOf(t testing.TB, name string, content []byte) Table {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := Table{Name: name, Columns: rows[0]}
	for i, cells := range rows[1:] {
		out.Rows = append(out.Rows, Row{Line: i + 2, Cells: cells})
	}
	return out
}

var vendor = Codes{
	Columns: map[string]string{"任务名称": itemName, "材料必要程度": necessity},
	Values: map[string]map[string]string{
		necessity:  {"0": required, "1": optional, "2": later},
		applicants: {"1": natural, "2": "企业法人", "9": "其他组织"},
		charges:    {"1": yes, "0": no},
		department: {"醴陵市公安局": "公安局"},
	},
}

// TestRoundTrip: what is written of all items is read back the same, through CSV and JSON, in the list's words and in a vendor's codes.
func TestRoundTrip(t *testing.T) {
	c, err := city()
	if err != nil {
		t.Fatal(err)
	}
	for name, codes := range map[string]Codes{"words": {}, "codes": vendor} {
		list, err := Of(c, codes)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name+" CSV", func(t *testing.T) {
			var items, materials bytes.Buffer
			if err := errors.Join(list.Items.CSV(&items), list.Materials.CSV(&materials)); err != nil {
				t.Fatal(err)
			}
			sameAgain(t, c, List{tableOf(t, "items.csv", items.Bytes()), tableOf(t, "materials.csv", materials.Bytes())}, codes)
		})
		t.Run(name+" JSON", func(t *testing.T) {
			content, err := list.JSON()
			if err != nil {
				t.Fatal(err)
			}
			again, err := ParseJSON("items.json", content)
			if err != nil {
				t.Fatal(err)
			}
			sameAgain(t, c, again, Codes{Values: codes.Values})
		})
	}
}

func sameAgain(t *testing.T, c *catalogue.Catalogue, list List, codes Codes) {
	t.Helper()
	files, err := Read(bare(t), list, codes)
	if err != nil {
		t.Fatal(err)
	}
	m := fstest.MapFS{}
	for code, content := range files {
		m[fileOf(code)] = &fstest.MapFile{Data: content}
	}
	again, err := catalogue.Load(append(bare(t), m)...)
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Services()) != len(c.Services()) || len(c.Services()) < 40 {
		t.Fatalf("%d items of %d", len(again.Services()), len(c.Services()))
	}
	if again.Version() != c.Version() {
		for i, s := range c.Services() {
			if other := again.Services()[i]; !reflect.DeepEqual(s, other) {
				t.Errorf("%+v\nbecame\n%+v", s, other)
			}
		}
		t.Errorf("version %s became %s", c.Version(), again.Version())
	}
}

// foreign is a list as another system exports it: no codes of ours, no 扩展信息.
func foreign() List {
	return List{
		Table{"items.csv", []string{basicCode, implementation, itemName, department, applicants, statutory, promised, basis, "办理地点"},
			[]Row{{2, []string{"430281000011", "11430281000000027F4430281000011", "换领驾驶证", "公安局", "自然人", "3", "0", "《规定》第一条", "大厅"}},
				{3, []string{`="430281000900"`, "11430281000000027F4430281000900", "新事项", "公安局", "自然人，企业法人", "", "", "", ""}}}},
		Table{"materials.csv", []string{implementation, materialName, necessity, basis},
			[]Row{{2, []string{"11430281000000027F4430281000011", "机动车驾驶证", required, ""}},
				{3, []string{"11430281000000027F4430281000011", "本人相片", later, ""}},
				{4, []string{"11430281000000027F4430281000900", "营业执照", optional, "《办法》"}},
				{5, []string{"11430281000000027F4430281000900", "申请表", required, "《办法》"}}}},
	}
}

func TestForeignList(t *testing.T) {
	parts := bare(t, "items/driving-licence-renewal.yaml")
	files, err := Read(parts, foreign(), Codes{})
	if err != nil {
		t.Fatal(err)
	}
	m := fstest.MapFS{}
	for code, content := range files {
		m[fileOf(code)] = &fstest.MapFile{Data: content}
	}
	c, err := catalogue.Load(append(parts, m)...)
	if err != nil {
		t.Fatal(err)
	}
	known, _ := c.Service("driving-licence-renewal") // found by its basic code
	fresh, _ := c.Service("item-430281000900")
	if known.Name.ZH != "换领驾驶证" || *known.Limits.Statutory != 3 || known.Materials[0].Code != "licence" || len(known.Materials[0].Alternatives) != 1 {
		t.Errorf("%+v", known)
	}
	if known.Materials[0].Basis.ZH != "《规定》第一条" || !known.Materials[1].Deferrable {
		t.Errorf("%+v", known.Materials)
	}
	if fresh.Applicant != "" || fresh.Materials[0].Alternatives[0][0].Evidence != "business-licence" || !fresh.Materials[0].Optional ||
		fresh.Materials[1].Alternatives != nil || fresh.Limits.Statutory != nil {
		t.Errorf("%+v", fresh)
	}
}

// TestRefused: each row damages one cell; the finding names file, line and column, and no item is given.
func TestRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*List)
		codes  Codes
		want   []string
	}{
		"scientific":       {cell(0, basicCode, "4.30281E+11"), Codes{}, []string{"items.csv 第 2 行“基本编码”", "科学计数"}},
		"codes apart":      {cell(0, basicCode, "430281000012"), Codes{}, []string{"“实施编码”", "后 12 位"}},
		"no name":          {cell(1, itemName, " "), Codes{}, []string{"items.csv 第 3 行“事项名称”：是空的"}},
		"department":       {cell(0, department, "醴陵市公安局"), Codes{}, []string{"不认识“醴陵市公安局”", "--codes", "公安局"}},
		"applicant code":   {cell(0, applicants, "1^2"), Codes{}, []string{"“服务对象”：不认识“1”", "不认识“2”"}},
		"necessity code":   {material(1, necessity, "3"), Codes{}, []string{"materials.csv 第 3 行“材料必要性”：不认识“3”", "values"}},
		"days":             {cell(0, statutory, "三"), Codes{}, []string{"“法定办结时限”：不是工作日数"}},
		"promise too long": {cell(0, promised, "9"), Codes{}, []string{"“承诺办结时限”：长于"}},
		"no such item":     {material(0, implementation, "11430281000000027F4430281000999"), Codes{}, []string{"materials.csv 第 2 行“实施编码”"}},
		"no basis":         {material(2, basis, ""), Codes{}, []string{"materials.csv 第 4 行“设定依据”"}},
		"twice":            {cell(1, basicCode, "430281000011", implementation, "11430281000000027F4430281000011"), Codes{}, []string{"第 3 行：与第 2 行是同一个事项"}},
		"no materials":     {func(l *List) { l.Materials.Rows = l.Materials.Rows[:2] }, Codes{}, []string{"items.csv 第 3 行：该事项没有材料"}},
		"no column":        {func(l *List) { l.Items.Columns[2] = "事项名" }, Codes{}, []string{"items.csv 没有“事项名称”这一列", "是不是“事项名”"}},
		"codes misspelt":   {func(*List) {}, Codes{Values: map[string]map[string]string{"材料必要": {}}}, []string{"是不是“材料必要性”"}},
		"Load's finding": {func(l *List) {
			l.Materials.Columns = append(l.Materials.Columns, more)
			l.Materials.Rows[0].Cells = append(l.Materials.Rows[0].Cells, `{"alternatives":[[{"evidence":"no-such"}]]}`)
		}, Codes{}, []string{"items.csv 第 2 行：没有证照类型 no-such"}},
		"more": {func(l *List) {
			l.Items.Columns = append(l.Items.Columns, more)
			l.Items.Rows[0].Cells = append(l.Items.Rows[0].Cells, `{"fact":1}`)
		}, Codes{}, []string{"“扩展信息”"}},
	} {
		t.Run(name, func(t *testing.T) {
			list := foreign()
			tc.change(&list)
			files, err := Read(bare(t), list, tc.codes)
			if err == nil || files != nil {
				t.Fatalf("%d files, %v", len(files), err)
			}
			said := spoken(err)
			for _, want := range tc.want {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in:\n%s", want, said)
				}
			}
		})
	}
}

func cell(row int, set ...string) func(*List) {
	return func(l *List) { l.Items.set(row, set) }
}

func material(row int, set ...string) func(*List) {
	return func(l *List) { l.Materials.set(row, set) }
}

func (t *Table) set(row int, set []string) {
	for i := 0; i < len(set); i += 2 {
		t.Rows[row].Cells[slices.Index(t.Columns, set[i])] = set[i+1]
	}
}

// spoken is all that an error says in Chinese, with the mends.
func spoken(err error) string {
	var said strings.Builder
	all := []error{err}
	if joined, several := err.(interface{ Unwrap() []error }); several {
		all = joined.Unwrap()
	}
	for _, one := range all {
		if p, ok := errors.AsType[*exchange.Problem](one); ok {
			said.WriteString(p.What.ZH + "\n" + p.Mend.ZH + "\n")
		}
	}
	return said.String()
}

// hamlet is as little of a catalogue as there can be: it is read for every input.
var hamlet = []fs.FS{fstest.MapFS{"departments.yaml": {Data: []byte("gaj: {zh: 公安局}\n")},
	"evidence.yaml": {Data: []byte("driving-licence: {name: {zh: 机动车驾驶证}, keeper: gaj, stale_after: 72h}\n")}}}

// FuzzRead: whatever stands in the cells, there are items that the catalogue reads or findings, never both.
func FuzzRead(f *testing.F) {
	list := foreign()
	for _, row := range list.Items.Rows {
		f.Add(row.Cells[0], row.Cells[1], row.Cells[2], row.Cells[4], row.Cells[5], "80", `{"facts":[{"code":"a","name":{"zh":"甲","en":""},"kind":"flag"}]}`, "机动车驾驶证", required,
			`{"if":"facts.a","alternatives":[[{"evidence":"driving-licence","of":"spouse","when":"today > record.validUntil"}]]}`)
	}
	f.Add("", "", "=cmd|'/c'", "自然人", "-1", "1e9", "{", "'=1", "x", "null")
	f.Fuzz(func(t *testing.T, basic, task, name, who, limit, yuan, rest, material, need, materialRest string) {
		list := List{
			Table{"a", []string{basicCode, implementation, localCode, itemName, department, applicants, statutory, feeName, feeYuan, feeBasis, more},
				[]Row{{2, []string{basic, task, "own", name, "公安局", who, limit, "费", yuan, "法", rest}}}},
			Table{"b", []string{implementation, localCode, materialName, necessity, basis, more}, []Row{{2, []string{"", "own", material, need, "法", materialRest}}}},
		}
		files, err := Read(hamlet, list, Codes{})
		if (err == nil) != (len(files) == 1) {
			t.Fatalf("%d files, %v", len(files), err)
		}
	})
}

func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(`{"items":[{"task_code":1,"task_name":"甲","extend_info":{"en":"x"}}],"materials":[]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if list, err := ParseJSON("x", content); err == nil {
			_, _ = Read(hamlet, list, Codes{})
		}
	})
}

// TestJSONIsReadStrictly: what another reader would take for something else is refused.
func TestJSONIsReadStrictly(t *testing.T) {
	for name, content := range map[string]string{
		"a name twice":  `{"items":[{"task_code":"a","task_code":"b"}],"materials":[]}`,
		"no UTF-8":      "{\"items\":[{\"task_code\":\"\xff\"}],\"materials\":[]}",
		"more behind":   `{"items":[],"materials":[]}{}`,
		"cut off":       `{"items":[`,
		"a wrong shape": `{"items":{}}`,
	} {
		if _, err := ParseJSON("items.json", []byte(content)); err == nil || exchange.KindOf(err) != exchange.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseJSON("items.json", []byte("\ufeff"+`{"items":[],"materials":[]}`)); err != nil {
		t.Error(err)
	}
}
