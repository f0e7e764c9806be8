package doubts

import (
	"net/http"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/workdays"
)

// Desk is where doubts are raised and answered: /v1/doubts.
type Desk struct {
	Book *Book
	// Person says who sent a request, or why nobody can be told.
	Person func(*http.Request) (Person, error)
}

// Listing is the answer of GET /v1/doubts.
type Listing struct {
	Doubts []Standing `json:"doubts"`
}

// Operations are the addresses.
func (d *Desk) Operations() []contract.Operation {
	const receipt, record = "01KAQ6M3K8ZD2W7N5YB4T9XE1C", "7d0f6a3c1b2e495880c6d1a2b3f4e5d6"
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	raised := Standing{ID: "d-a2b3c4d5e6", Status: Raised, Version: 1, Department: "xzsp", Keeper: "scjg", Evidence: "business-licence", Record: record, Doubted: 7,
		Fields: []string{"address"}, Receipt: receipt, Reason: "与原件住所不符", Raised: at, Asker: "xzsp/0017", Clock: &workdays.Clock{Article: 26, Due: "2026-12-07"}}
	accepted := raised
	accepted.Status, accepted.Version, accepted.Decided, accepted.Decider, accepted.Receipt = Accepted, 2, at.Add(time.Hour), "scjg/0021", ""
	doubt := contract.Parameter{Name: "doubt", In: "path", Example: raised.ID, About: text("疑义编号", "the doubt's id")}
	return []contract.Operation{
		{ID: "listDoubts", Method: http.MethodGet, Path: "/v1/doubts", Group: contract.Doubts, Do: d.list, Name: text("列出疑义", "list doubts"),
			About: text("本部门提出的；数源部门的共享负责人另见本部门证照的；管理员和审计看全部，不含所写理由。由旧到新。", "Those of the own department; the keeper's head of sharing sees those about its evidence too; administrators and auditors see all without what was written. Oldest first."), Parts: contract.MaxPart,
			Answer: Listing{[]Standing{raised}}},
		{ID: "raiseDoubt", Method: http.MethodPost, Path: "/v1/doubts", Group: contract.Doubts, Do: d.raise, Repeats: contract.Changes, Name: text("提出疑义", "raise a doubt"),
			About: text("对本部门所得结论依据的一条记录提出疑义，由数源部门在 10 个工作日内核实、更正、答复。所写理由加密留存。留下审计记录。", "Doubts a record that an answer to the own department rested on; the keeper verifies, corrects and answers within 10 working days. The reason is kept sealed. An audit entry is left."),
			Asked: Raising{Receipt: receipt, Record: record, Fields: raised.Fields, Reason: raised.Reason}, Answer: raised,
			Refusals: []error{incomplete([]exchange.Text{text("没有写明理由", "the reason is missing")}), notRelied(), raisedAlready(raised.ID)}},
		{ID: "decideDoubt", Method: http.MethodPost, Path: "/v1/doubts/{doubt}/decisions", Group: contract.Doubts, Do: d.decide, Repeats: contract.Changes, Name: text("答复或撤回疑义", "answer or withdraw a doubt"),
			About: text("数源部门认定属实（accept，随后更正并发布新版本，平台自行发现）或不属实（reject，须说明理由）；提出部门撤回（withdraw）。replaces 是所见的版本，先到者有效。",
				"The keeper accepts it, then corrects and publishes a new version, which the exchange notices, or rejects it with the reason; the department that raised it withdraws it. replaces is the version seen; of two, the first counts."),
			Parameters: []contract.Parameter{doubt}, Asked: Decision{Act: Accept, Replaces: 1}, Answer: accepted,
			Refusals: []error{noSuchDoubt(), badAct(), noReason(), outrun(&doubtExample), cannot(Accept, Rejected), onlyKeeper("scjg"), sameperson(), notYourDoubt()}},
		{ID: "reachOfDoubt", Method: http.MethodGet, Path: "/v1/doubts/{doubt}/reliances", Group: contract.Doubts, Do: d.reach, Name: text("谁依据过这条记录", "who relied on it"),
			About:      text("更正之前依据这条记录的结论和办件：数源部门看各部门的数目，办理人看自己的办件，监察人员看本部门的办件。", "Answers and cases that rested on the record before it was corrected: the keeper sees how many of each department, clerks their own cases, supervisors those of their department."),
			Parameters: []contract.Parameter{doubt}, Refusals: []error{noSuchDoubt()},
			Answer: Reach{Doubt: raised.ID, Before: 8, Departments: []Count{{"xzsp", 2, 1}},
				Reliances: []Reliance{{Receipt: receipt, Time: at, Department: "xzsp", Clerk: "0017", Case: "LL-2026-1123-0041", Evidence: "business-licence", Version: 7}}}},
	}
}

var doubtExample = doubt{version: 2, status: Rejected}

// as finds out who asks before anything is done.
func as[T any](d *Desk, r *http.Request, do func(Person) (T, error)) (any, error) {
	who, err := d.Person(r)
	if err != nil {
		return nil, err
	}
	return do(who)
}

func (d *Desk) list(r *http.Request) (any, error) {
	return as(d, r, func(who Person) (contract.Part, error) {
		part, last, err := contract.Cut(r, d.Book.known(who), func(d doubt) string { return contract.ByAge(d.raised, d.id) })
		if err != nil {
			return contract.Part{}, err
		}
		shown, err := d.Book.show(r.Context(), who, part)
		return contract.Part{Answer: Listing{shown}, Last: last}, err
	})
}

var howToRaise = text(`写 {"receipt":…,"record":…,"fields":[…],"reason":…}，或用 yimen doubt raise`, `send {"receipt":…,"record":…,"fields":[…],"reason":…}, or use yimen doubt raise`)

func (d *Desk) raise(r *http.Request) (any, error) {
	return as(d, r, func(who Person) (Standing, error) {
		asked, err := contract.Read[Raising](r, howToRaise)
		if err != nil {
			return Standing{}, err
		}
		return d.Book.Raise(r.Context(), who, asked)
	})
}

var howToDecide = text(`写 {"act":"accept","replaces":1,"reason":…}，或用 yimen doubt answer`, `send {"act":"accept","replaces":1,"reason":…}, or use yimen doubt answer`)

func (d *Desk) decide(r *http.Request) (any, error) {
	return as(d, r, func(who Person) (Standing, error) {
		asked, err := contract.Read[Decision](r, howToDecide)
		if err != nil {
			return Standing{}, err
		}
		return d.Book.Decide(r.Context(), who, r.PathValue("doubt"), asked)
	})
}

func (d *Desk) reach(r *http.Request) (any, error) {
	return as(d, r, func(who Person) (Reach, error) { return d.Book.Reach(r.Context(), who, r.PathValue("doubt")) })
}
