package grants

import (
	"net/http"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/workdays"
)

// Desk is where departments ask for grants and keepers decide on them: /v1/grants.
type Desk struct {
	Book *Book
	// Person says who sent a request, or why nobody can be told.
	Person func(*http.Request) (Person, error)
}

// Application is the body of POST /v1/grants: what art. 20 asks of a request. The department is the caller's, the method a query.
type Application struct {
	Evidence exchange.EvidenceType `json:"evidence"`
	Item     exchange.Item         `json:"item"`
	Fields   []string              `json:"fields"` // none: only whether it is held
	Basis    exchange.Text         `json:"basis"`
	From     exchange.Date         `json:"from"`
	Until    exchange.Date         `json:"until"`
}

// Listing is the answer of GET /v1/grants.
type Listing struct {
	Grants []Standing `json:"grants"`
}

// Operations are the addresses.
func (d *Desk) Operations() []contract.Operation {
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	terms := catalogue.Grant{Department: "xzsp", Evidence: "business-licence", Item: "food-licence-new", Fields: []string{"name", "creditCode"},
		Basis: text("食品安全法第三十五条", "Food Safety Law, art. 35"), From: "2026-12-01", Until: "2027-11-30"}
	asked := Standing{ID: "g-a2b3c4d5e6", Terms: terms, Status: Requested, Version: 1, Class: catalogue.Unconditional, Requested: at, Asker: "xzsp/0017",
		Clock: &workdays.Clock{Article: 21, Due: "2026-11-24"}}
	granted := asked
	granted.Status, granted.Version, granted.Decided, granted.Decider, granted.Clock = Granted, 2, at.Add(time.Hour), "scjg/0021", nil
	word := func(name, example string, zh, en string) contract.Parameter {
		return contract.Parameter{Name: name, In: "query", Example: example, About: text(zh, en)}
	}
	return []contract.Operation{
		{ID: "listGrants", Method: http.MethodGet, Path: "/v1/grants", Group: contract.Grants, Do: d.list, Name: text("列出共享授权", "list grants"),
			About: text("本部门申请的、本部门作为数源部门的授权；管理员看全部。按编号排列。", "Grants asked for by the own department, or of types it keeps; administrators see all. By id."), Parts: contract.MaxPart,
			Answer: Listing{[]Standing{asked}}, Refusals: []error{mayNotDeal()}},
		{ID: "requestGrant", Method: http.MethodPost, Path: "/v1/grants", Group: contract.Grants, Do: d.ask, Repeats: contract.Changes, Name: text("申请共享授权", "request a grant"),
			About: text("以本部门名义申请。缺漏一次性告知；留下审计记录。部门的共享负责人可用。", "Asks in the name of the own department. What is missing is told at once; an audit entry is left. For a department's head of sharing."),
			Asked: Application{terms.Evidence, terms.Item, terms.Fields, terms.Basis, terms.From, terms.Until}, Answer: asked,
			Refusals: []error{incomplete([]exchange.Text{text("缺少法律依据（法律、条、款）", "the legal basis is missing (law, article, paragraph)")}), mayNotDeal(),
				notShared(catalogue.Evidence{Name: text("某类证照", "some evidence"), SharingBasis: text("某法第一条", "some law, art. 1")})}},
		{ID: "decideGrant", Method: http.MethodPost, Path: "/v1/grants/{grant}/decisions", Group: contract.Grants, Do: d.decide, Repeats: contract.Changes, Name: text("决定共享授权", "decide on a grant"),
			About: text("数源部门同意、拒绝、暂停、恢复或撤销；管理员可延长答复期限、暂停、恢复、撤销。replaces 是所见的版本，先到者有效。暂停和撤销即刻生效。",
				"The keeper approves, refuses, suspends, resumes or revokes; administrators extend the time to answer, suspend, resume and revoke. replaces is the version seen; of two, the first counts. A suspension or revocation counts at once."),
			Parameters: []contract.Parameter{{Name: "grant", In: "path", Example: "g-a2b3c4d5e6", About: text("授权编号", "the grant's id")}},
			Asked:      Decision{Act: Approve, Replaces: 1}, Answer: granted,
			Refusals: []error{noSuchGrant(), badAct(), noReason(), outrun(&granted), cannot(Approve, Revoked), notYours("scjg"), sameperson(), overlaps(&granted), onlyAuthority(), extendedAlready()}},
		{ID: "checkGrant", Method: http.MethodGet, Path: "/v1/grants/check", Group: contract.Grants, Do: d.check, Name: text("核对共享授权", "check a grant"),
			About: text("某部门今天能否为某事项查看某类证照的某些字段，不能的话为什么。", "Whether a department may see fields of a type for an item today, and why not."),
			Parameters: []contract.Parameter{word("department", "xzsp", "部门；省略即本部门", "the department; the own one where it is left out"), word("item", "food-licence-new", "事项", "the item"),
				word("evidence", "business-licence", "证照类型", "the evidence type"), word("fields", "name,creditCode", "字段，逗号分隔", "fields, with commas between")},
			Answer: Verdict{Allowed: true, Day: "2026-12-01", Grant: asked.ID, Fields: terms.Fields, Until: terms.Until}, Refusals: []error{mayNotDeal()}},
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
	part, last, err := contract.Cut(r, all, func(g Standing) string { return g.ID })
	return contract.Part{Answer: Listing{part}, Last: last}, err
}

var howToAsk = text(`写 {"evidence":…,"item":…,"fields":[…],"basis":{"zh":…,"en":…},"from":…,"until":…}，或用 yimen grant request`,
	`send {"evidence":…,"item":…,"fields":[…],"basis":{"zh":…,"en":…},"from":…,"until":…}, or use yimen grant request`)

func (d *Desk) ask(r *http.Request) (any, error) {
	who, err := d.Person(r)
	if err != nil {
		return nil, err
	}
	a, err := contract.Read[Application](r, howToAsk)
	if err != nil {
		return nil, err
	}
	terms := catalogue.Grant{Evidence: a.Evidence, Item: a.Item, Fields: a.Fields, Basis: a.Basis, From: a.From, Until: a.Until}
	return d.Book.Ask(r.Context(), who, terms)
}

var howToDecide = text(`写 {"act":"approve","replaces":1,"reason":…}，或用 yimen grant approve`, `send {"act":"approve","replaces":1,"reason":…}, or use yimen grant approve`)

func (d *Desk) decide(r *http.Request) (any, error) {
	who, err := d.Person(r)
	if err != nil {
		return nil, err
	}
	asked, err := contract.Read[Decision](r, howToDecide)
	if err != nil {
		return nil, err
	}
	return d.Book.Decide(r.Context(), who, r.PathValue("grant"), asked)
}

func (d *Desk) check(r *http.Request) (any, error) {
	who, err := d.Person(r)
	if err != nil {
		return nil, err
	}
	asked := r.URL.Query()
	q := Question{Department: exchange.Department(asked.Get("department")), Item: exchange.Item(asked.Get("item")), Evidence: exchange.EvidenceType(asked.Get("evidence"))}
	if q.Department == "" {
		q.Department = who.Department
	}
	kind, _ := d.Book.cfg.Current().Evidence(q.Evidence)
	if !who.Admin && q.Department != who.Department && (!who.Sharing || kind.Keeper != who.Department) {
		return nil, mayNotDeal()
	}
	if fields := asked.Get("fields"); fields != "" {
		q.Fields = strings.Split(fields, ",")
	}
	return d.Book.Check(q), nil
}
