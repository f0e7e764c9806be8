package national

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// Read takes the items from a list: the content of the catalogue's files, by the code of the item. Departments and kinds of evidence
// are those of the catalogue that the parts make; where a list lacks 扩展信息, what it says of an item that it knows stays. All that is
// wrong is told at once, each with file, line and column, and then there are no items.
func Read(parts []fs.FS, list List, codes Codes) (map[exchange.Item][]byte, error) {
	if err := codes.Check(); err != nil {
		return nil, err
	}
	c, err := catalogue.Load(parts...)
	if err != nil {
		return nil, err
	}
	r := reader{catalogue: c, items: map[exchange.Item]*item{}}
	items, materials := r.open(list.Items, itemFields, codes), r.open(list.Materials, materialFields, codes)
	if len(r.all) > 0 { // without its columns a table says nothing
		return nil, r.err()
	}
	for _, row := range items.Rows {
		r.item(line{items, row})
	}
	for _, row := range materials.Rows {
		r.material(line{materials, row})
	}
	for _, i := range r.order {
		if len(i.Materials) == 0 {
			r.at(list.Items, i.from.Line, "", text("该事项没有材料", "the item has no material"), text("在材料表里为它写至少一行", "write a row for it in the table of materials"))
		}
	}
	if len(r.all) > 0 {
		return nil, r.err()
	}
	return r.written(parts)
}

type reader struct {
	findings
	catalogue *catalogue.Catalogue
	items     map[exchange.Item]*item
	order     []*item
}

// item is an item that is being read, with the row it stands in.
type item struct {
	catalogue.Service
	from  line
	basis string            // of materials that have none of their own
	old   catalogue.Service // the item of the catalogue
}

func (r *reader) item(l line) {
	i := &item{from: l, basis: l.word(basis)}
	i.Name.ZH = l.need(itemName)
	i.National = national(l)
	if i.Code = r.codeOf(l, i.National); i.Code == "" {
		l.wrong(localCode, text("事项没有代码", "the item has no code"), text("填写实施编码和基本编码，或地方实施编码", "fill in the national codes, or a local one"))
		return
	}
	if twice, there := r.items[i.Code]; there {
		l.wrong("", text(fmt.Sprintf("与第 %d 行是同一个事项", twice.from.Line), fmt.Sprintf("is the same item as line %d", twice.from.Line)),
			text("删去其中一行", "remove one of them"))
		return
	}
	i.old, _ = r.catalogue.Service(i.Code)
	i.Department, i.Applicant = r.department(l), applicant(l)
	i.Limits = catalogue.Limits{Statutory: days(l, statutory, statutoryUnit), Promised: days(l, promised, promisedUnit)}
	if l := i.Limits; l.Statutory != nil && l.Promised != nil && *l.Promised > *l.Statutory {
		i.from.wrong(promised, text("长于法定办结时限", "is longer than the statutory limit"), text("查对两个时限", "check both limits"))
	}
	rest := itemRest(i.old)
	unfold(l, &rest)
	i.Name.EN, i.Facts, i.Fees = rest.EN, rest.Facts, fees(l, rest.Fees)
	r.items[i.Code], r.order = i, append(r.order, i)
}

// codeOf is the item's code in the catalogue: the local one, or that of the item with the same basic code, or one made of that.
func (r *reader) codeOf(l line, n *catalogue.National) exchange.Item {
	if local := l.word(localCode); exchange.ValidName(local) {
		return exchange.Item(local)
	}
	if n == nil {
		return ""
	}
	for _, s := range r.catalogue.Services() {
		if s.National != nil && s.National.Basic == n.Basic {
			return s.Code
		}
	}
	return exchange.Item("item-" + n.Basic)
}

func national(l line) *catalogue.National {
	before := len(l.all)
	n := catalogue.National{Basic: l.code(basicCode), Implementation: l.code(implementation), Type: l.word(itemType)}
	lost := len(l.all) > before
	if n.Type != "" && !slices.Contains(catalogue.TaskTypes(), n.Type) {
		l.noWord(itemType, n.Type, catalogue.TaskTypes())
	}
	if lost || n.Basic == "" && n.Implementation == "" {
		return nil
	}
	if p, ok := n.Check().(*exchange.Problem); ok {
		l.wrong(implementation, p.What, p.Mend)
		return nil
	}
	return &n
}

// department finds the department by its name or code.
func (r *reader) department(l line) exchange.Department {
	said := l.need(department)
	var names []string
	for _, d := range r.catalogue.Departments() {
		if said == d.Name.ZH || said == string(d.Code) {
			return d.Code
		}
		names = append(names, d.Name.ZH)
	}
	if said != "" {
		l.noWord(department, said, names)
	}
	return ""
}

func applicant(l line) exchange.HolderKind {
	var person, org bool
	for _, word := range strings.Split(l.codes.each(l.need(applicants), l.codes.ours), "、") {
		switch {
		case word == natural:
			person = true
		case slices.Contains(legal, word):
			org = true
		case word != "":
			l.noWord(applicants, word, append([]string{natural}, legal...))
		}
	}
	switch {
	case person && !org:
		return exchange.Person
	case org && !person:
		return exchange.Organisation
	}
	return ""
}

// days reads a limit. Other units than working days are not guessed at.
func days(l line, column, unit string) *int {
	said := l.word(column)
	if said == "" {
		return nil
	}
	n, err := strconv.Atoi(said)
	if err != nil || n < 0 || n > catalogue.MaxDays {
		l.wrong(column, text("不是工作日数", "is no number of working days"), text(fmt.Sprintf("写 0 至 %d 的整数；即办写 0", catalogue.MaxDays), fmt.Sprintf("write a whole number from 0 to %d, 0 for at once", catalogue.MaxDays)))
		return nil
	}
	if u := l.word(unit); u != "" && u != workingDays && n > 0 {
		l.noWord(unit, u, []string{workingDays})
	}
	return &n
}

// fees reads the fees of an item, a line of the cell for each.
func fees(l line, rest []feeMore) []catalogue.Fee {
	charged := l.word(charges)
	if charged != "" && charged != yes && charged != no {
		l.noWord(charges, charged, []string{yes, no})
	}
	if charged == no || charged == "" && l.word(feeYuan) == "" {
		return nil
	}
	names, yuan, bases := lines(l.need(feeName)), lines(l.need(feeYuan)), lines(l.need(feeBasis))
	if len(names) != len(yuan) || len(names) != len(bases) {
		l.wrong(feeYuan, text("收费项目、标准、依据的行数不同", "there are not as many amounts as names and bases"), text("每项收费在三个单元格里各占一行", "give each fee a line in each of the three cells"))
		return nil
	}
	var all []catalogue.Fee
	for i, name := range names {
		fee := catalogue.Fee{Name: exchange.Text{ZH: name}, Yuan: yuan[i], Basis: exchange.Text{ZH: bases[i]}}
		if i < len(rest) {
			fee.Name.EN, fee.Basis.EN = rest[i].EN, rest[i].BasisEN
		}
		all = append(all, fee)
	}
	return all
}

func lines(cell string) []string {
	if cell == "" {
		return nil
	}
	all := strings.Split(cell, many)
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// unfold reads 扩展信息 over what is there; an empty cell leaves it.
func unfold[T any](l line, into *T) {
	said := l.raw(more)
	if said == "" {
		return
	}
	decoder := json.NewDecoder(strings.NewReader(said))
	decoder.DisallowUnknownFields()
	var fresh T
	if err := decoder.Decode(&fresh); err != nil || decoder.More() {
		l.wrong(more, text("不是 yimen item export 写的那种 JSON", "is not JSON as yimen item export writes it"), text("删去这一格，或从导出的清单里抄", "leave the cell empty, or copy it from an exported list"))
		return
	}
	*into = fresh
}
