package national

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

func (r *reader) material(l line) {
	i := r.itemOf(l)
	if i == nil {
		l.wrong(implementation, text("事项表里没有这个事项", "there is no such item in the table of items"), text("查对实施编码；事项那一行有错的，先改那一行", "check the code; if the item's own row is wrong, mend that first"))
		return
	}
	m := catalogue.Material{Name: exchange.Text{ZH: l.need(materialName)}, Basis: exchange.Text{ZH: l.word(basis)}}
	if m.Basis.ZH == "" {
		m.Basis.ZH = i.basis
	}
	if m.Basis.ZH == "" {
		l.wrong(basis, text("是空的，事项的也是空的", "is empty, and so is the item's"), text("写明要这份材料的法规条款", "name the law that lets the item ask for it"))
	}
	switch word := l.need(necessity); word {
	case required, "":
	case optional:
		m.Optional = true
	case later:
		m.Deferrable = true
	default:
		l.noWord(necessity, word, []string{required, optional, later})
	}
	old, known := i.oldMaterial(l.word(materialCode), m.Name.ZH)
	rest := materialRest(old)
	if !known {
		rest.Alternatives = r.namedAs(m.Name.ZH)
	}
	unfold(l, &rest)
	m.Name.EN, m.Basis.EN, m.If, m.Alternatives = rest.EN, rest.BasisEN, rest.If, rest.Alternatives
	if m.Code = strings.ToLower(l.word(materialCode)); !exchange.ValidName(m.Code) {
		if m.Code = old.Code; !known {
			m.Code = fmt.Sprint("m", len(i.Materials)+1)
		}
	}
	if slices.ContainsFunc(i.Materials, func(other catalogue.Material) bool { return other.Code == m.Code }) {
		l.wrong(materialCode, text("该事项已有一份材料用这个编码", "another material of the item has the same code"), text("每份材料一个编码", "give each material its own"))
	}
	i.Materials = append(i.Materials, m)
}

// itemOf is the item whose material the row is.
func (r *reader) itemOf(l line) *item {
	if i, there := r.items[exchange.Item(l.word(localCode))]; there {
		return i
	}
	code := l.code(implementation)
	at := slices.IndexFunc(r.order, func(i *item) bool { return code != "" && i.National != nil && i.National.Implementation == code })
	if at < 0 {
		return nil
	}
	return r.order[at]
}

// oldMaterial is the material of the item in the catalogue with that code, or else that name.
func (i *item) oldMaterial(code, name string) (catalogue.Material, bool) {
	for _, same := range []func(catalogue.Material) bool{
		func(m catalogue.Material) bool { return m.Code == code },
		func(m catalogue.Material) bool { return m.Name.ZH == name },
	} {
		if at := slices.IndexFunc(i.old.Materials, same); at >= 0 {
			return i.old.Materials[at], true
		}
	}
	return catalogue.Material{}, false
}

// namedAs is the kind of evidence that has the material's name.
func (r *reader) namedAs(name string) []catalogue.Alternative {
	for _, e := range r.catalogue.EvidenceTypes() {
		if e.Name.ZH == name {
			return []catalogue.Alternative{{{Evidence: e.Type}}}
		}
	}
	return nil
}
