package window

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mozillazg/go-pinyin"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/exchange/wire"
)

// application is what stands in the form of the first screen (事项与申请人).
type application struct {
	Item    string // as typed, or chosen
	Number  string
	Case    string
	Consent bool
	Choices []choice
	Several []choice // those that what was typed fits, where it fits more than one
}

// choice is an item that the clerk's department may ask for.
type choice struct {
	Code     exchange.Item
	Name     string
	Initials string // of the name's pinyin: spjy for 食品经营
}

// lastItem is the cookie of this browser with the item last used: a code of the catalogue, of nobody's person.
const lastItem = "yimen-item"

func (w *Window) applyPage(t *turn) (reply, error) {
	form := application{Case: w.caseOf(t), Choices: w.choices(t)}
	if last, err := t.r.Cookie(lastItem); err == nil {
		if i := slices.IndexFunc(form.Choices, func(c choice) bool { return string(c.Code) == last.Value }); i >= 0 {
			form.Item = form.Choices[i].Name
		}
	}
	return reply{page: "apply", data: form}, nil
}

// next turns to another applicant: nothing of the one before is kept.
func (w *Window) next(t *turn) (reply, error) {
	t.visit.Case, t.visit.Work = "", nil
	return reply{to: Path}, nil
}

// caseOf is the number of the case at the window. Until cases are kept here it is made up, and the clerk may write that of
// another system instead.
func (w *Window) caseOf(t *turn) string {
	if t.visit.Case == "" {
		t.visit.Case = "CK-" + w.cfg.Clock().In(exchange.China).Format("2006-0102-") + rand.Text()[:6]
	}
	return t.visit.Case
}

func (w *Window) query(t *turn) (reply, error) {
	f := t.r.PostForm
	form := application{Item: cmp.Or(f.Get("choice"), strings.TrimSpace(f.Get("item"))), Number: f.Get("number"), Case: cmp.Or(strings.TrimSpace(f.Get("case")), w.caseOf(t)),
		Consent: f.Get("consent") != "", Choices: w.choices(t)}
	item, holder, troubles := form.read()
	shown := reply{page: "apply", data: form}
	if len(troubles) > 0 {
		return shown.refused(exchange.Invalid, troubles), nil
	}
	t.visit.Case = form.Case
	http.SetCookie(t.out, w.preference(t.r, lastItem, string(item)))
	return w.put(t, broker.Query{Case: form.Case, Item: item, Applicant: holder}, shown, fieldOf)
}

// put asks, and leads to the list. A refusal stands on the page that the question came from, at the field it is about.
func (w *Window) put(t *turn, q broker.Query, from reply, fieldOf func(error) string) (reply, error) {
	q.Caller = t.visit.Caller
	conclusion, err := w.cfg.Broker.Query(t.r.Context(), q)
	if err != nil {
		w.fault(t.r, err)
		return from.refused(exchange.KindOf(err), []trouble{troubleOf(err, fieldOf(err))}), nil
	}
	var before []exchange.Question
	if t.visit.Work != nil {
		before = t.visit.Work.Questions
	}
	t.visit.Work = &work{Asked: q, Conclusion: conclusion, Questions: questions(before, q.Chosen, conclusion.Answers)}
	return reply{to: Path + "/materials/" + conclusion.ID}, nil
}

// refused is the page shown again with what is wrong.
func (r reply) refused(kind exchange.Kind, troubles []trouble) reply {
	if r.status, _ = wire.Status(kind); r.status == http.StatusBadRequest {
		r.status = http.StatusUnprocessableEntity
	}
	r.troubles = troubles
	return r
}

// preference is a cookie that says how this browser likes things; nothing rests on it.
func (w *Window) preference(r *http.Request, name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: Path, MaxAge: int((365 * 24 * time.Hour).Seconds()), HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode}
}

// read checks the whole form, so that everything that is wrong is told at once.
func (a *application) read() (item exchange.Item, holder exchange.Holder, troubles []trouble) {
	item, err := a.find()
	if err != nil {
		troubles = append(troubles, troubleOf(err, "item"))
	}
	if holder, err = identity.ParseHolder(a.Number); err != nil {
		troubles = append(troubles, troubleOf(err, "number"))
	}
	if !a.Consent {
		troubles = append(troubles, troubleOf(noConsent(), "consent"))
	}
	return item, holder, troubles
}

// fieldOf is the field that a refusal is about, "" where it is about none.
func fieldOf(err error) string {
	return map[string]string{"YM-QRY-0101": "case", "YM-QRY-0112": "number", "YM-QRY-0113": "number"}[codeOf(err)]
}

// choices are the items that the clerk's department may ask for today.
func (w *Window) choices(t *turn) []choice {
	var all []choice
	today := exchange.DateOf(w.cfg.Clock())
	for _, s := range w.cfg.Catalogue().Services() {
		if w.cfg.Catalogue().MayAsk(t.visit.Caller.Department, s.Code, today) {
			all = append(all, choiceOf(s, t.lang))
		}
	}
	return all
}

func choiceOf(s catalogue.Service, lang exchange.Lang) choice {
	return choice{Code: s.Code, Name: s.Name.In(lang), Initials: strings.Join(pinyin.LazyPinyin(s.Name.ZH, pinyin.Args{Style: pinyin.FirstLetter}), "")}
}

// find is the item that was meant: by code, by name, by the beginning of its pinyin initials, or by any part of its name
// that no other has.
func (a *application) find() (exchange.Item, error) {
	if a.Item == "" {
		return "", noItem()
	}
	typed := strings.ToLower(a.Item)
	for _, fits := range []func(choice) bool{
		func(c choice) bool { return string(c.Code) == typed || strings.ToLower(c.Name) == typed },
		func(c choice) bool { return c.Initials == typed },
		func(c choice) bool {
			return strings.HasPrefix(c.Initials, typed) || strings.Contains(strings.ToLower(c.Name), typed) || strings.Contains(string(c.Code), typed)
		},
	} {
		var found []choice
		for _, c := range a.Choices {
			if fits(c) {
				found = append(found, c)
			}
		}
		if len(found) == 1 {
			return found[0].Code, nil
		}
		if len(found) > 1 {
			a.Several = found
			return "", severalItems(len(found))
		}
	}
	return "", unknownItem()
}
