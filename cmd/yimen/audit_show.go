package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/audit/ledger"
)

// shownEntry is an entry with its proof, which was verified, as scripts see it.
type shownEntry struct {
	ID       string          `json:"id"`
	Index    uint64          `json:"index"`
	Hash     string          `json:"hash"`
	Verified ledger.Proven   `json:"verified"`
	Entry    json.RawMessage `json:"entry"`
	Proof    string          `json:"proof"`
}

func (s *session) auditShow() verb {
	var at auditAt
	var keys auditKeys
	return verb{
		use:   "show ID",
		short: both("查看一条审计记录，并核验它的证明", "show an audit entry and verify its proof"),
		long: both("按回执编号取一条审计记录和它的证明，并在本机用公钥核验。只能取本部门的；审计员可取全部。\n记录里没有号码和姓名，申请人只是一个标记。",
			"Fetches an audit entry and its proof by the receipt's id and verifies them here by the public keys. A department gets its own, an auditor all.\nThere is no number and no name in an entry: the applicant is a token."),
		example: "yimen audit show 01KAR0Z7J3Q8W2X5Y6Z7A8B9C0 --token @clerk.token --key @log.vkey --witness-key @witness.vkey",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			s.auditServerFlags(f, &at)
			s.auditKeyFlags(f, &keys)
			required(f, "token")
		},
		run: func(ctx context.Context, args []string) error {
			by, err := keys.read()
			if err != nil {
				return err
			}
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			r, err := client.Receipt(ctx, args[0])
			if err != nil {
				return err
			}
			proven, err := ledger.VerifyProof(by, []byte(r.Proof), []byte(r.Entry))
			if err != nil {
				return err
			}
			entry, err := audit.Parse([]byte(r.ID), []byte(r.Entry))
			if err != nil || r.ID != args[0] {
				return &exchange.Problem{Code: "YM-CLI-0803", Kind: exchange.Invalid, Err: err,
					What: both("服务器给的不是这条记录", "the server gave another entry"),
					Mend: both("保留现场并报告：服务器可能被冒充或篡改", "keep what you have and report it: somebody may stand in for the server")}
			}
			view := shownEntry{ID: r.ID, Index: proven.Index, Hash: r.Hash, Verified: proven, Entry: json.RawMessage(r.Entry), Proof: r.Proof}
			return s.object(r.ID, view, func(w io.Writer) error { return s.entryPage(w, &entry, proven) })
		},
	}
}

func (s *session) entryPage(w io.Writer, e *audit.Entry, p ledger.Proven) error {
	line := func(zh, en, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s  %s\n", padded(s.t(zh, en), 10), plain(value))
		}
	}
	line("编号", "id", e.ID)
	line("时间", "time", moment(e.Time))
	line("类别", "kind", s.entryKind(e.Kind))
	line("部门", "department", string(e.Department))
	line("工号", "clerk", e.Clerk)
	line("收件号", "case", e.Case)
	line("事项", "item", string(e.Item))
	line("主体", "subject", e.Subject)
	for _, role := range slices.Sorted(maps.Keys(e.Parties)) {
		line(role.Text().ZH, role.Text().EN, e.Parties[role].Subject)
	}
	line("答复方式", "mode", e.Mode)
	line("结果", "decision", s.decision(e))
	if e.Act == "" {
		line("所涉回执", "about", e.Target)
	} else {
		line("操作", "act", strings.TrimSpace(e.Act+" "+e.Target))
	}
	for _, m := range e.Materials {
		line("材料", "material", m.Material+" "+m.Outcome.Text().In(s.lang)+" "+m.Reason.Text(m.Outcome).In(s.lang))
	}
	_, err := fmt.Fprintf(w, s.t("✓ 证明成立：日志第 %d 条，检查点共 %d 条\n", "✓ the proof holds: leaf %d under a checkpoint of %d\n"), p.Index, p.Size)
	return err
}

func (s *session) entryKind(k audit.Kind) string {
	return map[audit.Kind]exchange.Text{audit.Query: both("查询", "query"), audit.Rejection: both("拒绝的请求", "rejection"),
		audit.Access: both("查看访问记录", "access"), audit.Act: both("操作", "act")}[k].In(s.lang)
}

func (s *session) decision(e *audit.Entry) string {
	switch e.Decision {
	case audit.Answered:
		return s.t("已答复", "answered")
	case audit.Refused:
		return s.t("已拒绝 ", "refused ") + e.Refusal
	}
	return ""
}

// moment is a time as people see it.
func moment(t time.Time) string { return t.In(exchange.China).Format("2006-01-02 15:04:05") }
