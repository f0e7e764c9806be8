package limits

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// Desk is where administrators and supervisors see suspensions and lift them: GET /v1/limits and POST /v1/limits/lift.
type Desk struct {
	Limits *Limits
	// Admin says who sent a request, as department/clerk, or why that may not see or lift anything.
	Admin func(*http.Request) (who string, err error)
	// Append makes an entry durable. What it lifts is lifted once the nodes have folded it.
	Append func(ctx context.Context, e audit.Entry) error
	// Fail answers with a problem.
	Fail func(w http.ResponseWriter, r *http.Request, err error)
}

// Listing is the answer of GET /v1/limits.
type Listing struct {
	Suspensions []Suspension `json:"suspensions"`
}

// Lift is the body of POST /v1/limits/lift, and its answer, which says what was in force.
type Lift struct {
	Target string `json:"target"` // department/clerk, or a department
	Reason string `json:"reason"` // a reference to the decision, which stands in the audit log: no text
	Lifted []Rule `json:"lifted,omitempty"`
}

// Handler serves both addresses.
func (d *Desk) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/limits", d.answer(func(*http.Request, string) (any, error) { return Listing{d.Limits.Suspensions()}, nil }))
	mux.HandleFunc("POST /v1/limits/lift", d.answer(d.lift))
	return mux
}

func (d *Desk) answer(do func(r *http.Request, who string) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := d.Admin(r)
		if err != nil {
			d.Fail(w, r, err)
			return
		}
		value, err := do(r, who)
		if err != nil {
			d.Fail(w, r, err)
			return
		}
		body, err := json.Marshal(value)
		if err != nil {
			d.Fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Write(append(body, '\n')) // a client that is gone needs no answer
	}
}

const longestLift = 4 << 10 // bytes

func (d *Desk) lift(r *http.Request, who string) (any, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, longestLift))
	var asked Lift
	if err != nil || json.Unmarshal(body, &asked, json.RejectUnknownMembers(true)) != nil || asked.Lifted != nil {
		return nil, badLift()
	}
	if err := d.check(asked, who); err != nil {
		return nil, err
	}
	for _, s := range d.Limits.Suspensions() {
		if s.Target() == asked.Target {
			asked.Lifted = append(asked.Lifted, s.Rule)
		}
	}
	e := audit.Entry{Kind: audit.Act, Act: LiftAct, Target: asked.Target, Case: asked.Reason, Clerk: who}
	if department, clerk, joined := strings.Cut(who, "/"); joined {
		e.Department, e.Clerk = exchange.Department(department), clerk
	}
	if err := d.Append(r.Context(), e); err != nil {
		return nil, err
	}
	return asked, nil
}

// check refuses what must not come into the log: only those who have asked can be named, since anything may have been typed.
func (d *Desk) check(asked Lift, who string) error {
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
