package broker

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// maxFact bounds a fact in words, in bytes.
const maxFact = 400

// checkFacts says whether what was stated fits what the item asks. Refusals name facts by their codes and repeat no value.
func checkFacts(service catalogue.Service, stated map[string]any) error {
	for _, code := range slices.Sorted(maps.Keys(stated)) {
		fact, asked := service.Fact(code)
		if !asked {
			return noSuchFact(service)
		}
		if !fits(fact, stated[code]) {
			return badFact(fact)
		}
	}
	return nil
}

func fits(f catalogue.Fact, value any) bool {
	switch v := value.(type) {
	case bool:
		return f.Kind == catalogue.Flag
	case float64:
		return f.Kind == catalogue.Number && !math.IsInf(v, 0) && !math.IsNaN(v)
	case string:
		switch f.Kind {
		case catalogue.Words:
			return len(v) <= maxFact
		case catalogue.Choice:
			return slices.Contains(f.Choices, v)
		case catalogue.Day:
			_, err := exchange.ParseDate(v)
			return err == nil
		}
	}
	return false
}

// forms say how facts of a kind are written.
var forms = map[catalogue.FactKind]exchange.Text{
	catalogue.Flag:   text("true 或 false", "true or false"),
	catalogue.Words:  text("文字", "text"),
	catalogue.Number: text("数字", "a number"),
	catalogue.Day:    text("日期，如 2026-12-31", "a day, such as 2026-12-31"),
}

func badFact(f catalogue.Fact) error {
	form := forms[f.Kind]
	if f.Kind == catalogue.Choice {
		choices := strings.Join(f.Choices, ", ")
		form = text("其中之一："+choices, "one of: "+choices)
	}
	return &exchange.Problem{Code: "YM-QRY-0116", Kind: exchange.Invalid,
		What: text("事实 "+f.Code+" 的写法不对", "the fact "+f.Code+" is not well formed"),
		Mend: text("写成"+form.ZH, "write "+form.EN)}
}

func noSuchFact(service catalogue.Service) error {
	var codes []string
	for _, f := range service.Facts {
		codes = append(codes, f.Code)
	}
	p := &exchange.Problem{Code: "YM-QRY-0115", Kind: exchange.Invalid,
		What: text("陈述了该事项不问的事实", "a fact is stated that the item does not ask for"),
		Mend: text("该事项不问任何事实：删去 facts", "the item asks for no facts: leave facts out")}
	if known := strings.Join(codes, ", "); known != "" {
		p.Mend = text("该事项问的是 "+known, "the item asks for "+known)
	}
	return p
}

// checkOn says whether the day asked for is one.
func checkOn(day exchange.Date) error {
	if day == "" {
		return nil
	}
	if _, err := exchange.ParseDate(string(day)); err == nil {
		return nil
	}
	return &exchange.Problem{Code: "YM-QRY-0117", Kind: exchange.Invalid,
		What: text("on 不是存在的日期", "on is no day that exists"), Mend: text("写成如 2026-12-31，或删去", "write it like 2026-12-31, or leave it out")}
}

// service is the item as it is asked about.
func (q *Query) service(c *catalogue.Catalogue) (catalogue.Service, error) {
	service, known := c.Service(q.Item)
	if !known {
		return catalogue.Service{}, noSuchItem(c.Nearest(string(q.Item)))
	}
	if q.Only == "" {
		return service, nil
	}
	narrowed, asks := service.Only(q.Only)
	if !asks {
		return catalogue.Service{}, notAskedFor()
	}
	return narrowed, nil
}

func notAskedFor() error {
	return &exchange.Problem{Code: "YM-QRY-0121", Kind: exchange.Invalid,
		What: text("该事项不需要申请人的这种证照", "the item does not ask for this type of the applicant's evidence"),
		Mend: text("用 yimen item show 查该事项需要哪些证照", "yimen item show tells which types the item asks for")}
}

// Stating is what the log commits to of what was stated, in one fixed form; nil where nothing was.
func (q *Query) Stating() ([]byte, error) {
	if len(q.Facts) == 0 && len(q.Stated) == 0 {
		return nil, nil
	}
	return json.Marshal(struct { // by name and sorted keys
		Facts  map[string]any `json:"facts"`
		Stated Stated         `json:"stated"`
	}{q.Facts, q.Stated})
}

// notFoundCode stands in an entry that was refused because the record chosen is none of those found; the limits know the others.
const notFoundCode = "chosen_not_found"

// strayed leaves the entry and gives the refusal where a record was chosen that is none of the usable ones.
func (b *Broker) strayed(ctx context.Context, entry audit.Entry, p *Premises) error {
	if len(p.Chosen) == 0 {
		return nil
	}
	t, strayed := p.astray()
	if !strayed {
		return nil
	}
	entry.Decision, entry.Refusal = audit.Refused, notFoundCode
	if _, err := b.audit(ctx, entry); err != nil {
		return err
	}
	return &exchange.Problem{Code: "YM-QRY-0118", Kind: exchange.Invalid,
		What: text("选定的"+string(t)+"记录不在查到的有效记录之中", "the chosen record of "+string(t)+" is none of the valid ones that were found"),
		Why:  text("记录可能已被注销、更正，或编号抄错", "it may have been revoked or corrected meanwhile, or its id was copied wrongly"),
		Mend: text("不带 chosen 再查一次，从回答的 ask 中选", "ask again without chosen, and choose from the answer's ask")}
}
