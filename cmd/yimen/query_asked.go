package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// further are the flags of what a query may say beside item and applicant.
type further struct {
	on     string
	mode   string
	chosen []string
	said
}

// said are the flags of what the applicant states, which the log does not keep.
type said struct {
	facts  []string
	stated *secret
	party  map[exchange.Role]*secret
}

func (s *session) furtherFlags(f *pflag.FlagSet, to *further) {
	f.StringVar(&to.on, "on", "", s.t("证照须在哪一天有效 `DATE`，默认今天", "the day records must be valid on `DATE`, today by default"))
	f.StringVar(&to.mode, "mode", "", s.t("结论说多少 `MODE`：full、verify（只核验 --stated 是否属实）或 predicates（只答是否），默认 full", "how much is told `MODE`: full, verify (only whether --stated is true) or predicates (only yes or no); full by default"))
	f.StringArrayVar(&to.chosen, "choose", nil, s.t("查到多条时，申请人指的是哪一条 `TYPE=RECORD`，可重复", "where several records were found, which one is meant `TYPE=RECORD`, may repeat"))
	s.saidFlags(f, &to.said)
}

func (s *session) saidFlags(f *pflag.FlagSet, to *said) {
	f.StringArrayVar(&to.facts, "fact", nil, s.t("申请人陈述的事实 `CODE=VALUE`，可重复；yimen item show 列出事项问什么", "a fact that the applicant states `CODE=VALUE`, may repeat; yimen item show lists what an item asks for"))
	to.party = map[exchange.Role]*secret{}
	for _, role := range []exchange.Role{exchange.Spouse, exchange.Representative, exchange.Agent} {
		name := role.Text()
		to.party[role] = s.secretFlag(f, string(role), both("事项需要"+name.ZH+"的材料时，其号码 `NUMBER`", "the "+name.EN+"'s number, where the item needs something of them `NUMBER`"))
	}
	to.stated = s.secretFlag(f, "stated", both("申请人填写的内容，与记录核对：JSON `{证照类型:{字段:值}}`", "what the applicant filled in, to be compared with the records: JSON `{type:{field:value}}`"))
}

// into adds them to the request.
func (x *further) into(ctx context.Context, asked *api.QueryRequest, service catalogue.Service) (err error) {
	asked.On, asked.Mode = exchange.Date(x.on), broker.Mode(x.mode)
	for _, said := range x.chosen {
		of, record, ok := strings.Cut(said, "=")
		var id exchange.RecordID
		if !ok || id.UnmarshalText([]byte(record)) != nil {
			return badFurther("--choose", both("写成 TYPE=RECORD，记录编号见上次结论的 ask", "write TYPE=RECORD; the last answer's ask has the ids"))
		}
		if asked.Chosen == nil {
			asked.Chosen = broker.Chosen{}
		}
		asked.Chosen[exchange.EvidenceType(of)] = id
	}
	asked.Facts, asked.Stated, asked.Parties, err = x.read(ctx, service)
	return err
}

// read has what the flags say, in the words of the item.
func (x *said) read(ctx context.Context, service catalogue.Service) (facts map[string]any, stated broker.Stated, parties api.Parties, err error) {
	if facts, err = x.factsFor(service); err == nil {
		stated, err = x.statedBy(ctx)
	}
	if err == nil {
		parties, err = x.parties(ctx)
	}
	return facts, stated, parties, err
}

// factsFor has the values of facts as the item declares them.
func (x *said) factsFor(service catalogue.Service) (map[string]any, error) {
	var facts map[string]any
	for _, said := range x.facts {
		code, value, ok := strings.Cut(said, "=")
		if !ok {
			return nil, badFurther("--fact", both("写成 CODE=VALUE，例如 --fact rented=true", "write CODE=VALUE, such as --fact rented=true"))
		}
		if facts == nil {
			facts = map[string]any{}
		}
		facts[code] = factOf(service, code, value)
	}
	return facts, nil
}

func (x *said) statedBy(ctx context.Context) (stated broker.Stated, err error) {
	if !x.stated.given() {
		return nil, nil
	}
	read, err := x.stated.read(ctx)
	if err != nil {
		return nil, err
	}
	if json.Unmarshal([]byte(read), &stated) != nil {
		return nil, badFurther("--stated", both(`写成 JSON，例如 {"business-licence":{"registeredOn":"2016-05-06"}}`, `write JSON, such as {"business-licence":{"registeredOn":"2016-05-06"}}`))
	}
	return stated, nil
}

// parties reads the numbers of those whom flags name.
func (x *said) parties(ctx context.Context) (api.Parties, error) {
	var all api.Parties
	for role, number := range x.party {
		if !number.given() {
			continue
		}
		read, err := number.read(ctx)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = api.Parties{}
		}
		all[role] = read
	}
	return all, nil
}

// factOf is a value in the kind that the item declares; what does not fit goes as it is, and the exchange says so.
func factOf(service catalogue.Service, code, value string) any {
	switch f, _ := service.Fact(code); f.Kind {
	case catalogue.Flag:
		if b, err := strconv.ParseBool(value); err == nil {
			return b
		}
	case catalogue.Number:
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			return n
		}
	}
	return value
}

func badFurther(flag string, mend exchange.Text) error {
	return &usageError{&exchange.Problem{Code: "YM-CLI-0603", Kind: exchange.Invalid,
		What: both("选项 "+flag+" 的值不对", "the value of "+flag+" is wrong"), Mend: mend}}
}

// explained is why the answer is what it is: the reason, the results of a verification, and the fields that differ.
func (s *session) explained(a exchange.Answer) string {
	var all []string
	if why := a.Reason.Text(a.Outcome).In(s.lang); why != "" && !slices.ContainsFunc(a.Evidence, func(e exchange.Evidence) bool { return e.Result != nil }) {
		all = append(all, why)
	}
	if a.Met != nil {
		all = append(all, map[bool]string{true: s.t("是", "yes"), false: s.t("否", "no")}[*a.Met])
	}
	for _, e := range a.Evidence {
		if e.Result != nil {
			all = append(all, e.Result.Text().In(s.lang))
		}
		for _, d := range e.Differences {
			all = append(all, fmt.Sprintf(d.Kind.Text().In(s.lang), d.Field))
		}
	}
	return strings.Join(all, s.t("；", "; "))
}

// stillAsked says what would settle answers that are open: facts to state, records to choose from.
func (s *session) stillAsked(w io.Writer, service catalogue.Service, answers []exchange.Answer) {
	told := map[string]bool{}
	for _, a := range answers {
		for _, code := range a.Unstated {
			if told[code] {
				continue
			}
			told[code] = true
			fmt.Fprintf(w, s.t("请申请人说明：%s（--fact %s=%s）\n", "ask the applicant: %s (--fact %s=%s)\n"), s.factName(service, code), code, s.t("值", "VALUE"))
		}
		for _, q := range a.Ask {
			for _, c := range q.Choices {
				fmt.Fprintf(w, s.t("请申请人选择：--choose %s=%s   %s\n", "let the applicant choose: --choose %s=%s   %s\n"), q.Type, c.Record, plain(string(c.Fields)))
			}
		}
	}
}

func (s *session) factName(service catalogue.Service, code string) string {
	if f, asked := service.Fact(code); asked {
		return f.Name.In(s.lang)
	}
	return code
}
