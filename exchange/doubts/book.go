package doubts

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// Person is who acts.
type Person struct {
	Department exchange.Department
	Name       string // department and staff code
	Sharing    bool   // heads the sharing of the department (数据共享负责人)
	Supervisor bool   // 监察 of the department
	Authority  bool   // 政务数据共享主管部门, or the audit: sees all doubts, and nothing that was written
}

// Raising is the body of POST /v1/doubts: what somebody found wrong in an answer of the own department.
type Raising struct {
	Receipt string   `json:"receipt"`
	Record  string   `json:"record"` // its id, as the answer names it
	Fields  []string `json:"fields"`
	Reason  string   `json:"reason"` // at most 300 characters, no citizen number
}

// Raise raises a doubt in the name of the person's department. All that it lacks is told at once, and nothing is kept of it.
func (b *Book) Raise(ctx context.Context, who Person, r Raising) (Standing, error) {
	var id exchange.RecordID
	if id.UnmarshalText([]byte(r.Record)) != nil {
		return Standing{}, notRelied()
	}
	rested, did, err := b.cfg.Answers.Rested(ctx, r.Receipt, id)
	if err != nil {
		return Standing{}, err
	}
	if !did || rested.Department != who.Department {
		return Standing{}, notRelied()
	}
	fields := slices.Compact(slices.Sorted(slices.Values(r.Fields)))
	if gaps := b.gaps(rested.Evidence, fields, r.Reason); gaps != nil {
		return Standing{}, incomplete(gaps)
	}
	a := &about{Department: who.Department, Receipt: rested.Receipt, Evidence: rested.Evidence, Record: id, Version: rested.Version, Fields: fields}
	b.mu.RLock()
	other := b.state.standing(a)
	b.mu.RUnlock()
	if other != nil {
		return Standing{}, raisedAlready(other.id)
	}
	return b.write(ctx, who, &entry{Doubt: newID(), Act: Raise, About: a}, r.Reason)
}

// newID is short enough to be read out, and 50 bits are not met twice in a city.
func newID() string { return "d-" + strings.ToLower(rand.Text()[:10]) }

func (b *Book) gaps(t exchange.EvidenceType, fields []string, reason string) []exchange.Text {
	var gaps []exchange.Text
	lacks := func(wrong bool, zh, en string) {
		if wrong {
			gaps = append(gaps, text(zh, en))
		}
	}
	lacks(len(fields) == 0, "没有写明哪些字段有疑义", "which fields are in doubt is missing")
	lacks(strings.TrimSpace(reason) == "", "没有写明理由", "the reason is missing")
	lacks(!identity.Keepable(reason), "理由超过 300 字，或含公民身份号码", "the reason is longer than 300 characters or holds a citizen number")
	known := b.cfg.Fields(t)
	for _, f := range fields {
		if slices.Contains(known, f) {
			continue
		}
		near := exchange.Nearest(f, known) // what was typed there is not repeated
		if near == "" {
			near = strings.Join(known, " ")
		}
		lacks(true, "证照没有所写的字段，是否指："+near, "the evidence has no such field, did you mean: "+near)
	}
	return gaps
}

// Decision is an act on a doubt that was raised.
type Decision struct {
	Act      Act    `json:"act"`
	Replaces int    `json:"replaces"` // the version it is done to, as listed
	Reason   string `json:"reason,omitempty"`
}

// Decide accepts or rejects a doubt, in the name of the keeper, or withdraws it, in that of the department that raised it.
func (b *Book) Decide(ctx context.Context, who Person, id string, d Decision) (Standing, error) {
	if !slices.Contains([]Act{Accept, Reject, Withdraw}, d.Act) {
		return Standing{}, badAct()
	}
	now, err := b.seen(who, id)
	if err != nil {
		return Standing{}, err
	}
	if err := b.may(who, d.Act, &now); err != nil {
		return Standing{}, err
	}
	if !identity.Keepable(d.Reason) || d.Act == Reject && strings.TrimSpace(d.Reason) == "" {
		return Standing{}, noReason()
	}
	return b.write(ctx, who, &entry{Doubt: id, Replaces: d.Replaces, Act: d.Act}, d.Reason)
}

// may says why a person may not do an act.
func (b *Book) may(who Person, act Act, d *doubt) error {
	keeper, _ := b.cfg.Keeper(d.Evidence)
	own := who.Department == d.Department
	switch {
	case act == Withdraw && own && (who.Name == d.asker || who.Sharing || who.Supervisor):
		return nil
	case act == Withdraw:
		return notYourDoubt()
	case !who.Sharing || who.Department != keeper:
		return onlyKeeper(keeper)
	case who.Name == d.asker:
		return sameperson()
	}
	return nil
}

// write appends an act, once the audit log has it, and gives the doubt as it stands then.
func (b *Book) write(ctx context.Context, who Person, e *entry, said string) (Standing, error) {
	seal, err := b.sealer(ctx)
	if err != nil {
		return Standing{}, err
	}
	e.Format, e.ID, e.At, e.By = format, rand.Text(), b.cfg.Clock().UTC(), who.Name
	if err := b.cfg.Audit(ctx, e.By, "doubt-"+string(e.Act), e.Doubt); err != nil {
		return Standing{}, err
	}
	if said = strings.TrimSpace(said); said != "" { // before the act: who reads that finds it
		sealed := seal.Seal(nil, nil, []byte(said), []byte(place(e.Doubt, e.ID)))
		if e.Text, err = b.texts.write(ctx, textKey(e.Doubt, e.ID), sealed); err != nil {
			return Standing{}, err
		}
	}
	m, err := e.message()
	if err != nil {
		return Standing{}, err
	}
	if err := b.cfg.Journal.Add(ctx, e.ID, m); err != nil {
		return Standing{}, err
	}
	now, err := b.seen(who, e.Doubt)
	if err != nil {
		return Standing{}, err
	}
	return b.shown(ctx, who, &now, seal)
}
