// Package mapping turns a row of a department's table into a document of an evidence schema, by rules the department declares.
//
// Rules name, for each property of the document, the column it comes from and how its text is read. Compile checks
// them once; Mapping.Apply then maps row after row. What cannot be read becomes a Fault that names the column, says what is
// wrong and what mends it, and never repeats the value. Nothing is guessed: a figure without a currency, a date whose
// order is not clear and a code nobody described are faults.
package mapping

import (
	"slices"
	"strings"
	"sync/atomic"
)

// Rules say where each property of a document comes from. A key is a property, or a dotted path to one: "capital.amount",
// or "spouses.0.name" for the first element of a list.
type Rules map[string]Rule

// Rule says where one property comes from and how it is read. In a manifest the short form "name: 企业名称" stands for
// "name: {column: 企业名称}". Exactly one of Column, Constant, Join and Items is set.
type Rule struct {
	Column   string   `yaml:"column" json:"column,omitempty"`     // the source's column
	Constant any      `yaml:"constant" json:"constant,omitempty"` // the same value in every document: text, number or boolean
	Join     []string `yaml:"join" json:"join,omitempty"`         // columns put together, absent ones left out
	With     string   `yaml:"with" json:"with,omitempty"`         // what stands between joined columns; default nothing

	// As is how the text is read: text (default), line, citizen-number, credit-code, licence-id, holder-number, date,
	// decimal (a string), number, integer, boolean or money (an object of amount and currency).
	As string `yaml:"as" json:"as,omitempty"`
	// Currency is what a figure without one means, such as CNY. Only the department can know. With as: money.
	Currency string `yaml:"currency" json:"currency,omitempty"`
	// Open lets dates say 长期 or 永久: the property is then absent. With as: date.
	Open bool `yaml:"open" json:"open,omitempty"`
	// Table translates codes. A code that is not in it is a fault, unless Otherwise is set.
	Table     map[string]any `yaml:"table" json:"table,omitempty"`
	Otherwise any            `yaml:"otherwise" json:"otherwise,omitempty"`

	// Split makes a list of the text, cut at this separator. Each says how the parts are read; default as text.
	Split string `yaml:"split" json:"split,omitempty"`
	Each  *Rule  `yaml:"each" json:"each,omitempty"`
	// Items, with Split, makes a list of objects of several columns that list their parts in the same order: names in
	// one, numbers in another.
	Items Rules `yaml:"items" json:"items,omitempty"`
}

// UnmarshalYAML reads the short form, a column's name, besides the long one.
func (r *Rule) UnmarshalYAML(unmarshal func(any) error) error {
	var column string
	if unmarshal(&column) == nil {
		*r = Rule{Column: column}
		return nil
	}
	type long Rule
	return unmarshal((*long)(r))
}

// Mapping is a set of checked rules. It may be used by several goroutines.
type Mapping struct {
	root    *node
	columns []string          // that the rules use, sorted
	targets map[string]string // pointer of each property that is filled → the names of its columns
	last    atomic.Pointer[layout]
}

// Compile checks the rules and makes them ready. The absent values, besides the blank one, stand for no value in every
// column. The error is an *exchange.Problem that wraps Faults, one for each mistake.
func Compile(rules Rules, absent []string) (*Mapping, error) {
	c := compiler{absent: make([]string, 0, len(absent)), targets: map[string]string{}}
	for _, a := range absent {
		if a = trim(a); a != "" {
			c.absent = append(c.absent, a)
		}
	}
	c.collectColumns(rules)
	m := &Mapping{root: c.tree(rules), columns: c.columns, targets: c.targets}
	if len(c.faults) > 0 {
		return nil, c.problem()
	}
	return m, nil
}

// Columns are the source's columns that the rules use, sorted.
func (m *Mapping) Columns() []string { return slices.Clone(m.columns) }

// Targets are the JSON pointers of the properties that the rules fill, sorted, with * for any element of a list.
func (m *Mapping) Targets() []string {
	var targets []string
	for pointer := range m.targets {
		targets = append(targets, anyElement(pointer))
	}
	slices.Sort(targets)
	return slices.Compact(targets)
}

// Column names the column, or the columns joined by " + ", from which the property at the JSON pointer is filled: "" where
// none does. A pointer into what one rule makes, such as /capital/amount or /owners/0/name, is that rule's.
func (m *Mapping) Column(pointer string) string {
	if column, ok := m.targets[pointer]; ok {
		return column
	}
	for pointer = anyElement(pointer); pointer != ""; pointer = pointer[:max(0, strings.LastIndexByte(pointer, '/'))] {
		if column, ok := m.targets[pointer]; ok {
			return column
		}
	}
	return ""
}

// anyElement writes * for the places of lists.
func anyElement(pointer string) string {
	steps := strings.Split(pointer, "/")
	for i, step := range steps {
		if step != "" && digitsOnly(step) {
			steps[i] = "*"
		}
	}
	return strings.Join(steps, "/")
}

// Apply maps one row. The document holds what could be read, as gate.Decode would give it; each fault leaves out one
// property. Columns may be the same slice in every call, which is then looked at once only and must not change.
func (m *Mapping) Apply(columns, values []string) (doc map[string]any, faults []Fault) {
	r := row{values: values, at: m.layout(columns).at}
	doc, _ = m.root.object(&r)
	return doc, r.faults
}

// layout says where the used columns stand in a header.
type layout struct {
	header []string // kept, so that its address cannot become another header's
	at     []int    // for each used column its place, -1 where the header lacks it
}

func (m *Mapping) layout(header []string) *layout {
	if l := m.last.Load(); l != nil && len(l.header) == len(header) && (len(header) == 0 || &l.header[0] == &header[0]) {
		return l
	}
	l := &layout{header: header, at: make([]int, len(m.columns))}
	for i, name := range m.columns {
		l.at[i] = slices.Index(header, name)
	}
	m.last.Store(l)
	return l
}

// row is one row on its way through the rules.
type row struct {
	values []string
	at     []int
	faults []Fault
}
