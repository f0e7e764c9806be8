package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
)

// invitationView is what a letter of access needs, as scripts see it.
type invitationView struct {
	enrol.Invitation
	Fingerprints []certs.Fingerprint `json:"fingerprints"` // of the exchange's roots
}

func (s *session) identityInvite() verb {
	var at rollAt
	var life time.Duration
	return verb{
		use:   "invite NAME",
		short: both("邀请一个适配器、业务系统或窗口人员入网", "invite an adapter, a service or a clerk to enrol"),
		long: both("生成一次性令牌，写在接入函上交给部门。令牌只显示这一次，只能用一次；再次邀请同一身份，先前的令牌作废。\n名称写法：scjg/licences（适配器）、scjg/service/window（业务系统）、xzsp/clerk/0017（窗口人员，写工号）。",
			"Makes a one-time token for the letter of access. It is shown this once and can be used once; inviting the same identity again takes the earlier token's place.\nNames are written scjg/licences (an adapter), scjg/service/window (a service), xzsp/clerk/0017 (a clerk, by staff code)."),
		example: "yimen identity invite scjg/licences --token @admin.token\nyimen identity invite xzsp/clerk/0017 --life 8h --token @admin.token -o json",
		min:     1, max: 1,
		lists: true,
		flags: func(f *pflag.FlagSet) {
			f.DurationVar(&life, "life", 72*time.Hour, s.t("令牌有效 `SPAN`，如 24h", "the token is good for `SPAN`, such as 24h"))
			s.rollFlags(f, &at)
		},
		run: func(ctx context.Context, args []string) error {
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			roots, err := client.Roots(ctx)
			if err != nil {
				return err
			}
			invited, err := client.Invite(ctx, args[0], life)
			if err != nil {
				return err
			}
			view := invitationView{Invitation: invited}
			for _, der := range roots {
				view.Fingerprints = append(view.Fingerprints, certs.FingerprintOf(der))
			}
			return s.object(view.Name, view, func(w io.Writer) error { return s.invitationPage(w, view, client.Base) })
		},
	}
}

func (s *session) invitationPage(w io.Writer, v invitationView, server string) error {
	fmt.Fprintf(w, s.t("✓ %s 可在 %s 之前入网\n", "✓ %s may enrol until %s\n"), plain(v.Name), minute(v.Expires))
	fmt.Fprintf(w, s.t("  令牌（只显示这一次）：%s\n", "  token (shown this once): %s\n"), plain(v.Token))
	if !strings.HasPrefix(server, "https:") {
		server = "https://…" // what the administrator's machine calls it is not what the department's does
	}
	for _, f := range v.Fingerprints { // several while the root is being replaced: any of them will do
		fmt.Fprintf(w, s.t("  部门运行：yimen enroll --server %s --fingerprint %s --token -\n", "  the department runs: yimen enroll --server %s --fingerprint %s --token -\n"), server, f)
	}
	return nil
}
