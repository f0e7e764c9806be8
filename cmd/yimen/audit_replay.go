package main

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/node"
	"github.com/onedoor/yimen/exchange/replay"
)

func (s *session) auditReplay() verb {
	var server, item, dir string
	var token, applicant *secret
	var stated said
	return verb{
		use:   "replay ID",
		short: both("重放一个结论：按当时的输入再算一遍", "give an answer again from the inputs recorded with it"),
		long: both("按回执编号，用当时的主题位点、目录版本和时刻把结论再算一遍，与当时给出的逐字节比较。依法删除的记录不再读取，依据它的结论不能重放。\n日志里没有号码，也没有申请人陈述的内容：申请人、关系人、事实和填写的内容须与当时一样再给一次。部门只可重放自己的，管理员和审计员可重放全部；重放本身也会记入。",
			"Takes a receipt's id and draws the conclusion again from the topics' offsets, the catalogue and the moment it was drawn from, then compares the two byte for byte. What was erased is not read again, so an answer that rested on it cannot be given.\nThe log has no number and nothing of what was stated, so applicant, parties, facts and what was filled in are given again as they were then. A department replays its own, administrators and auditors all; each replay is recorded."),
		example: "yimen audit replay 01KAR0Z7J3Q8W2X5Y6Z7A8B9C0 --applicant @number.txt --token @clerk.token",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			s.serverFlag(f, &server)
			token = s.secretFlag(f, "token", both("调用令牌 `TOKEN`", "the caller's token `TOKEN`"))
			applicant = s.secretFlag(f, "applicant", both("当时的申请人：身份证号或统一社会信用代码 `NUMBER`", "whom it was about: the citizen number or credit code `NUMBER`"))
			f.StringVar(&item, "item", "", s.t("当时的事项 `ITEM`，仅在给出 --fact 时需要", "the item of then `ITEM`, needed with --fact only"))
			s.catalogueFlag(f, &dir)
			s.saidFlags(f, &stated)
			required(f, "token", "applicant")
		},
		run: func(ctx context.Context, args []string) (err error) {
			client, err := s.window(ctx, server, token)
			if err != nil {
				return err
			}
			asked := node.ReplayRequest{Entry: args[0]}
			if asked.Applicant, err = applicant.read(ctx); err != nil {
				return err
			}
			if err := stated.again(ctx, &asked, dir, exchange.Item(item)); err != nil {
				return err
			}
			var result replay.Result
			if err := client.Call(ctx, http.MethodPost, "/v1/replays", asked, &result); err != nil {
				return err
			}
			if err := s.object(result.ID, result, func(w io.Writer) error { return s.replayPage(w, &result) }); err != nil {
				return err
			}
			if result.Verdict == replay.Differs {
				return answerDiffers(result.ID)
			}
			return nil
		},
	}
}

// again adds to the request what was stated then. How a fact is written the item says.
func (x *said) again(ctx context.Context, asked *node.ReplayRequest, dir string, item exchange.Item) error {
	var service catalogue.Service
	if len(x.facts) > 0 {
		c, err := loadCatalogue(dir)
		if err != nil {
			return err
		}
		var known bool
		if service, known = c.Service(item); !known {
			return badFurther("--item", both("写出回执上的事项代码；yimen item list 列出事项", "give the code of the receipt's item; yimen item list shows the items"))
		}
	}
	var err error
	asked.Facts, asked.Stated, asked.Parties, err = x.read(ctx, service)
	return err
}

func (s *session) replayPage(w io.Writer, r *replay.Result) error {
	said := map[replay.Verdict]exchange.Text{
		replay.Same:    both("✓ 与当时的结论一致", "✓ the answer comes out the same"),
		replay.Differs: both("✗ 与当时的结论不一致", "✗ the answer comes out otherwise"),
		replay.Erased:  both("– 不能重放：所依据的记录已依法删除", "– it cannot be given again: it rested on what was erased since"),
	}[r.Verdict].In(s.lang)
	if r.Verdict == replay.Same && r.Bytes {
		said += s.t("，逐字节相同", ", byte for byte")
	}
	for _, d := range r.Materials {
		if d.Then == nil || d.Now == nil {
			continue
		}
		said += "\n  " + plain(d.Then.Material) + "  " + s.outcomeOf(d.Then) + " → " + s.outcomeOf(d.Now)
	}
	_, err := fmt.Fprintln(w, said)
	return err
}

func (s *session) outcomeOf(m *audit.Material) string {
	said := m.Outcome.Text().In(s.lang)
	if m.Reason != "" {
		said += " (" + m.Reason.Text(m.Outcome).In(s.lang) + ")"
	}
	return said
}

func answerDiffers(id string) error {
	return &exchange.Problem{Code: "YM-CLI-0807", Kind: exchange.Conflict,
		What: both("结论与当时不一致："+id, "the answer is not the one given then: "+id),
		Why:  both("程序判定规则已变，主题或保存的目录被改动，或模式、数源部门后来才登记", "the program decides otherwise than its release of then, topics or kept catalogues were changed, or a schema or keeper was entered later"),
		Mend: both("用 yimen audit verify 核验日志，再用当时的程序版本重放；仍不一致请报告", "verify the log by yimen audit verify, then replay by the release of then; if it still differs, report it")}
}
