package main

import (
	"encoding/json"
	"fmt"
	"io"
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
	facts  []string
	chosen []string
	stated *secret
}

func (s *session) furtherFlags(f *pflag.FlagSet, to *further) {
	f.StringVar(&to.on, "on", "", s.t("证照须在哪一天有效 `DATE`，默认今天", "the day records must be valid on `DATE`, today by default"))
	f.StringArrayVar(&to.facts, "fact", nil, s.t("申请人陈述的事实 `CODE=VALUE`，可重复；yimen item show 列出事项问什么", "a fact that the applicant states `CODE=VALUE`, may repeat; yimen item show lists what an item asks for"))
	f.StringArrayVar(&to.chosen, "choose", nil, s.t("查到多条时，申请人指的是哪一条 `TYPE=RECORD`，可重复", "where several records were found, which one is meant `TYPE=RECORD`, may repeat"))
	to.stated = s.secretFlag(f, "stated", both("申请人填写的内容，与记录核对：JSON `{证照类型:{字段:值}}`", "what the applicant filled in, to be compared with the records: JSON `{type:{field:value}}`"))
}

// into adds them to the request. Values of facts are written as the item declares them.
func (x *further) into(asked *api.QueryRequest, service catalogue.Service, stated string) error {
	asked.On = exchange.Date(x.on)
	for _, said := range x.facts {
		code, value, ok := strings.Cut(said, "=")
		if !ok {
			return badFurther("--fact", both("写成 CODE=VALUE，例如 --fact rented=true", "write CODE=VALUE, such as --fact rented=true"))
		}
		if asked.Facts == nil {
			asked.Facts = map[string]any{}
		}
		asked.Facts[code] = factOf(service, code, value)
	}
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
	if stated == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(stated), &asked.Stated); err != nil {
		return badFurther("--stated", both(`写成 JSON，例如 {"business-licence":{"registeredOn":"2016-05-06"}}`, `write JSON, such as {"business-licence":{"registeredOn":"2016-05-06"}}`))
	}
	return nil
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
