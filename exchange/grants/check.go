package grants

import (
	"fmt"
	"slices"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// Question asks whether a department may see fields of a type for an item.
type Question struct {
	Department exchange.Department
	Item       exchange.Item
	Evidence   exchange.EvidenceType
	Fields     []string // none: whether it is held at all
}

// Verdict answers a Question for a day.
type Verdict struct {
	Allowed bool            `json:"allowed"`
	Day     exchange.Date   `json:"day"`
	Grant   string          `json:"grant,omitempty"` // the grant that it rests on, or that stands in the way
	Fields  []string        `json:"fields"`          // of those asked, the ones that may be seen
	Why     []exchange.Text `json:"why,omitempty"`   // why not
	Until   exchange.Date   `json:"until,omitempty"` // the last day it holds
}

// Check says whether the fields may be seen today, and why not.
func (b *Book) Check(q Question) Verdict {
	v := Verdict{Day: b.today(), Fields: []string{}}
	kind, known := b.cfg.Current().Evidence(q.Evidence)
	if !known {
		return v.no("没有这种证照", "there is no such evidence type")
	}
	if _, serves := b.cfg.Current().Service(q.Item); !serves {
		return v.no("没有这个事项", "there is no such item")
	}
	if grant, ok := b.cfg.Current().Permit(q.Department, q.Item, q.Evidence, v.Day); ok {
		return b.allowed(v, q, grant)
	}
	if kind.Sharing == catalogue.NotShared {
		return v.no("不予共享："+kind.SharingBasis.ZH, "not shared: "+kind.SharingBasis.In(exchange.EN))
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, g := range b.state.grants {
		if g.Terms.Department == q.Department && g.Terms.Item == q.Item && g.Terms.Evidence == q.Evidence {
			v = v.because(g)
		}
	}
	if v.Why == nil {
		return v.no("从未申请过授权；用 yimen grant request 申请", "no grant was ever asked for; use `yimen grant request`")
	}
	slices.SortFunc(v.Why, func(a, b exchange.Text) int { return slices.Compare([]string{a.EN}, []string{b.EN}) })
	return v
}

func (v Verdict) no(zh, en string) Verdict {
	v.Why = append(v.Why, text(zh, en))
	return v
}

// allowed compares the fields asked for with those granted.
func (b *Book) allowed(v Verdict, q Question, grant catalogue.Grant) Verdict {
	v.Allowed, v.Until = true, grant.Until
	b.mu.RLock()
	for id, g := range b.state.grants {
		if g.Status == Granted && g.Terms.Department == grant.Department && g.Terms.Item == grant.Item && g.Terms.Evidence == grant.Evidence && g.Terms.From == grant.From {
			v.Grant = id
		}
	}
	b.mu.RUnlock()
	for _, f := range q.Fields {
		if slices.Contains(grant.Fields, f) {
			v.Fields = append(v.Fields, f)
			continue
		}
		v.Allowed = false
		v = v.no("授权不含字段 "+f, "the grant does not include the field "+f)
	}
	return v
}

// because adds why a grant for the same thing does not count today.
func (v Verdict) because(g *Standing) Verdict {
	v.Grant = g.ID
	switch {
	case g.Status == Requested:
		return v.no("申请 "+g.ID+" 待数源部门答复", "the request "+g.ID+" waits for the keeper's answer")
	case g.Status != Granted:
		return v.no(fmt.Sprintf("授权 %s %s：%s", g.ID, g.Status.Text().ZH, g.Reason), fmt.Sprintf("the grant %s is %s: %s", g.ID, g.Status, g.Reason))
	case v.Day < g.Terms.From:
		return v.no("授权 "+g.ID+" 自 "+string(g.Terms.From)+" 起", "the grant "+g.ID+" begins on "+string(g.Terms.From))
	}
	return v.no("授权 "+g.ID+" 已于 "+string(g.Terms.Until)+" 到期", "the grant "+g.ID+" ended on "+string(g.Terms.Until))
}
