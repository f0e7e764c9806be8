package items

import (
	"net/http"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/contract"
)

// Desk is where items are drafted, reviewed, published and withdrawn: /v1/items/{code}/acts.
type Desk struct {
	Book *Book
	// Person says who sent a request, or why nobody can be told.
	Person func(*http.Request) (Person, error)
}

// Listing is the answer of GET /v1/item-editions.
type Listing struct {
	Items []Standing `json:"items"`
}

const exampleSource = `item: food-licence-copy
name: {zh: 食品经营许可证补证, en: Replacement of a food licence}
department: scjg
applicant: org
materials:
  - material: application
    name: {zh: 申请书, en: Application}
    basis: {zh: 食品经营许可和备案管理办法第三十四条}
    necessity: required
    made_by: applicant
`

// Operations are the addresses.
func (d *Desk) Operations() []contract.Operation {
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	service := catalogue.Service{Code: "food-licence-copy", Name: text("食品经营许可证补证", "Replacement of a food licence"), Department: "scjg", Applicant: exchange.Organisation,
		Materials: []catalogue.Material{{Code: "application", Name: text("申请书", "Application"), Basis: text("食品经营许可和备案管理办法第三十四条", "")}}}
	drafted, reviewed := Deed{"scjg/0021", at}, Deed{"scjg/0007", at.Add(time.Hour)}
	standing := Standing{Item: service.Code, Version: 1, Working: &Working{Stage: Drafted, Source: exampleSource, Service: &service, Drafted: drafted}, Editions: []Edition{}}
	published := Standing{Item: service.Code, Version: 3, Editions: []Edition{{Number: 1, From: "2027-01-01", Source: exampleSource, Service: &service, Drafted: drafted, Reviewed: reviewed, Published: reviewed}}}
	code := []contract.Parameter{{Name: "code", In: "path", Example: "food-licence-copy", About: text("事项代码", "the item's code")}}
	return []contract.Operation{
		{ID: "listItemEditions", Method: http.MethodGet, Path: "/v1/item-editions", Group: contract.Items, Do: d.list, Name: text("列出有改动的事项", "list items that were acted upon"),
			About: text("本部门的；管理员看全部。按代码排列。", "Those of the own department; administrators see all. By code."), Parts: contract.MaxPart,
			Answer: Listing{[]Standing{standing}}, Refusals: []error{mayNotEdit()}},
		{ID: "itemEditions", Method: http.MethodGet, Path: "/v1/items/{code}/editions", Group: contract.Items, Do: d.standing, Parameters: code, Name: text("一个事项的草稿与各版", "an item's draft and its editions"),
			About: text("每一版自哪天起生效，由谁起草、审核、公布。", "From which day each edition counts, and who drafted, reviewed and published it."), Answer: published,
			Refusals: []error{mayNotEdit(), notYours("scjg"), noSuchItem()}},
		{ID: "actOnItem", Method: http.MethodPost, Path: "/v1/items/{code}/acts", Group: contract.Items, Do: d.act, Parameters: code, Repeats: contract.Changes,
			Name: text("起草、审核、退回、公布、废止事项", "draft, review, return, publish or withdraw an item"),
			About: text("审核须由起草人以外的人。公布和废止自 from 那天起生效，不得早于今天。replaces 是所见的版本，先到者有效。留下审计记录。",
				"Who drafted it cannot review it. Publishing and withdrawing count from the day `from` on, which is not before today. replaces is the version seen; of two, the first counts. An audit entry is left."),
			Asked: Doing{Act: Draft, Source: exampleSource}, Answer: standing,
			Refusals: []error{badAct(), otherItem("food-licence-new"), noReason(), badDay(), personal(), mayNotEdit(), notYours("scjg"), samePerson(), nothingTo(Publish), outrun(&standing)}},
	}
}

func (d *Desk) list(r *http.Request) (any, error) {
	who, err := d.Person(r)
	if err != nil {
		return nil, err
	}
	all, err := d.Book.List(who)
	if err != nil {
		return nil, err
	}
	part, last, err := contract.Cut(r, all, func(g Standing) string { return string(g.Item) })
	return contract.Part{Answer: Listing{part}, Last: last}, err
}

func (d *Desk) standing(r *http.Request) (any, error) {
	who, err := d.Person(r)
	if err != nil {
		return nil, err
	}
	return d.Book.Standing(who, exchange.Item(r.PathValue("code")))
}

var howToAct = text(`写 {"act":"draft","replaces":0,"source":…}，或用 yimen item draft`, `send {"act":"draft","replaces":0,"source":…}, or use yimen item draft`)

func (d *Desk) act(r *http.Request) (any, error) {
	who, err := d.Person(r)
	if err != nil {
		return nil, err
	}
	asked, err := contract.Read[Doing](r, howToAct)
	if err != nil {
		return nil, err
	}
	return d.Book.Do(r.Context(), who, exchange.Item(r.PathValue("code")), asked)
}
