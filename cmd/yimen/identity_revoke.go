package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/certs/roll"
)

// revocation is one run of identity revoke.
type revocation struct {
	session *session
	at      rollAt
	reason  string
	confirm string
}

func (s *session) identityRevoke() verb {
	v := &revocation{session: s}
	return verb{
		use:   "revoke TARGET",
		short: both("吊销一个身份、一个部门或一张证书", "revoke an identity, a department or a certificate"),
		long: both("立即拒绝其一切访问，已打开的连接也会断开。吊销的证书永不恢复；身份和部门可以恢复，恢复后须重新邀请。\n目标写法：scjg/licences、xzsp/clerk/0017（身份），scjg（整个部门），SHA256:…（一张证书）。\n会要求照样输入目标；脚本用 --confirm 目标。原因："+reasonTexts(true),
			"Refuses it everything at once; connections that are open are closed. Certificates never come back; an identity or a department can be restored, and must be invited anew.\nTargets are written scjg/licences, xzsp/clerk/0017 (identities), scjg (a whole department), SHA256:… (one certificate).\nIt asks to type the target; scripts give it with --confirm. Reasons: "+reasonTexts(false)),
		example: "yimen identity revoke scjg/licences --reason key_compromised --token @admin.token\nyimen identity revoke scjg --reason misuse --confirm scjg --token @admin.token",
		min:     1, max: 1,
		lists: true,
		flags: func(f *pflag.FlagSet) {
			choice(f, &v.reason, "reason", "", reasonCodes(), s.t("原因 `CODE`", "the reason, as `CODE`"))
			f.StringVar(&v.confirm, "confirm", "", s.t("照样写出目标 `TARGET` 表示确认", "write the `TARGET` again to confirm"))
			s.rollFlags(f, &v.at)
			required(f, "reason")
		},
		run: func(ctx context.Context, args []string) error { return v.run(ctx, args[0]) },
	}
}

func (v *revocation) run(ctx context.Context, target string) error {
	s := v.session
	client, err := v.at.client(ctx)
	if err != nil {
		return err
	}
	rows, err := client.Identities(ctx)
	if err != nil {
		return err
	}
	s.say("%s 将立即失去访问，涉及 %s有效证书\n", "%s loses all access at once; this concerns %s\n", plain(target),
		s.counted(struckBy(rows, target), " 张", "valid certificate", "valid certificates"))
	if err := s.nameTyped(ctx, target, v.confirm); err != nil {
		return err
	}
	done, err := client.Revoke(ctx, target, roll.Reason(v.reason))
	if err != nil {
		return err
	}
	return s.object(done.Target, done, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, s.t("✓ 已吊销 %s\n", "✓ %s was revoked\n"), plain(done.Target))
		return err
	})
}

// struckBy counts the identities with a good certificate that a target strikes.
func struckBy(rows []enrol.Row, target string) int {
	n := 0
	for _, r := range rows {
		who, err := certs.ParseIdentity(r.Identity)
		if err != nil || r.State != enrol.Valid {
			continue
		}
		t, err := roll.ParseTarget(who.City, target)
		if err == nil && (t.Department != "" && t.Department == who.Department || t.Identity == who || r.Fingerprint != nil && t.Certificate == *r.Fingerprint) {
			n++
		}
	}
	return n
}

func reasonCodes() (codes []string) {
	for _, r := range roll.Reasons() {
		codes = append(codes, string(r))
	}
	return codes
}

// reasonTexts explains the codes in one of the languages.
func reasonTexts(zh bool) string {
	var all []string
	for _, r := range roll.Reasons() {
		if text := r.Text(); zh {
			all = append(all, string(r)+" "+text.ZH)
		} else {
			all = append(all, string(r)+" ("+text.EN+")")
		}
	}
	if zh {
		return strings.Join(all, "、")
	}
	return strings.Join(all, ", ")
}

func (s *session) identityRestore() verb {
	var at rollAt
	return verb{
		use:   "restore TARGET",
		short: both("恢复一个被吊销的身份或部门", "restore an identity or a department that was revoked"),
		long: both("撤销对身份或部门的吊销。用令牌登录的人员立即可用；吊销的证书不恢复，须重新邀请。",
			"Lifts the revocation of an identity or a department. Who logs in with a token may do so at once; certificates stay revoked, and their holders are invited anew."),
		example: "yimen identity restore scjg/licences --token @admin.token\nyimen identity restore scjg --token @admin.token",
		min:     1, max: 1,
		flags: func(f *pflag.FlagSet) { s.rollFlags(f, &at) },
		run: func(ctx context.Context, args []string) error {
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			done, err := client.Restore(ctx, args[0])
			if err != nil {
				return err
			}
			return s.object(done.Target, done, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, s.t("✓ 已恢复 %s\n  接着：用证书的，yimen identity invite 重新邀请\n", "✓ %s was restored\n  next: for those who use certificates, yimen identity invite\n"), plain(done.Target))
				return err
			})
		},
	}
}
