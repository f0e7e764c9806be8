// Package review finds what is wrong with items that can be read all the same.
//
// Load refuses what has no meaning; Of finds what has one that nobody can have meant: a proof asked for that a department
// holds, an alternative that never counts, a condition that never holds. Each finding is certain: what cannot be told is
// passed over in silence.
package review

import (
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/schemas"
)

// Finding is one thing to mend.
type Finding struct {
	File     string // within the catalogue
	Line     int
	Item     exchange.Item
	Material string // empty: the item as a whole
	Code     string
	What     exchange.Text
	Mend     exchange.Text
}

// Of reviews all items, in the order of their codes. Where the catalogue has grants, a need that none of them will serve on
// that day or later is found too.
func Of(c *catalogue.Catalogue, types *schemas.Set, day exchange.Date) []Finding {
	r := &reviewer{catalogue: c, types: types, day: day}
	for _, r.service = range c.Services() {
		for _, r.material = range r.service.Materials {
			r.basis()
			r.shareable()
			r.condition(r.material.If, "")
			r.unreachable()
			for _, need := range r.needs() {
				r.condition(need.When, need.Evidence)
				r.granted(need)
				r.told(need)
			}
		}
	}
	return r.found
}

type reviewer struct {
	catalogue *catalogue.Catalogue
	types     *schemas.Set
	day       exchange.Date
	service   catalogue.Service
	material  catalogue.Material
	found     []Finding
}

func (r *reviewer) report(code string, what, mend exchange.Text) {
	file, line := r.catalogue.Place(r.service.Code, r.material.Code)
	r.found = append(r.found, Finding{file, line, r.service.Code, r.material.Code, code, what, mend})
}

// needs are the different needs of the material's alternatives.
func (r *reviewer) needs() []catalogue.Need {
	var all []catalogue.Need
	for _, set := range r.material.Alternatives {
		for _, n := range set {
			if !slices.ContainsFunc(all, func(other catalogue.Need) bool { return covers(n, other) && covers(other, n) }) {
				all = append(all, n)
			}
		}
	}
	return all
}

// basis finds a basis that names no document: laws stand in 《》, documents have a number in 〔〕.
func (r *reviewer) basis() {
	if !strings.ContainsAny(r.material.Basis.ZH, "《〔") {
		r.report("YM-CAT-0401", text("依据没有写明法律、法规或文号", "the basis names no law and no numbered document"),
			text("写出书名号中的法规名称，如 《中华人民共和国行政许可法》第三十一条；没有依据的材料应删去（政务服务不得索要）",
				"name the law in 《》, such as 《中华人民共和国行政许可法》第三十一条; a material without a basis may not be asked for: remove it"))
	}
}

// shareable finds a material that the applicant is to bring although it is, by its very name, what a department holds.
func (r *reviewer) shareable() {
	if len(r.material.Alternatives) > 0 {
		return
	}
	name := bare(r.material.Name.ZH)
	for _, e := range r.catalogue.EvidenceTypes() {
		schema, _ := r.types.ByType(e.Type)
		if name == bare(e.Name.ZH) || schema != nil && name == bare(schema.Title.ZH) {
			keeper, _ := r.catalogue.Department(e.Keeper)
			r.report("YM-CAT-0402", text("要求申请人提交"+e.Name.ZH+"，而"+keeper.Name.ZH+"已经持有", "the applicant is asked for what the "+keeper.Name.EN+" holds: "+e.Name.EN),
				text("把 made_by: applicant 改为 alternatives: [["+string(e.Type)+"]]（《政务数据共享条例》第十九条）", "write alternatives: [["+string(e.Type)+"]] instead of made_by: applicant (Decree 809 art. 19)"))
			return
		}
	}
}

// bare is a name without the words that only say which copy of the paper is meant, or whose.
func bare(name string) string {
	for _, mark := range []string{"（", "("} {
		name, _, _ = strings.Cut(name, mark)
	}
	for _, tail := range []string{"原件及复印件", "原件和复印件", "复印件", "原件", "正本", "副本"} {
		name = strings.TrimSuffix(name, tail)
	}
	for _, head := range []string{"申请人", "本人", "申请单位"} {
		name = strings.TrimPrefix(name, head)
	}
	return strings.TrimPrefix(strings.TrimSpace(name), "的")
}

// unreachable finds alternatives that are met only where another one is met that asks for less.
func (r *reviewer) unreachable() {
	sets := r.material.Alternatives
	for i, set := range sets {
		for j, less := range sets {
			if i == j || !includes(set, less) || includes(less, set) && i < j {
				continue // of two that are the same the first stays
			}
			r.report("YM-CAT-0403", text("第 "+ordinal(i)+" 种办法永远用不到：满足它时，第 "+ordinal(j)+" 种已经满足", "alternative "+ordinal(i)+" never counts: whoever meets it meets alternative "+ordinal(j)+", which asks for less"),
				text("删去第 "+ordinal(i)+" 种办法，或改正其中一种的条件", "remove alternative "+ordinal(i)+", or mend the conditions of one"))
			break
		}
	}
}

// includes says whether all that less asks for is asked for by the set.
func includes(set, less catalogue.Alternative) bool {
	return !slices.ContainsFunc(less, func(n catalogue.Need) bool {
		return !slices.ContainsFunc(set, func(other catalogue.Need) bool { return covers(other, n) })
	})
}

// covers says whether whatever meets the one need meets the other.
func covers(one, other catalogue.Need) bool {
	return one.Evidence == other.Evidence && one.Of == other.Of && (other.When.IsZero() || one.When.String() == other.When.String())
}

// granted finds needs that no department may look up for the item, now or later.
func (r *reviewer) granted(n catalogue.Need) {
	grants := r.catalogue.Grants()
	serves := func(g catalogue.Grant) bool {
		return g.Item == r.service.Code && g.Evidence == n.Evidence && g.Until >= r.day
	}
	if len(grants) == 0 || slices.ContainsFunc(grants, serves) {
		return
	}
	r.report("YM-CAT-0406", text("没有任何部门获准为本事项核验 "+string(n.Evidence), "no department is granted "+string(n.Evidence)+" for this item"),
		text("向数源部门申请共享授权，写入 grants.yaml；不该共享的，改为 made_by: applicant", "ask the keeper for a grant and enter it in grants.yaml; where nothing is to be shared, write made_by: applicant"))
}

// told finds conditions that read more of a record than those who look it up for the item may see: whether it holds tells them something of
// a field that was not granted.
func (r *reviewer) told(n catalogue.Need) {
	var hidden, departments []string
	for _, g := range r.catalogue.Grants() {
		if g.Item != r.service.Code || g.Evidence != n.Evidence || g.Until < r.day {
			continue
		}
		for _, field := range n.When.Fields() {
			if !slices.Contains(g.Fields, field) {
				hidden, departments = append(hidden, field), append(departments, string(g.Department))
			}
		}
	}
	if hidden == nil {
		return
	}
	fields, to := distinct(hidden), distinct(departments)
	r.report("YM-CAT-0408", text("条件 "+n.When.String()+" 读 "+fields+"，而给 "+to+" 的授权不含：条件成不成立，就透露了它的一点内容",
		"the condition "+n.When.String()+" reads "+fields+", which the grant to "+to+" does not show: whether it holds tells something of it"),
		text("征得数源部门同意，在授权的 fields 里写上 "+fields+"；不该让对方知道的，从条件里去掉", "with the keeper's consent, add "+fields+" to the fields of the grant; where it is not to be known, take it out of the condition"))
}

// distinct are words in their order, each once.
func distinct(words []string) string {
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
