// Package national puts the catalogue's items into the fields of the national list of items (事项实施清单), and takes them from there.
//
// The list is two tables, one of items and one of their materials. Column names and words are those of the list (事项名称, 必要);
// where a source writes its own names or codes, Codes says what they stand for, as vendors count the same words differently. What the
// national fields cannot say, such as which evidence meets a material, stands in one more column, 扩展信息, as JSON, so that a list
// written here is read back whole. Lists from elsewhere lack that column; then a material named like a kind of evidence is met by it.
package national

import (
	"fmt"
	"maps"
	"slices"

	"github.com/onedoor/yimen/exchange"
)

// Table is one of the two tables, as it stands in a file.
type Table struct {
	Name    string // of the file, for findings
	Columns []string
	Rows    []Row
}

// Row is one row of a table, a cell for each column; missing ones are empty.
type Row struct {
	Line  int // where it stands in the file
	Cells []string
}

// List is the list of items with its materials.
type List struct{ Items, Materials Table }

// field is a column: its name in the list, and its key where the list is JSON (after the exchange table of the national standard).
type field struct {
	name, key string
	optional  bool // the table may lack it
}

// The columns of items.
const (
	basicCode      = "基本编码"
	implementation = "实施编码"
	localCode      = "地方实施编码" // the code of the item in the catalogue
	itemName       = "事项名称"
	itemType       = "事项类型"
	department     = "实施主体"
	applicants     = "服务对象"
	statutory      = "法定办结时限"
	statutoryUnit  = "法定办结时限单位"
	promised       = "承诺办结时限"
	promisedUnit   = "承诺办结时限单位"
	charges        = "是否收费"
	feeName        = "收费项目"
	feeYuan        = "收费标准"
	feeBasis       = "收费依据"
	basis          = "设定依据"
	more           = "扩展信息"
)

// The columns of materials; basis and more are there too.
const (
	materialCode = "材料编码"
	materialName = "材料名称"
	necessity    = "材料必要性"
)

var itemFields = []field{
	{basicCode, "catalog_code", false}, {implementation, "task_code", false}, {localCode, "local_task_code", true}, {itemName, "task_name", false},
	{itemType, "task_type", true}, {department, "dept_name", false}, {applicants, "server_type", false}, {statutory, "anticipate_day", true},
	{statutoryUnit, "anticipate_type", true}, {promised, "promise_day", true}, {promisedUnit, "promise_type", true}, {charges, "is_fee", true},
	{feeName, "fee_name", true}, {feeYuan, "fee_standard", true}, {feeBasis, "fee_basis", true}, {basis, "by_law", true}, {more, "extend_info", true},
}

var materialFields = []field{
	{implementation, "task_code", false}, {localCode, "local_task_code", true}, {materialCode, "material_code", true},
	{materialName, "material_name", false}, {necessity, "is_need", false}, {basis, "by_law", true}, {more, "extend_info", true},
}

// many separates several fees in the cells of one row: a line for each.
const many = "\n"

// Words of the list.
const (
	workingDays = "工作日"
	natural     = "自然人"
	required    = "必要"
	optional    = "非必要"
	later       = "容缺后补"
	yes         = "是"
	no          = "否"
)

// legal are the applicants that are organisations.
var legal = []string{"企业法人", "事业法人", "社会组织法人", "非法人企业", "行政机关", "其他组织", "法人"}

// Codes say how a source writes what the list has words for.
type Codes struct {
	// Columns are the source's names of columns, each with the list's.
	Columns map[string]string `yaml:"columns"`
	// Values are, for a column of the list, what the source writes there, each with the list's word: 材料必要性: {"1": 必要}.
	Values map[string]map[string]string `yaml:"values"`
}

// Check says which columns the codes speak of that the list does not have.
func (c Codes) Check() error {
	var known []string
	for _, f := range slices.Concat(itemFields, materialFields) {
		known = append(known, f.name)
	}
	for _, name := range slices.Sorted(maps.Values(c.Columns)) {
		if !slices.Contains(known, name) {
			return noSuchColumn(name, known)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Values)) {
		if !slices.Contains(known, name) {
			return noSuchColumn(name, known)
		}
	}
	return nil
}

func noSuchColumn(name string, known []string) error {
	p := &exchange.Problem{Code: "YM-CAT-0601", Kind: exchange.Invalid,
		What: text(fmt.Sprintf("清单没有“%s”这一列", name), fmt.Sprintf("the list has no column %q", name)),
		Mend: text("columns 写“来源的列名: 清单的列名”，values 写“清单的列名: {来源的写法: 清单的写法}”", "write columns as 'the source's name: the list's name', and values as 'the list's column: {what the source writes: the list's word}'")}
	if near := exchange.Nearest(name, known); near != "" {
		p.Mend = text("是不是“"+near+"”？", "did you mean "+near+"?")
	}
	return p
}

// theirs is how the source writes a word; the first of several ways.
func (c Codes) theirs(column, word string) string {
	for _, code := range slices.Sorted(maps.Keys(c.Values[column])) {
		if c.Values[column][code] == word {
			return code
		}
	}
	return word
}

// ours is the list's word for what the source writes.
func (c Codes) ours(column, said string) string {
	if word, coded := c.Values[column][said]; coded {
		return word
	}
	return said
}

// header is the source's name of a column.
func (c Codes) header(column string) string {
	for _, name := range slices.Sorted(maps.Keys(c.Columns)) {
		if c.Columns[name] == column {
			return name
		}
	}
	return column
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
