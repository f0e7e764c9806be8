package mapping

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// compiler gathers what it finds wrong, so that all of it is said at once.
type compiler struct {
	columns []string
	absent  []string
	targets map[string]string
	faults  Faults
}

func (c *compiler) problem() error {
	n := len(c.faults)
	return &exchange.Problem{Code: "YM-MAP-0200", Kind: exchange.Invalid,
		What: text("映射规则有 %d 处错误", "the mapping has %d mistakes", n),
		Mend: text("请按下列各条修改清单的 mapping", "mend the manifest's mapping as said"),
		Err:  c.faults}
}

func (c *compiler) wrong(pointer, code string, what, mend exchange.Text) {
	path := "mapping" + strings.ReplaceAll(pointer, "/", ".")
	c.faults = append(c.faults, Fault{Target: pointer, Code: code,
		What: exchange.Text{ZH: path + "：" + what.ZH, EN: path + ": " + what.EN}, Mend: mend})
}

func (c *compiler) collectColumns(rules Rules) {
	for _, r := range rules {
		c.columns = append(c.columns, r.Join...)
		if r.Column != "" {
			c.columns = append(c.columns, r.Column)
		}
		for _, item := range r.Items {
			if item.Column != "" {
				c.columns = append(c.columns, item.Column)
			}
		}
	}
	slices.Sort(c.columns)
	c.columns = slices.Compact(c.columns)
}

// tree builds the document's places from the dotted paths.
func (c *compiler) tree(rules Rules) *node {
	root := &node{fields: []*node{}}
	if len(rules) == 0 {
		c.wrong("", "YM-MAP-0201", text("没有任何规则", "has no rules"), text("请为每个要填的字段写一条规则", "write a rule for each property to be filled"))
	}
	for _, path := range slices.Sorted(maps.Keys(rules)) {
		at := c.place(root, path)
		if at == nil {
			continue
		}
		if at.rule != nil || at.fields != nil || at.elements != nil {
			c.wrong(at.pointer, "YM-MAP-0202", text("与另一条规则填写同一处", "fills the same place as another rule"),
				text("一个字段只能由一条规则填写", "leave one rule for each property"))
			continue
		}
		r := rules[path]
		at.rule = c.rule(at.pointer, &r)
		c.targets[at.pointer] = at.rule.name
	}
	c.gapless(root)
	return root
}

// place is the node at the dotted path, made where it is not there yet; nil after a complaint.
func (c *compiler) place(root *node, path string) *node {
	at := root
	for step := range strings.SplitSeq(path, ".") {
		pointer := at.pointer + "/" + step
		if step == "" || strings.ContainsAny(step, "/~ ") {
			c.wrong("/"+strings.ReplaceAll(path, "/", " "), "YM-MAP-0203", text("不是字段路径", "is not a path to a property"),
				text("写成 字段.子字段，列表用序号，例如 spouses.0.name", "write property.property, with a place in a list as a number: spouses.0.name"))
			return nil
		}
		index, err := strconv.Atoi(step)
		isIndex := err == nil && index >= 0 && index < 100 && at != root
		if at.rule != nil || isIndex && at.fields != nil && len(at.fields) > 0 || !isIndex && at.elements != nil {
			c.wrong(pointer, "YM-MAP-0202", text("与另一条规则填写同一处", "fills the same place as another rule"),
				text("一个字段要么是值，要么是对象，要么是列表", "a property is a value, an object or a list"))
			return nil
		}
		if isIndex {
			at = at.element(index, pointer)
		} else {
			at = at.field(step, pointer)
		}
	}
	return at
}

func (n *node) field(name, pointer string) *node {
	for _, f := range n.fields {
		if f.name == name {
			return f
		}
	}
	f := &node{name: name, pointer: pointer}
	n.fields = append(n.fields, f)
	return f
}

func (n *node) element(index int, pointer string) *node {
	for len(n.elements) <= index {
		n.elements = append(n.elements, nil)
	}
	if n.elements[index] == nil {
		n.elements[index] = &node{pointer: pointer}
	}
	return n.elements[index]
}

// gapless refuses lists whose places are not counted 0, 1, 2 …
func (c *compiler) gapless(n *node) {
	for _, f := range n.fields {
		c.gapless(f)
	}
	for i, e := range n.elements {
		if e == nil {
			c.wrong(n.pointer, "YM-MAP-0204", text("列表缺少第 %d 项", "lacks the list's place %d", i), text("序号从 0 起连续编写", "count places from 0 without a gap"))
			return
		}
		c.gapless(e)
	}
}

func (c *compiler) rule(pointer string, r *Rule) *rule {
	u := &rule{absent: c.absent, with: r.With, split: r.Split, join: len(r.Join) > 0}
	switch c.origin(pointer, r); {
	case r.Constant != nil:
		u.constant = c.scalar(pointer, "constant", r.Constant)
		return u
	case len(r.Items) > 0:
		c.items(pointer, u, r)
		return u
	case r.Column != "":
		c.uses(u, r.Column)
	default:
		c.uses(u, r.Join...)
	}
	reader := r
	if r.Split != "" && r.Each != nil {
		reader = r.Each
		if own := *r; own.As+own.Currency != "" || own.Table != nil || own.Otherwise != nil || own.Open {
			c.wrong(pointer, "YM-MAP-0205", text("有 each 时，读法应写在 each 中", "says how to read outside of each"), text("把 as、table 等移入 each", "move as, table and the like into each"))
		}
	}
	u.convert = c.conversion(pointer, reader)
	return u
}

// origin sees to it that exactly one thing says where the value comes from, and that nothing else is set in vain.
func (c *compiler) origin(pointer string, r *Rule) {
	origins := 0
	for _, set := range []bool{r.Column != "", r.Constant != nil, len(r.Join) > 0, len(r.Items) > 0} {
		if set {
			origins++
		}
	}
	if origins != 1 {
		c.wrong(pointer, "YM-MAP-0206", text("应恰好写明一个来源", "must say one origin"), text("column、constant、join、items 四者选一", "give one of column, constant, join and items"))
	}
	vain := func(set bool, key, needs string) {
		if set {
			c.wrong(pointer, "YM-MAP-0207", text("%s 只与 %s 同用", "%s goes with %s only", key, needs), text("删去 %s", "leave %s out", key))
		}
	}
	vain(r.With != "" && len(r.Join) == 0, "with", "join")
	vain(r.Each != nil && (r.Split == "" || len(r.Items) > 0), "each", "split")
	vain(r.Split != "" && r.Constant != nil, "split", "column")
	vain(r.Constant != nil && (r.As+r.Currency != "" || r.Open || r.Table != nil || r.Otherwise != nil), "as / table", "column")
	vain(len(r.Items) > 0 && (r.As+r.Currency != "" || r.Open || r.Table != nil || r.Otherwise != nil), "as / table", "column")
	if len(r.Items) > 0 && r.Split == "" {
		c.wrong(pointer, "YM-MAP-0208", text("items 需要 split", "has items without split"), text("用 split 写明各部分之间的分隔符，例如 、", "say with split what stands between the parts, such as 、"))
	}
	if r.Each != nil {
		e := r.Each
		if e.Column != "" || e.Constant != nil || len(e.Join) > 0 || len(e.Items) > 0 || e.Split != "" || e.Each != nil {
			c.wrong(pointer, "YM-MAP-0209", text("each 中只写读法", "has more than a way of reading in each"), text("each 中只写 as、currency、table、otherwise、open", "leave as, currency, table, otherwise and open in each"))
		}
	}
}

func (c *compiler) items(pointer string, u *rule, r *Rule) {
	for _, name := range slices.Sorted(maps.Keys(r.Items)) {
		item := r.Items[name]
		at := pointer + "/*/" + name
		if len(item.Join) > 0 || item.Split != "" || len(item.Items) > 0 || strings.Contains(name, ".") {
			c.wrong(at, "YM-MAP-0210", text("items 中只能是单列或常数", "must be one column or a constant inside items"), text("不要在 items 中再用 join、split、items", "use no join, split or items inside items"))
			continue
		}
		sub := c.rule(at, &item)
		u.items = append(u.items, &node{name: name, pointer: at, rule: sub})
		c.targets[at] = sub.name
		u.columns = append(u.columns, sub.columns...)
		if sub.name != "" {
			u.name = strings.TrimPrefix(u.name+" + "+sub.name, " + ")
		}
	}
	if len(u.columns) == 0 {
		c.wrong(pointer, "YM-MAP-0206", text("items 中没有任何列", "has no column in items"), text("至少一项应来自一列", "take one of them from a column"))
	}
}

func (c *compiler) uses(u *rule, columns ...string) {
	for _, name := range columns {
		at, _ := slices.BinarySearch(c.columns, name)
		u.columns = append(u.columns, at)
	}
	u.name = strings.Join(columns, " + ")
}
