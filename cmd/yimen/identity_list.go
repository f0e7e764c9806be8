package main

import (
	"context"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/exchange"
)

func (s *session) identityList() verb {
	var at rollAt
	return verb{
		use:     "list",
		short:   both("列出名册上的身份和证书", "list the identities and certificates on the roll"),
		example: "yimen identity list --token @admin.token\nyimen identity list --token @admin.token -o wide",
		lists:   true,
		flags:   func(f *pflag.FlagSet) { s.rollFlags(f, &at) },
		run: func(ctx context.Context, _ []string) error {
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			rows, err := client.Identities(ctx)
			if err != nil {
				return err
			}
			return s.identityRows().print(s, rows)
		},
	}
}

func (s *session) identityRows() list[enrol.Row] {
	return list[enrol.Row]{
		name: func(r enrol.Row) string { return r.Name },
		columns: []column[enrol.Row]{
			{head: both("名称", "NAME"), cell: func(r enrol.Row) string { return r.Name }},
			{head: both("部门", "DEPT"), cell: func(r enrol.Row) string { return string(r.Department) }},
			{head: both("角色", "ROLE"), cell: func(r enrol.Row) string { return s.role(r.Role) }},
			{head: both("状态", "STATE"), cell: func(r enrol.Row) string { return s.identityState(r.State) }},
			{head: both("证书剩余", "CERT"), cell: func(r enrol.Row) string { return s.left(r) }},
			{head: both("吊销原因", "REASON"), cell: func(r enrol.Row) string { return s.struckFor(r) }},
			{head: both("指纹", "FINGERPRINT"), wide: true, cell: func(r enrol.Row) string { return fingerprintCell(r.Fingerprint) }},
			{head: both("签发", "ISSUED"), wide: true, cell: func(r enrol.Row) string { return minute(r.Issued) }},
			{head: both("有效期至", "UNTIL"), wide: true, cell: func(r enrol.Row) string { return minute(r.Until) }},
			{head: both("邀请有效至", "INVITED UNTIL"), wide: true, cell: func(r enrol.Row) string { return minute(r.Invited) }},
			{head: both("吊销时间", "REVOKED"), wide: true, cell: func(r enrol.Row) string {
				if r.Revoked == nil {
					return ""
				}
				return minute(r.Revoked.At)
			}},
		},
	}
}

func (s *session) role(r certs.Role) string {
	known := map[certs.Role]exchange.Text{certs.Adapter: both("适配器", "adapter"), certs.Service: both("业务系统", "service"),
		certs.Clerk: both("窗口人员", "clerk"), certs.Node: both("交换节点", "node"), "": both("整个部门", "department")}
	if text, ok := known[r]; ok {
		return text.In(s.lang)
	}
	return string(r)
}

func (s *session) identityState(state enrol.State) string {
	known := map[enrol.State]exchange.Text{enrol.Valid: both("有效", "valid"), enrol.Invited: both("已邀请", "invited"), enrol.Expired: both("证书过期", "expired"),
		enrol.Lapsed: both("证书已吊销", "lapsed"), enrol.Revoked: both("已吊销", "revoked"), enrol.None: both("无证书", "none")}
	if text, ok := known[state]; ok {
		return text.In(s.lang)
	}
	return string(state)
}

// left is how long a certificate that is good will be so.
func (s *session) left(r enrol.Row) string {
	if r.State != enrol.Valid {
		return ""
	}
	return s.span(r.Until.Sub(s.now()))
}

func (s *session) struckFor(r enrol.Row) string {
	if r.Revoked == nil {
		return ""
	}
	return r.Revoked.Reason.Text().In(s.lang)
}

func fingerprintCell(f *certs.Fingerprint) string {
	if f == nil {
		return ""
	}
	return f.String()
}

// minute is a moment in China, empty where there is none.
func minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(exchange.China).Format("2006-01-02 15:04")
}
