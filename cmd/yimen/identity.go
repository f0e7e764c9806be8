package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

func (s *session) identityVerbs() verb {
	return verb{
		use:   "identity",
		short: both("身份：邀请、列出、吊销、恢复", "identities: invite, list, revoke, restore"),
		verbs: []verb{s.identityInvite(), s.identityList(), s.identityRevoke(), s.identityRestore(), s.identityFingerprint()},
	}
}

// rollAt is the roll of identities as an administrator calls it.
type rollAt struct {
	server string
	token  *secret
}

func (s *session) rollFlags(f *pflag.FlagSet) *rollAt {
	a := &rollAt{}
	a.token = s.adminFlags(f, &a.server)
	return a
}

func (a *rollAt) client(ctx context.Context) (*enrol.Client, error) {
	base, err := address(a.server)
	if err != nil {
		return nil, err
	}
	token, err := bearerOf(ctx, a.token)
	return &enrol.Client{Base: base, Token: token}, err
}

func (s *session) identityInvite() verb {
	var at *rollAt
	var life time.Duration
	return verb{
		use:   "invite NAME",
		short: both("为一个身份签发一次性令牌", "draw a one-time token for an identity"),
		long: both("NAME 如 scjg/licences（适配器）、xzsp/service/window（部门系统）、xzsp/clerk/0017（人员，写工号不写姓名）。\n令牌只显示这一次；请与平台地址、指纹分开交给对方。",
			"NAME is such as scjg/licences (an adapter), xzsp/service/window (a department's system) or xzsp/clerk/0017 (a person by staff code, never by name).\nThe token is shown this once; hand it over by another way than the address and the fingerprint."),
		example: "yimen identity invite scjg/licences --token @admin.token",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			at = s.rollFlags(f)
			f.DurationVar(&life, "life", roll.InvitationLife, s.t("令牌的有效期 `DURATION`，整小时", "how long the token is good, in whole hours `DURATION`"))
		},
		run: func(ctx context.Context, args []string) error {
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			i, err := client.Invite(ctx, args[0], life)
			if err != nil {
				return err
			}
			return s.object(i.Token, i, func(w io.Writer) error {
				fmt.Fprintf(s.talk, s.t("%s 的一次性令牌，有效至 %s；请妥善交给对方：\n", "One-time token for %s, good until %s; hand it over with care:\n"),
					i.Identity, i.Until.In(exchange.China).Format("2006-01-02 15:04"))
				_, err := fmt.Fprintln(w, i.Token)
				return err
			})
		},
	}
}

func (s *session) identityList() verb {
	var at *rollAt
	return verb{
		use:     "list",
		short:   both("列出所有身份和证书", "list all identities and their certificates"),
		example: "yimen identity list --token @admin.token -o wide",
		lists:   true,
		flags:   func(f *pflag.FlagSet) { at = s.rollFlags(f) },
		run: func(ctx context.Context, _ []string) error {
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			all, err := client.Identities(ctx)
			if err != nil {
				return err
			}
			return s.standingRows().print(s, all)
		},
	}
}

func (s *session) standingRows() list[roll.Standing] {
	moment := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.In(exchange.China).Format("2006-01-02 15:04")
	}
	return list[roll.Standing]{
		name: func(i roll.Standing) string { return i.Principal },
		columns: []column[roll.Standing]{
			{head: both("身份", "IDENTITY"), cell: func(i roll.Standing) string { return i.Principal }},
			{head: both("状态", "STATE"), cell: func(i roll.Standing) string { return s.standing(i) }},
			{head: both("证书剩余", "CERT"), cell: func(i roll.Standing) string { return s.left(i.Until) }},
			{head: both("签名算法", "SIGNS BY"), wide: true, cell: func(i roll.Standing) string { return suiteName(i.Suite) }},
			{head: both("有效至", "UNTIL"), wide: true, cell: func(i roll.Standing) string { return moment(i.Until) }},
			{head: both("吊销于", "REVOKED"), wide: true, cell: func(i roll.Standing) string { return moment(i.Revoked) }},
			{head: both("原因", "REASON"), wide: true, cell: func(i roll.Standing) string { return plain(i.Reason) }},
			{head: both("指纹", "FINGERPRINT"), wide: true, cell: func(i roll.Standing) string { return i.Fingerprint }},
		},
	}
}

// suiteName is a suite as the configuration has it, "-" where there is none.
func suiteName(suite envelope.Suite) string {
	name, err := suite.MarshalText()
	if err != nil {
		return "-"
	}
	return string(name)
}

// standing says in a word how an identity stands.
func (s *session) standing(i roll.Standing) string {
	switch {
	case !i.Revoked.IsZero():
		return s.t("已吊销", "revoked")
	case i.Until.IsZero() && s.now().After(i.InvitedTill):
		return s.t("邀请已过期", "invitation out of date")
	case i.Until.IsZero():
		return s.t("已邀请", "invited")
	case s.now().After(i.Until):
		return s.t("证书已过期", "out of date")
	}
	return s.t("有效", "valid")
}

// left is how much of a certificate's life is left.
func (s *session) left(until time.Time) string {
	left := until.Sub(s.now())
	if until.IsZero() || left <= 0 {
		return "-"
	}
	return fmt.Sprintf(s.t("%d 小时", "%d h"), int(left.Hours()))
}

func (s *session) identityRevoke() verb {
	var at *rollAt
	var reason, confirm string
	return verb{
		use:   "revoke TARGET",
		short: both("吊销一个身份、整个部门或一张证书，五秒内处处生效", "revoke an identity, a whole department or one certificate, everywhere within five seconds"),
		long: both("TARGET 是部门代码（其全部身份）、身份（如 scjg/licences、xzsp/clerk/0017）或证书指纹（SHA256:…）。\n已建立的连接也随即被拒绝；证书不能恢复，恢复后的身份须重新入网。",
			"TARGET is a department's code (all its identities), an identity (such as scjg/licences or xzsp/clerk/0017) or a certificate's fingerprint (SHA256:…).\nOpen connections are refused too; certificates do not come back: who is restored enrols anew."),
		example: "yimen identity revoke scjg/licences --reason key-lost --token @admin.token --confirm scjg/licences",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			at = s.rollFlags(f)
			f.StringVar(&reason, "reason", "", s.t("原因代码 `CODE`，如 key-lost、left-office、breach", "the reason's `CODE`, such as key-lost, left-office or breach"))
			f.StringVar(&confirm, "confirm", "", s.t("照样写出 TARGET `NAME` 以确认，供脚本使用", "TARGET once more `NAME`, to confirm it in scripts"))
			required(f, "reason")
		},
		run: func(ctx context.Context, args []string) error {
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			if err := s.nameTyped(ctx, args[0], confirm); err != nil {
				return err
			}
			if err := client.Revoke(ctx, args[0], reason); err != nil {
				return err
			}
			return s.changed(args[0], "revoked", both("✓ %s 已吊销；恢复用 yimen identity restore\n", "✓ %s is revoked; yimen identity restore takes it back\n"))
		},
	}
}

func (s *session) identityRestore() verb {
	var at *rollAt
	return verb{
		use:     "restore TARGET",
		short:   both("恢复一个身份或部门；证书须重新申请", "restore an identity or a department; certificates are enrolled for anew"),
		example: "yimen identity restore scjg/licences --token @admin.token",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) { at = s.rollFlags(f) },
		run: func(ctx context.Context, args []string) error {
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			if err := client.Restore(ctx, args[0]); err != nil {
				return err
			}
			return s.changed(args[0], "restored", both("✓ %s 已恢复；其机器须重新入网\n", "✓ %s is restored; its machines enrol anew\n"))
		},
	}
}

// changedView is what became of a target, as scripts see it.
type changedView struct {
	Target string `json:"target"`
	State  string `json:"state"`
}

func (s *session) changed(target, state string, said exchange.Text) error {
	return s.object(target, changedView{target, state}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, said.In(s.lang), plain(target))
		return err
	})
}

// fingerprintView is a root's fingerprint, as scripts see it.
type fingerprintView struct {
	Fingerprint string `json:"fingerprint"`
}

func (s *session) identityFingerprint() verb {
	var server string
	return verb{
		use:     "fingerprint",
		short:   both("显示平台根证书的指纹，供接入函使用", "show the fingerprint of the exchange's root, for letters of access"),
		long:    both("在平台自己的机器上运行：从别处看到的指纹，要与此相符才可信。", "Run it on the exchange's own machine: a fingerprint seen elsewhere is to be trusted only if it is this one."),
		example: "yimen identity fingerprint",
		lists:   true,
		flags:   func(f *pflag.FlagSet) { s.serverFlag(f, &server) },
		run: func(ctx context.Context, _ []string) error {
			base, err := address(server)
			if err != nil {
				return err
			}
			all, err := (&enrol.Client{Base: base}).Roots(ctx)
			if err != nil {
				return err
			}
			var views []fingerprintView
			for _, f := range all {
				views = append(views, fingerprintView{f.String()})
			}
			return list[fingerprintView]{name: func(v fingerprintView) string { return v.Fingerprint },
				columns: []column[fingerprintView]{{head: both("指纹", "FINGERPRINT"), cell: func(v fingerprintView) string { return v.Fingerprint }}}}.print(s, views)
		},
	}
}
