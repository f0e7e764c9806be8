package impact

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// Report is what a new schema would break. It holds no value of any document.
type Report struct {
	Type     exchange.EvidenceType `json:"type"`
	Keeper   exchange.Department   `json:"keeper,omitempty"`
	Old      string                `json:"old,omitempty"` // id of today's schema
	New      string                `json:"new"`           // id of the new one
	Summary  exchange.Text         `json:"summary"`
	Items    []Item                `json:"items"`    // that ask for the type
	Grants   []Grant               `json:"grants"`   // that show it
	Adapters []Adapter             `json:"adapters"` // that publish it
	Records  Records               `json:"records"`
	Changes  []Change              `json:"changes"`         // what would be read differently from records
	Notes    []exchange.Text       `json:"notes,omitempty"` // what else to know
}

// Item is a service item with the materials that the type can meet.
type Item struct {
	Code       exchange.Item       `json:"code"`
	Name       exchange.Text       `json:"name"`
	Department exchange.Department `json:"department"`
	Materials  []Material          `json:"materials"`
}

// Material is a material of an item.
type Material struct {
	Code string        `json:"code"`
	Name exchange.Text `json:"name"`
	Only bool          `json:"only"` // nothing without this type meets it
	// Reads are the fields of the type that its conditions read, Lost those of them that the new schema does not have.
	Reads []string      `json:"reads,omitempty"`
	Lost  []string      `json:"lost,omitempty"`
	What  exchange.Text `json:"what,omitzero"`
	Mend  exchange.Text `json:"mend,omitzero"`
}

// Grant is a grant of fields of the type.
type Grant struct {
	Department exchange.Department `json:"department"`
	Item       exchange.Item       `json:"item"`
	From       exchange.Date       `json:"from"`
	Until      exchange.Date       `json:"until"`
	Lost       []string            `json:"lost,omitempty"`    // fields it names that the new schema has no more
	Unknown    []string            `json:"unknown,omitempty"` // fields it names that neither schema has
	What       exchange.Text       `json:"what,omitzero"`
	Mend       exchange.Text       `json:"mend,omitzero"`
}

// Adapter is an adapter that has stated coverage of the type or published records of it.
type Adapter struct {
	Name    exchange.Adapter `json:"name"`
	Records int64            `json:"records"` // held from it
	Refused int64            `json:"refused"` // of them, by the new schema
	States  bool             `json:"states"`  // it has stated coverage
	What    exchange.Text    `json:"what"`
}

// Records is how the new schema judges what is held.
type Records struct {
	Checked int64 `json:"checked"`
	Refused int64 `json:"refused"`
	// RefusedBefore is how many of the refused today's schema refuses too: they were published by a still older one.
	RefusedBefore int64    `json:"refused_before"`
	Reasons       []Reason `json:"reasons"` // most frequent first
	// More says that there are further reasons: too many to tell apart.
	More bool `json:"more,omitempty"`
}

// Reason is one rule at one place that records break.
type Reason struct {
	Pointer string        `json:"pointer"` // into the document; * stands for any element
	Rule    string        `json:"rule"`    // the keyword, or the code of a problem
	Records int64         `json:"records"`
	What    exchange.Text `json:"what"`
	Why     exchange.Text `json:"why,omitzero"`
	Mend    exchange.Text `json:"mend"`
	Example Example       `json:"example"`
}

// Change is a fact that the new schema reads differently from records that it may well accept.
type Change struct {
	Fact    string        `json:"fact"` // "identity", "holders", "status" or "validity"
	Records int64         `json:"records"`
	What    exchange.Text `json:"what"`
	Mend    exchange.Text `json:"mend"`
	Example Example       `json:"example,omitzero"`
}

// Example is a record to look at. Its id is a keyed hash, which says nothing without the department's key.
type Example struct {
	Record    exchange.RecordID `json:"record"`
	Version   exchange.Version  `json:"version"`
	Adapter   exchange.Adapter  `json:"adapter"`
	Partition int               `json:"partition"` // of the type's topic
	Offset    int64             `json:"offset"`
}

// changeKind is a fact that may change.
type changeKind int

const (
	identityChanges changeKind = iota
	holderChanges
	statusChanges
	validityChanges
	kindsOfChange
)

// Breaks says whether the change would break something: records refused or read differently, or fields gone that
// somebody was granted, or that a condition reads.
func (r *Report) Breaks() bool {
	return r.Records.Refused > 0 || len(r.Changes) > 0 || r.undecided() > 0 || slices.ContainsFunc(r.Grants, func(g Grant) bool { return len(g.Lost) > 0 })
}

// undecided is of how many items a condition cannot be decided any more.
func (r *Report) undecided() (n int) {
	for _, i := range r.Items {
		if slices.ContainsFunc(i.Materials, func(m Material) bool { return m.Lost != nil }) {
			n++
		}
	}
	return n
}

// records takes over what was counted.
func (r *Report) records(all *tally, speakers []exchange.Adapter, changed facts) {
	r.Records = Records{Checked: all.checked, Refused: all.refused, RefusedBefore: all.refusedBefore, Reasons: []Reason{}}
	all.cut()
	for _, reason := range all.reasons {
		r.Records.Reasons = append(r.Records.Reasons, *reason)
	}
	r.Records.More = all.greatest != nil
	slices.SortFunc(r.Records.Reasons, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Records, a.Records), cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.What.EN, b.What.EN))
	})
	r.adapters(all, speakers)
	r.changes(all, changed)
}

func (r *Report) adapters(all *tally, speakers []exchange.Adapter) {
	names := slices.Concat(speakers, slices.Collect(maps.Keys(all.adapters)))
	slices.Sort(names)
	r.Adapters = []Adapter{}
	for _, name := range slices.Compact(names) {
		count := all.adapter(name)
		a := Adapter{Name: name, Records: count.records, Refused: count.refused, States: slices.Contains(speakers, name)}
		a.What = text("发布新 Schema 之后，先用它检查清单，再继续发布", "check its manifest against the new schema before it publishes on")
		if a.Refused > 0 {
			a.What = text(fmt.Sprintf("它的 %d 条记录不符合新 Schema：先改清单或者数据，否则这些行会进隔离区", a.Refused),
				fmt.Sprintf("%d of its records do not fit the new schema: mend its manifest or its data first, or these rows go into quarantine", a.Refused))
		}
		r.Adapters = append(r.Adapters, a)
	}
}

// changes lists the facts that would change. Other fields for the identity are told whatever the records say: the keeper's
// next run gives every certificate another id.
func (r *Report) changes(all *tally, changed facts) {
	r.Changes = []Change{}
	for kind := range kindsOfChange {
		c := all.changes[kind]
		if c.Records == 0 && (kind != identityChanges || !changed.natural) {
			continue
		}
		c.Fact, c.What, c.Mend = changeTexts(kind, c.Records)
		r.Changes = append(r.Changes, c)
	}
}

func changeTexts(kind changeKind, n int64) (fact string, what, mend exchange.Text) {
	switch kind {
	case identityChanges:
		return "identity", text(fmt.Sprintf("x-record-id 指向了别的字段：每张证照都会换一个记录编号（现有 %d 条），旧记录会与新记录并存", n),
				fmt.Sprintf("x-record-id names other fields: every certificate would get another record id (%d are held), and the old records would stand beside the new ones", n)),
			text("保留原来的 x-record-id；确实要改，请登记为新的证照类型", "keep x-record-id as it was; where it must change, register a new evidence type")
	case holderChanges:
		return "holders", text(fmt.Sprintf("x-holder 变了：%d 条记录的持证主体会变", n), fmt.Sprintf("x-holder has changed: %d records would belong to other holders", n)),
			text("核对 x-holder 的路径和 kind；确实要改，须由数源部门重新发布这些记录", "check the paths and kinds of x-holder; where it must change, the keeper has to publish these records again")
	case statusChanges:
		return "status", text(fmt.Sprintf("%d 条记录会读出另一种状态", n), fmt.Sprintf("%d records would be read with another status", n)),
			text("核对 x-status 的路径和对照表", "check the path and the table of x-status")
	}
	return "validity", text(fmt.Sprintf("%d 条记录会读出另一段有效期", n), fmt.Sprintf("%d records would be read with another validity", n)),
		text("核对 x-validity 指向的字段", "check the fields that x-validity names")
}

func (g *Grant) say() {
	switch {
	case g.Lost != nil:
		names := strings.Join(g.Lost, " ")
		g.What = text("授权里的字段在新 Schema 中没有了："+names, "the grant names fields that the new schema has no more: "+names)
		g.Mend = text("在新 Schema 里保留这些字段，或者先与该部门改授权", "keep these fields in the new schema, or change the grant with the department first")
	case g.Unknown != nil:
		names := strings.Join(g.Unknown, " ")
		g.What = text("授权里的字段新旧 Schema 都没有："+names, "the grant names fields that neither schema has: "+names)
		g.Mend = text("检查授权里字段名的拼写", "check the spelling of the names in the grant")
	}
}

func (m *Material) say() {
	if m.Lost == nil {
		return
	}
	names := strings.Join(m.Lost, " ")
	m.What = text("条件要读的字段在新 Schema 中没有："+names, "its conditions read fields that the new schema does not have: "+names)
	m.Mend = text("在新 Schema 里保留这些字段，或者先改事项的条件并公布新的一版（yimen item draft）", "keep these fields in the new schema, or change the item's conditions first and publish its next edition (yimen item draft)")
}

func unknownType(t exchange.EvidenceType) exchange.Text {
	return text("目录里还没有证照类型 "+string(t)+"：没有数源部门，就没有人能发布它", "the catalogue has no evidence type "+string(t)+": without a keeper nobody can publish it")
}

func (r *Report) sumUp() {
	lost := 0
	for _, g := range r.Grants {
		if len(g.Lost) > 0 {
			lost++
		}
	}
	conditions := exchange.Text{}
	if n := r.undecided(); n > 0 {
		conditions = text(fmt.Sprintf("（其中 %d 个的条件会判断不了）", n), fmt.Sprintf(" (%d with conditions that cannot be decided any more)", n))
	}
	r.Summary = text(
		fmt.Sprintf("检查了 %d 条记录，%d 条不符合；%d 个事项用到它%s，%d 项授权中有 %d 项会少字段，%d 个适配器发布它", r.Records.Checked, r.Records.Refused, len(r.Items), conditions.ZH, len(r.Grants), lost, len(r.Adapters)),
		fmt.Sprintf("%d records checked, %d refused; %d items ask for it%s, %d of %d grants lose fields, %d adapters publish it", r.Records.Checked, r.Records.Refused, len(r.Items), conditions.EN, lost, len(r.Grants), len(r.Adapters)))
}
