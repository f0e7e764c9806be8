package national

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/condition"
)

// itemMore is what the national fields cannot say of an item.
type itemMore struct {
	EN    string           `json:"en,omitempty"`
	Fees  []feeMore        `json:"fees,omitempty"` // by the order of the fees
	Facts []catalogue.Fact `json:"facts,omitempty"`
}

type feeMore struct {
	EN      string `json:"en"`
	BasisEN string `json:"basis_en"`
}

// materialMore is what the national fields cannot say of a material.
type materialMore struct {
	EN           string                  `json:"en,omitempty"`
	BasisEN      string                  `json:"basis_en,omitempty"`
	If           condition.Condition     `json:"if,omitzero"`
	Alternatives []catalogue.Alternative `json:"alternatives,omitempty"` // none: made by the applicant
}

// Of is the list of all items of the catalogue, as the source of the codes writes it.
func Of(c *catalogue.Catalogue, codes Codes) (List, error) {
	list := List{Items: codes.table(itemFields), Materials: codes.table(materialFields)}
	for _, s := range c.Services() {
		cells, err := itemCells(c, s)
		if err != nil {
			return List{}, err
		}
		list.Items.add(codes, itemFields, cells)
		for _, m := range s.Materials {
			cells, err := materialCells(s, m)
			if err != nil {
				return List{}, err
			}
			list.Materials.add(codes, materialFields, cells)
		}
	}
	return list, nil
}

func (c Codes) table(fields []field) Table {
	var t Table
	for _, f := range fields {
		t.Columns = append(t.Columns, c.header(f.name))
	}
	return t
}

// add appends a row; cells are the list's words by column.
func (t *Table) add(codes Codes, fields []field, cells map[string]string) {
	row := Row{Line: len(t.Rows) + 2}
	for _, f := range fields {
		said := codes.theirs(f.name, cells[f.name])
		if f.name == applicants {
			said = codes.each(cells[f.name], codes.theirs)
		}
		row.Cells = append(row.Cells, said)
	}
	t.Rows = append(t.Rows, row)
}

// each turns every one of several applicants.
func (c Codes) each(all string, turn func(column, word string) string) string {
	words := strings.FieldsFunc(all, separates)
	for i := range words {
		words[i] = turn(applicants, strings.TrimSpace(words[i]))
	}
	return strings.Join(words, "、")
}

func separates(r rune) bool { return strings.ContainsRune("、，,;；^|/", r) }

func itemCells(c *catalogue.Catalogue, s catalogue.Service) (map[string]string, error) {
	d, _ := c.Department(s.Department)
	cells := map[string]string{localCode: string(s.Code), itemName: s.Name.ZH, department: d.Name.ZH, applicants: applicantsOf(s.Applicant), charges: no}
	if s.National != nil {
		cells[basicCode], cells[implementation], cells[itemType] = s.National.Basic, s.National.Implementation, s.National.Type
	}
	limit := func(days *int, column, unit string) {
		if days != nil {
			cells[column], cells[unit] = strconv.Itoa(*days), workingDays
		}
	}
	limit(s.Limits.Statutory, statutory, statutoryUnit)
	limit(s.Limits.Promised, promised, promisedUnit)
	var names, yuan, bases []string
	for _, fee := range s.Fees {
		cells[charges] = yes
		names, yuan, bases = append(names, fee.Name.ZH), append(yuan, fee.Yuan), append(bases, fee.Basis.ZH)
	}
	cells[feeName], cells[feeYuan], cells[feeBasis] = strings.Join(names, many), strings.Join(yuan, many), strings.Join(bases, many)
	var err error
	cells[more], err = folded(itemRest(s))
	return cells, err
}

func itemRest(s catalogue.Service) itemMore {
	rest := itemMore{EN: s.Name.EN, Facts: s.Facts}
	for _, fee := range s.Fees {
		rest.Fees = append(rest.Fees, feeMore{fee.Name.EN, fee.Basis.EN})
	}
	return rest
}

func materialRest(m catalogue.Material) materialMore {
	return materialMore{m.Name.EN, m.Basis.EN, m.If, m.Alternatives}
}

func applicantsOf(kind exchange.HolderKind) string {
	switch kind {
	case exchange.Person:
		return natural
	case exchange.Organisation:
		return "企业法人、事业法人、社会组织法人、非法人企业、其他组织"
	}
	return "自然人、企业法人、事业法人、社会组织法人、非法人企业、其他组织"
}

func materialCells(s catalogue.Service, m catalogue.Material) (map[string]string, error) {
	cells := map[string]string{localCode: string(s.Code), materialCode: m.Code, materialName: m.Name.ZH, necessity: required, basis: m.Basis.ZH}
	if s.National != nil {
		cells[implementation] = s.National.Implementation
	}
	switch {
	case m.Optional:
		cells[necessity] = optional
	case m.Deferrable:
		cells[necessity] = later
	}
	var err error
	cells[more], err = folded(materialRest(m))
	return cells, err
}

// folded is the JSON of 扩展信息, for people to read as well.
func folded(rest any) (string, error) {
	var said strings.Builder
	e := json.NewEncoder(&said)
	e.SetEscapeHTML(false)
	err := e.Encode(rest)
	return strings.TrimSpace(said.String()), err
}
