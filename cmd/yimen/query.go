package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
)

func (s *session) queryVerb() verb {
	var asked api.QueryRequest
	var server, dir string
	var token, applicant *secret
	var more further
	return verb{
		use:   "query ITEM",
		short: both("核验：一个事项、一位申请人，哪些材料政府已有", "ask which materials of a service item government already holds for an applicant"),
		long: both("查询一位申请人办理一个事项时，哪些材料政府已有、哪些需要提交。每次查询都要有收件号，并留下回执。\n申请人号码从文件或标准输入读取，不写在命令行里：命令行会留在历史记录和进程列表中。",
			"Asks which of an item's materials government already holds for an applicant, and which must be supplied. Every query names a case and leaves a receipt.\nThe applicant's number comes from a file or standard input, not from the command line, which stays in histories and process lists."),
		example: "yimen query food-licence-new --case LL-2026-1123-0041 --applicant - --token @clerk.token\nyimen query food-licence-new --case LL-2026-1123-0041 --applicant @number.txt --token @clerk.token -o json",
		min:     1, max: 1,
		lists: true,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&asked.Case, "case", "", s.t("收件号 `CASE`", "the case number `CASE`"))
			s.serverFlag(f, &server)
			applicant = s.secretFlag(f, "applicant", both("申请人的身份证号或统一社会信用代码 `NUMBER`", "the applicant's citizen number or credit code `NUMBER`"))
			token = s.secretFlag(f, "token", both("调用令牌 `TOKEN`", "the caller's token `TOKEN`"))
			s.furtherFlags(f, &more)
			s.catalogueFlag(f, &dir)
			required(f, "case", "applicant", "token")
		},
		complete: anyOf(func() ([]string, error) { return itemCodes(dir) }),
		run: func(ctx context.Context, args []string) error {
			asked.Item = exchange.Item(args[0])
			client, err := s.window(ctx, server, token)
			if err != nil {
				return err
			}
			if asked.Applicant, err = applicant.read(ctx); err != nil {
				return err
			}
			c, err := loadCatalogue(dir)
			if err != nil {
				return err
			}
			service, known := c.Service(asked.Item)
			if !known && len(more.facts) > 0 { // one that was published since: what kinds its facts are, the exchange knows
				if service, err = client.Item(ctx, asked.Item); err != nil {
					return err
				}
			}
			if err := more.into(ctx, &asked, service); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			conclusion, err := client.Query(ctx, asked)
			if err != nil {
				return err
			}
			return s.object(conclusion.ID, conclusion, func(w io.Writer) error { return s.conclusionPage(w, c, conclusion) })
		},
	}
}

// patience is how long a clerk is made to wait for an exchange.
const patience = 30 * time.Second

// window is the client of a clerk's window.
func (s *session) window(ctx context.Context, server string, token *secret) (*api.Client, error) {
	base, err := address(server)
	if err != nil {
		return nil, err
	}
	bearer, err := bearerOf(ctx, token)
	if err != nil {
		return nil, err
	}
	return &api.Client{Base: base, Token: bearer, Clock: s.now}, nil
}

// serverFlag declares where the exchange is.
func (s *session) serverFlag(f *pflag.FlagSet, server *string) {
	f.StringVar(server, "server", "http://127.0.0.1:7080", s.t("交换平台地址 `URL`", "the exchange's address `URL`"))
}

// address is what --server names, without a slash at its end.
func address(server string) (string, error) {
	at, err := url.Parse(server)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || strings.Trim(at.Path, "/") != "" || at.RawQuery != "" {
		return "", &usageError{&exchange.Problem{Code: "YM-CLI-0601", Kind: exchange.Invalid,
			What: both("选项 --server 的值不对", "the value of --server is wrong"),
			Why:  both("应为 http:// 或 https:// 开头的地址，后面不带路径", "it must be an address that begins with http:// or https://, without a path"),
			Mend: both("例如 --server http://127.0.0.1:7080", "such as --server http://127.0.0.1:7080")}}
	}
	return at.Scheme + "://" + at.Host, nil
}

// bearerOf is the token that --token names.
func bearerOf(ctx context.Context, token *secret) (string, error) {
	secret, err := token.read(ctx)
	if err != nil {
		return "", err
	}
	secret = strings.TrimSpace(secret)
	if strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", &exchange.Problem{Code: "YM-CLI-0602", Kind: exchange.Unauthorised,
			What: both("--token 指定的内容不是令牌", "what --token names is no token"),
			Why:  both("令牌是一行，只有字母、数字和半角符号", "a token is one line of ASCII letters, digits and signs"),
			Mend: both("检查是不是指错了文件；没有令牌的，向交换平台管理员申请", "see whether it is the right file; ask the exchange's administrator for a token if there is none")}
	}
	return secret, nil
}

// conclusionPage shows an answer to a clerk: the one line that matters first, then the materials.
func (s *session) conclusionPage(w io.Writer, c *catalogue.Catalogue, a broker.Conclusion) error {
	fmt.Fprintf(w, "%s  %s  %s\n", plain(a.ItemName.In(s.lang)), a.Applicant, exchange.Summary(a.Answers).In(s.lang))
	if err := s.answerRows(c).table(s, w, a.Answers); err != nil {
		return err
	}
	service, _ := c.Service(a.Item)
	s.stillAsked(w, service, a.Answers)
	_, err := fmt.Fprintf(w, s.t("收件号 %s   回执 %s\n", "case %s   receipt %s\n"), plain(a.Case), a.Receipt.ID)
	return err
}

func (s *session) answerRows(c *catalogue.Catalogue) list[exchange.Answer] {
	return list[exchange.Answer]{
		name: func(a exchange.Answer) string { return a.Material },
		columns: []column[exchange.Answer]{
			{head: both("材料", "MATERIAL"), cell: func(a exchange.Answer) string { return a.Name.In(s.lang) }},
			{head: both("状态", "STATUS"), cell: func(a exchange.Answer) string { return a.Outcome.Text().In(s.lang) }},
			{head: both("级别", "LEVEL"), wide: true, cell: func(a exchange.Answer) string { return string(a.Assurance) }},
			{head: both("数源部门", "KEEPER"), cell: func(a exchange.Answer) string { return s.keepers(c, a.Evidence) }},
			{head: both("截至", "AS OF"), cell: func(a exchange.Answer) string { return s.asOf(a.Evidence) }},
			{head: both("说明", "REASON"), cell: s.explained},
			{head: both("记录", "RECORD"), wide: true, cell: func(a exchange.Answer) string { return records(a.Evidence) }},
			{head: both("依据", "BASIS"), wide: true, cell: func(a exchange.Answer) string { return a.Basis.In(s.lang) }},
		},
	}
}

func (s *session) keepers(c *catalogue.Catalogue, evidence []exchange.Evidence) string {
	var names []string
	for _, e := range evidence {
		if name := s.department(c, e.Keeper); len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	return strings.Join(names, s.t("、", ", "))
}

// asOf is the oldest moment any of the evidence is vouched for.
func (s *session) asOf(evidence []exchange.Evidence) string {
	var oldest time.Time
	for _, e := range evidence {
		if !e.AsOf.IsZero() && (oldest.IsZero() || e.AsOf.Before(oldest)) {
			oldest = e.AsOf
		}
	}
	if oldest.IsZero() {
		return "-"
	}
	return oldest.In(exchange.China).Format("2006-01-02 15:04")
}

func records(evidence []exchange.Evidence) string {
	var all []string
	for _, e := range evidence {
		if e.Record != "" {
			all = append(all, fmt.Sprintf("%s v%d", e.Record, e.Version))
		}
	}
	return strings.Join(all, " ")
}
