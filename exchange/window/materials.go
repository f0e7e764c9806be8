package window

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/schemas"
)

// list is the second screen (材料清单).
type list struct {
	ID        string // of the conclusion; it stands in addresses, where no number of a person may
	Item      string
	Applicant string // masked
	Summary   string
	Case      string
	Receipt   string
	At        string
	Rows      []row
	Asks      asks
}

// row is one material.
type row struct {
	Place      int // from 1
	Name       string
	Status     status
	Keepers    string
	AsOf       string
	Until      string
	Reason     string
	Notes      []note
	Basis      string
	Deferrable bool
}

// note is one thing that the applicant stated and the record does not bear out.
type note struct {
	Kind exchange.Gap
	Text string
}

// status is an outcome in words and in shape, with the assurance of what it rests on.
type status struct {
	Code      exchange.Outcome
	Word      string
	Assurance string // empty: it rests on nothing
}

// conclusion is what the clerk has before them. A page of somebody else's, left open beside it, is no longer answered: what is
// shown under an address is always of the same applicant.
func (t *turn) conclusion() (broker.Conclusion, error) {
	if t.visit.Work == nil || t.visit.Work.Conclusion.ID != t.r.PathValue("of") {
		return broker.Conclusion{}, putAway()
	}
	return t.visit.Work.Conclusion, nil
}

func (w *Window) materials(t *turn) (reply, error) {
	c, err := t.conclusion()
	if err != nil {
		return reply{}, err
	}
	return reply{page: "materials", data: w.list(t, c, w.asks(t, t.visit.Work.said()))}, nil
}

func (w *Window) list(t *turn, c broker.Conclusion, form asks) list {
	l := list{ID: c.ID, Asks: form, Item: c.ItemName.In(t.lang), Applicant: c.Applicant, Summary: exchange.Summary(c.Answers).In(t.lang), Case: c.Case, Receipt: c.Receipt.ID, At: moment(c.Time, w.cfg.Clock(), t.lang)}
	for i, a := range c.Answers {
		l.Rows = append(l.Rows, w.row(t, i+1, a))
	}
	return l
}

func (w *Window) row(t *turn, place int, a exchange.Answer) row {
	r := row{Place: place, Name: a.Name.In(t.lang), Status: statusOf(a.Outcome, a.Assurance, t.lang), Reason: a.Reason.Text(a.Outcome).In(t.lang),
		Basis: a.Basis.In(t.lang), Deferrable: a.Deferrable}
	var keepers []string
	var oldest time.Time
	for _, e := range a.Evidence {
		r.Notes = append(r.Notes, w.notes(e, t.lang)...)
		if name := w.department(e.Keeper, t.lang); len(keepers) == 0 || keepers[len(keepers)-1] != name {
			keepers = append(keepers, name)
		}
		if !e.AsOf.IsZero() && (oldest.IsZero() || e.AsOf.Before(oldest)) {
			oldest = e.AsOf
		}
		if a.Outcome == exchange.Held && e.Until != "" && (r.Until == "" || string(e.Until) < r.Until) {
			r.Until = string(e.Until)
		}
	}
	r.Keepers = strings.Join(keepers, text("、", ", ").In(t.lang))
	r.AsOf = moment(oldest, w.cfg.Clock(), t.lang)
	return r
}

func statusOf(o exchange.Outcome, a exchange.Assurance, lang exchange.Lang) status {
	s := status{Code: o, Word: o.Text().In(lang)}
	if a != "" {
		s.Assurance = text(string(a)+" 级 · ", "level "+string(a)+" · ").In(lang) + a.Text().In(lang)
	}
	return s
}

// notes say field by field what of the stated facts the record does not bear out.
func (w *Window) notes(e exchange.Evidence, lang exchange.Lang) []note {
	var all []note
	for _, d := range e.Differences {
		all = append(all, note{d.Kind, fmt.Sprintf(d.Kind.Text().In(lang), w.fieldName(e.Type, d.Field, lang))})
	}
	return all
}

func (w *Window) department(code exchange.Department, lang exchange.Lang) string {
	if d, ok := w.cfg.Catalogue().Department(code); ok {
		return d.Name.In(lang)
	}
	return string(code)
}

// evidence is what people call a type of evidence.
func (w *Window) evidence(t exchange.EvidenceType, lang exchange.Lang) string {
	if kind, ok := w.cfg.Catalogue().Evidence(t); ok {
		return kind.Name.In(lang)
	}
	return string(t)
}

// preview is the third screen (单项预览): one material, with what was found for it.
type preview struct {
	row
	ID        string // of the conclusion
	Item      string
	Applicant string
	Records   []found
	Compare   []comparison
}

// Compared says whether something was written to compare.
func (p preview) Compared() bool {
	return slices.ContainsFunc(p.Compare, func(c comparison) bool {
		return slices.ContainsFunc(c.Fields, func(l line) bool { return l.Value != "" })
	})
}

// found is one piece of evidence with the fields that the grant allows.
type found struct {
	Name   string
	Status status
	Reason string
	Keeper string
	AsOf   string
	Until  string
	Record string // empty: there is no record to show
	Mark   string // the watermark: who provides it, for what, who looks at it and when
	Fields []schemas.Shown

	Differences []difference
}

// difference is a stated fact beside the record's.
type difference struct {
	note
	Name, Stated, Held string
}

func (w *Window) record(t *turn) (reply, error) {
	c, place, err := t.material()
	if err != nil {
		return reply{}, err
	}
	return reply{page: "record", data: w.preview(t, c, place, t.visit.Work.stated())}, nil
}

// material is the place in the list that the address names.
func (t *turn) material() (c broker.Conclusion, place int, err error) {
	if c, err = t.conclusion(); err != nil {
		return c, 0, err
	}
	place, err = strconv.Atoi(t.r.PathValue("place"))
	if err != nil || place < 1 || place > len(c.Answers) {
		return c, 0, noSuchPage()
	}
	return c, place, nil
}

func (w *Window) preview(t *turn, c broker.Conclusion, place int, said url.Values) preview {
	a := c.Answers[place-1]
	p := preview{ID: c.ID, row: w.row(t, place, a), Item: c.ItemName.In(t.lang), Applicant: c.Applicant, Compare: w.comparisons(t, a, said)}
	for _, e := range a.Evidence {
		p.Records = append(p.Records, w.found(t, e))
	}
	return p
}

func (w *Window) found(t *turn, e exchange.Evidence) found {
	f := found{Name: w.evidence(e.Type, t.lang), Status: statusOf(e.Outcome, e.Assurance, t.lang), Reason: e.Reason.Text(e.Outcome).In(t.lang), Keeper: w.department(e.Keeper, t.lang),
		AsOf: moment(e.AsOf, w.cfg.Clock(), t.lang), Until: string(e.Until)}
	if e.Of != "" && e.Of != exchange.Self {
		f.Name = text(e.Of.Text().ZH+"的"+f.Name, f.Name+" of the "+e.Of.Text().EN).In(t.lang)
	}
	if e.Record == "" {
		return f
	}
	f.Record = e.Record + " v" + strconv.FormatUint(uint64(e.Version), 10)
	f.Mark = w.mark(t, f.Keeper)
	f.Fields = schemas.Show(e.Fields, w.fields(e.Type), t.lang)
	f.Differences = w.differences(t, e)
	return f
}

// differences set what was stated beside what the record says.
func (w *Window) differences(t *turn, e exchange.Evidence) []difference {
	var all []difference
	stated := t.visit.Work.Asked.Stated[e.Type]
	for i, n := range w.notes(e, t.lang) {
		field := e.Differences[i].Field
		all = append(all, difference{note: n, Name: w.fieldName(e.Type, field, t.lang),
			Stated: w.value(e.Type, field, stated[field], t.lang), Held: w.value(e.Type, field, e.Differences[i].Held, t.lang)})
	}
	return all
}

// mark is the line that goes over what is shown, after 国办函〔2016〕108号: whoever photographs the screen has it too.
func (w *Window) mark(t *turn, keeper string) string {
	c := t.visit.Work.Conclusion
	item, at, who := c.ItemName.In(t.lang), c.Time.In(exchange.China).Format("2006-01-02 15:04"), t.visit.Caller.Clerk
	return text("此件由"+keeper+"提供，仅供办理"+item+"使用 · "+at+" · 工号 "+who,
		"Provided by "+keeper+", for "+item+" only · "+at+" · staff code "+who).In(t.lang)
}

// moment is a time as a clerk says it: of today the hour, else the day too.
func moment(at, now time.Time, lang exchange.Lang) string {
	if at.IsZero() {
		return ""
	}
	at = at.In(exchange.China)
	if exchange.DateOf(at) == exchange.DateOf(now) {
		return text("今天 ", "today ").In(lang) + at.Format("15:04")
	}
	return at.Format("2006-01-02 15:04")
}
