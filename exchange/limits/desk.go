package limits

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/contract"
)

// Desk is where administrators and supervisors see suspensions and lift them: GET /v1/limits and POST /v1/limits/lift.
type Desk struct {
	Limits *Limits
	// Admin says who sent a request, as department/clerk, or why that may not see or lift anything.
	Admin func(*http.Request) (who string, err error)
	// Append makes an entry durable. What it lifts is lifted once the nodes have folded it.
	Append func(ctx context.Context, e audit.Entry) error
}

// Listing is the answer of GET /v1/limits.
type Listing struct {
	Suspensions []Suspension `json:"suspensions"`
}

// liftRequest is the body of POST /v1/limits/lift.
type liftRequest struct {
	Target string `json:"target"` // department/clerk, or a department
	Reason string `json:"reason"` // a reference to the decision, which stands in the audit log: no text
}

// Lift is the answer, which says what was in force.
type Lift struct {
	Target string `json:"target"`
	Reason string `json:"reason"`
	Lifted []Rule `json:"lifted,omitempty"`
}

// Operations are both addresses.
func (d *Desk) Operations() []contract.Operation {
	return []contract.Operation{
		{ID: "listSuspensions", Method: http.MethodGet, Path: "/v1/limits", Group: contract.Limits, Do: d.list,
			Name: text("列出暂停", "list suspensions"), About: text("被暂停的账号和部门，及其原因。管理员可用。", "The accounts and departments that are suspended, and why. For administrators."),
			Answer: Listing{[]Suspension{{Department: "xzsp", Clerk: "0017", Rule: neighbours, What: neighbours.Text(), Since: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)}}}},
		{ID: "liftSuspension", Method: http.MethodPost, Path: "/v1/limits/lift", Group: contract.Limits, Do: d.lift, Repeats: contract.Changes,
			Name: text("解除暂停", "lift a suspension"), About: text("解除对一个账号或部门的暂停，留下审计记录。不能解除对自己的。", "Lifts the suspension of an account or a department, and leaves an audit entry. Nobody can lift their own."),
			Asked: liftRequest{Target: "xzsp/0017", Reason: "JC-2026-014"}, Answer: Lift{Target: "xzsp/0017", Reason: "JC-2026-014", Lifted: []Rule{neighbours}},
			Refusals: []error{badReason(), ownLift(), nobodyThere()}},
	}
}

func (d *Desk) list(r *http.Request) (any, error) {
	_, err := d.Admin(r)
	return Listing{d.Limits.Suspensions()}, err
}

func (d *Desk) lift(r *http.Request) (any, error) {
	who, err := d.Admin(r)
	if err != nil {
		return nil, err
	}
	asked, err := contract.Read[liftRequest](r, liftForm)
	if err != nil {
		return nil, err
	}
	if err := d.check(asked, who); err != nil {
		return nil, err
	}
	done := Lift{Target: asked.Target, Reason: asked.Reason}
	for _, s := range d.Limits.Suspensions() {
		if s.Target() == asked.Target {
			done.Lifted = append(done.Lifted, s.Rule)
		}
	}
	e := audit.Entry{Kind: audit.Act, Act: LiftAct, Target: asked.Target, Case: asked.Reason, Clerk: who}
	if department, clerk, joined := strings.Cut(who, "/"); joined {
		e.Department, e.Clerk = exchange.Department(department), clerk
	}
	if err := d.Append(r.Context(), e); err != nil {
		return nil, err
	}
	return done, nil
}

// check refuses what must not come into the log: only those who have asked can be named, since anything may have been typed.
func (d *Desk) check(asked liftRequest, who string) error {
	probe := audit.Entry{Department: "a", Clerk: "a", Case: asked.Reason}
	switch {
	case !d.Limits.knows(asked.Target):
		return nobodyThere()
	case probe.CheckAsker() != nil:
		return badReason()
	case asked.Target == who:
		return ownLift()
	}
	return nil
}
