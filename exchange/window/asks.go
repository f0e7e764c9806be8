package window

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/schemas"
)

// asks is the form below the list: what the applicant has to say before answers that are open can be settled. What was said
// stays in it, so that it can be said otherwise.
type asks struct {
	Which   []oneOf
	Facts   []fact
	Parties []party
	Agreed  bool // the parties know of it
	Open    bool // something was not said yet
}

// oneOf asks for one of a few things.
type oneOf struct {
	ID      string // of its first input, and the name of all
	Name    string
	Options []option
	about   exchange.EvidenceType
}

type option struct {
	Value, Label string
	Chosen       bool
}

// fact asks for a fact of the item: one of the options, or else a line of text.
type fact struct {
	oneOf
	Value string
	Hint  exchange.Text // how it is written; empty: as one likes
	of    catalogue.Fact
}

// party asks who somebody is whose evidence the item needs.
type party struct {
	ID     string
	Name   exchange.Text
	Number string // as typed, until it is understood
	Known  string // masked: who was stated before
	role   exchange.Role
}

// Count is how many things are asked.
func (a asks) Count() int { return len(a.Which) + len(a.Facts) + len(a.Parties) }

// First is the field that is asked for first, "" where nothing is asked.
func (a asks) First() string {
	switch {
	case len(a.Which) > 0:
		return a.Which[0].ID
	case len(a.Facts) > 0:
		return a.Facts[0].ID
	case len(a.Parties) > 0:
		return a.Parties[0].ID
	}
	return ""
}

// asks makes the form with what was said.
func (w *Window) asks(t *turn, said url.Values) asks {
	last := t.visit.Work
	a := asks{Agreed: said.Get("agreed") != ""}
	for _, q := range last.Questions {
		a.Which = append(a.Which, w.which(q, t.lang).saying(said))
	}
	service, _ := w.cfg.Catalogue().Service(last.Asked.Item)
	for _, f := range service.Facts {
		if _, stated := last.Asked.Facts[f.Code]; stated || last.open(func(a exchange.Answer) bool { return slices.Contains(a.Unstated, f.Code) }) {
			a.Facts = append(a.Facts, factOf(f, said, t.lang))
		}
	}
	for _, role := range []exchange.Role{exchange.Spouse, exchange.Representative, exchange.Agent} {
		holder, stated := last.Asked.Parties[role]
		if !stated && !last.open(func(a exchange.Answer) bool { return lacks(a, role) }) {
			continue
		}
		p := party{ID: "party-" + string(role), Name: numberOf(role), role: role}
		p.Number = said.Get(p.ID)
		if stated {
			p.Known = identity.Mask(holder.Number)
		}
		a.Parties = append(a.Parties, p)
	}
	a.Open = last.open(func(of exchange.Answer) bool {
		return len(of.Ask)+len(of.Unstated) > 0 || slices.ContainsFunc(a.Parties, func(p party) bool { return lacks(of, p.role) })
	})
	return a
}

func numberOf(role exchange.Role) exchange.Text {
	name := role.Text()
	if role == exchange.Agent {
		return text(name.ZH+"的身份证号 / 统一社会信用代码", "Citizen number / unified social credit code of the "+name.EN)
	}
	return text(name.ZH+"的身份证号", "Citizen number of the "+name.EN)
}

// lacks says whether the answer is open because nobody said who the party is.
func lacks(a exchange.Answer, role exchange.Role) bool {
	return slices.ContainsFunc(a.Evidence, func(e exchange.Evidence) bool { return e.Of == role && e.Reason == exchange.PartyNotStated })
}

// which asks which of several records is meant.
func (w *Window) which(q exchange.Question, lang exchange.Lang) oneOf {
	name := w.evidence(q.Type, lang)
	asked := oneOf{ID: "record-" + string(q.Type), Name: text("申请人指的是哪一份"+name+"？", name+": which one does the applicant mean?").In(lang), about: q.Type}
	for _, c := range q.Choices {
		asked.Options = append(asked.Options, option{Value: c.Record, Label: w.told(q.Type, c, lang)})
	}
	asked.Options = append(asked.Options, option{Label: text("都不是，或不清楚", "none of them, or not known").In(lang)})
	return asked
}

// told is what tells a record from the others.
func (w *Window) told(t exchange.EvidenceType, c exchange.Choice, lang exchange.Lang) string {
	all := inLine(schemas.Show(c.Fields, w.fields(t), lang), lang)
	if c.Until != "" {
		all = append(all, text("有效期至 ", "valid until ").In(lang)+string(c.Until))
	}
	if len(all) == 0 {
		all = []string{text("来源记录 ", "record ").In(lang) + c.Record}
	}
	return strings.Join(all, text("，", ", ").In(lang))
}

// factOf asks for a fact.
func factOf(f catalogue.Fact, said url.Values, lang exchange.Lang) fact {
	asked := fact{oneOf: oneOf{ID: "fact-" + f.Code, Name: f.Name.In(lang)}, Hint: forms[f.Kind], of: f}
	switch f.Kind {
	case catalogue.Flag:
		asked.Options = []option{{Value: yes, Label: text("是", "yes").In(lang)}, {Value: no, Label: text("否", "no").In(lang)}}
	case catalogue.Choice:
		for _, word := range f.Choices {
			asked.Options = append(asked.Options, option{Value: word, Label: word})
		}
	default:
		asked.Value = said.Get(asked.ID)
		return asked
	}
	asked.Options = append(asked.Options, option{Label: text("不清楚", "not known").In(lang)})
	asked.oneOf = asked.saying(said)
	return asked
}

// saying marks what was chosen.
func (o oneOf) saying(said url.Values) oneOf {
	for i := range o.Options {
		o.Options[i].Chosen = said.Has(o.ID) && said.Get(o.ID) == o.Options[i].Value
	}
	return o
}

const yes, no = "yes", "no"

// said is what the applicant has said so far, as the form has it. The numbers of parties are not shown again.
func (l *work) said() url.Values {
	said := url.Values{}
	for code, value := range l.Asked.Facts {
		switch v := value.(type) {
		case bool:
			value = map[bool]string{true: yes, false: no}[v]
		case float64:
			value = strconv.FormatFloat(v, 'f', -1, 64)
		}
		said.Set("fact-"+code, fmt.Sprint(value))
	}
	for t, record := range l.Asked.Chosen {
		said.Set("record-"+string(t), record.String())
	}
	return said
}

// open says whether one of the answers is.
func (l *work) open(is func(exchange.Answer) bool) bool {
	return slices.ContainsFunc(l.Conclusion.Answers, is)
}

// questions are those that the answers put, and those before that were answered by what was chosen.
func questions(before []exchange.Question, chosen broker.Chosen, answers []exchange.Answer) []exchange.Question {
	var all []exchange.Question
	add := func(q exchange.Question) {
		if !slices.ContainsFunc(all, func(other exchange.Question) bool { return other.Type == q.Type }) {
			all = append(all, q)
		}
	}
	for _, a := range answers {
		for _, q := range a.Ask {
			add(q)
		}
	}
	for _, q := range before {
		if _, answered := chosen[q.Type]; answered {
			add(q)
		}
	}
	return all
}
