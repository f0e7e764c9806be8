package window

import (
	"maps"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/identity"
)

// again asks once more, with what the applicant said below the list.
func (w *Window) again(t *turn) (reply, error) {
	c, err := t.conclusion()
	if err != nil {
		return reply{}, err
	}
	form := w.asks(t, t.r.PostForm)
	shown := reply{page: "materials", data: w.list(t, c, form)}
	q, troubles := form.into(t.visit.Work.Asked)
	if len(troubles) == 0 && sameSaid(q, t.visit.Work.Asked) {
		troubles = []trouble{troubleOf(nothingSaid(), form.First())}
	}
	if len(troubles) > 0 {
		return shown.refused(exchange.Invalid, troubles), nil
	}
	return w.put(t, q, shown, form.fieldOf)
}

func sameSaid(a, b broker.Query) bool {
	return maps.Equal(a.Facts, b.Facts) && maps.Equal(a.Chosen, b.Chosen) && maps.Equal(a.Parties, b.Parties)
}

// into puts what was said into the query: what is asked for and left empty was not stated.
func (a asks) into(q broker.Query) (broker.Query, []trouble) {
	var troubles []trouble
	q.Chosen, q.Facts, q.Parties = fresh(q.Chosen), fresh(q.Facts), fresh(q.Parties)
	for _, which := range a.Which {
		delete(q.Chosen, which.about)
		var id exchange.RecordID
		if o, ok := which.chosen(); ok && o.Value != "" && id.UnmarshalText([]byte(o.Value)) == nil {
			q.Chosen[which.about] = id
		}
	}
	for _, f := range a.Facts {
		delete(q.Facts, f.of.Code)
		value, err := f.read()
		if err != nil {
			troubles = append(troubles, troubleOf(err, f.ID))
		} else if value != nil {
			q.Facts[f.of.Code] = value
		}
	}
	typed := false
	for _, p := range a.Parties {
		if strings.TrimSpace(p.Number) == "" {
			continue
		}
		typed = true
		holder, err := identity.ParseHolder(p.Number)
		if err != nil {
			troubles = append(troubles, troubleOf(err, p.ID))
			continue
		}
		q.Parties[p.role] = holder
	}
	if typed && !a.Agreed {
		troubles = append(troubles, troubleOf(noneOfTheirs(), "agreed"))
	}
	return q, troubles
}

// fresh is a map to write to, with what was in it.
func fresh[M ~map[K]V, K comparable, V any](m M) M {
	all := make(M, len(m))
	maps.Copy(all, m)
	return all
}

// chosen is the option that was marked.
func (o oneOf) chosen() (option, bool) {
	for _, one := range o.Options {
		if one.Chosen {
			return one, true
		}
	}
	return option{}, false
}

// read is the fact as a query states it; nil: it was not stated.
func (f fact) read() (any, error) {
	if len(f.Options) > 0 {
		o, _ := f.chosen()
		switch {
		case o.Value == "":
			return nil, nil
		case f.of.Kind == catalogue.Flag:
			return o.Value == yes, nil
		}
		return o.Value, nil
	}
	value := strings.TrimSpace(f.Value)
	if value == "" {
		return nil, nil
	}
	switch narrow := norm.NFKC.String(value); f.of.Kind {
	case catalogue.Number:
		n, err := strconv.ParseFloat(narrow, 64)
		if err != nil {
			return nil, badFact(f.of)
		}
		return n, nil
	case catalogue.Day:
		if _, err := exchange.ParseDate(narrow); err != nil {
			return nil, badFact(f.of)
		}
		return narrow, nil
	}
	return value, nil
}

// fieldOf is the field that a refusal is about, "" where it is about none.
func (a asks) fieldOf(err error) string {
	switch codeOf(err) {
	case "YM-QRY-0118":
		return a.First()
	case "YM-QRY-0119":
		for _, p := range a.Parties {
			if p.Number != "" {
				return p.ID
			}
		}
	}
	return ""
}
