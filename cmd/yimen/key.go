package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/node"
)

func (s *session) keyVerbs() verb {
	return verb{
		use:   "key",
		short: both("平台的密钥：列出、更换", "the exchange's secrets: list, rotate"),
		verbs: []verb{s.keyList(), s.keyRotate()},
	}
}

func (s *session) keyList() verb {
	var server string
	var token *secret
	return verb{
		use:     "list",
		short:   both("列出平台的密钥、版本和用途", "list the exchange's secrets, their versions and uses"),
		long:    both("列出平台的密钥、版本和用途；-o wide 说明为什么有的不能更换。密钥本身从不显示。", "Lists the exchange's secrets, their versions and uses; -o wide says why some are never rotated. No secret is ever shown."),
		example: "yimen key list --token @admin.token\nyimen key list --token @admin.token -o wide",
		lists:   true,
		flags:   func(f *pflag.FlagSet) { token = s.adminFlags(f, &server) },
		run: func(ctx context.Context, _ []string) error {
			all, err := asked[[]node.KeyRing](ctx, s, server, token, "/v1/keys")
			if err != nil {
				return err
			}
			return s.keyRows().print(s, all)
		},
	}
}

func (s *session) keyRows() list[node.KeyRing] {
	rotates := func(k node.KeyRing) string {
		if k.Fixed == (exchange.Text{}) {
			return s.t("可以", "yes")
		}
		return s.t("不可", "no")
	}
	return list[node.KeyRing]{name: func(k node.KeyRing) string { return k.Name }, columns: []column[node.KeyRing]{
		{head: both("名称", "NAME"), cell: func(k node.KeyRing) string { return k.Name }},
		{head: both("版本", "VERSIONS"), cell: func(k node.KeyRing) string { return strconv.Itoa(k.Versions) }},
		{head: both("在用", "IN USE"), cell: s.inUse},
		{head: both("最新版生成于", "NEWEST MADE"), cell: func(k node.KeyRing) string { return k.Made.In(exchange.China).Format(time.DateTime) }},
		{head: both("更换", "ROTATES"), cell: rotates},
		{head: both("用途", "USE"), cell: func(k node.KeyRing) string { return k.Use.In(s.lang) }},
		{head: both("为何不可更换", "WHY NOT"), wide: true, cell: func(k node.KeyRing) string { return k.Fixed.In(s.lang) }},
	}}
}

// inUse is the version in use, and when the newest takes its place.
func (s *session) inUse(k node.KeyRing) string {
	if k.From.IsZero() {
		return strconv.Itoa(k.InUse)
	}
	return fmt.Sprintf(s.t("%d（%s 起 %d）", "%d (from %s: %d)"), k.InUse, k.From.In(exchange.China).Format("15:04"), k.Versions)
}

func (s *session) keyRotate() verb {
	var server string
	var token *secret
	var dry bool
	return verb{
		use:   "rotate NAME",
		short: both("更换一个密钥：生成下一版", "rotate a secret: draw its next version"),
		long: both(`生成下一版密钥，存入本地文件或 Vault。旧版保留：以前封装、签名的照样可读。
不需要重启：各节点在 vault.refresh（默认 30 秒）内得知新版，一小时后才启用，届时仍在应答的节点都已持有；适配器在证书续期时得知新的封装公钥。
更换了会使已有数据失效的密钥，服务器拒绝并说明原因。`,
			`Draws the next version of a secret, kept in local files or Vault. Older versions stay: what they sealed or signed can still be read.
No restart is needed: every node learns of it within vault.refresh (30 s by default), and it comes into use an hour later, when every node that still answers holds it; adapters learn of a new key to seal to as they renew their certificates.
The server refuses to rotate what would make existing data useless, and says why.`),
		example: "yimen key rotate sealing --token @admin.token --dry-run\nyimen key rotate orders --token @admin.token",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			token = s.adminFlags(f, &server)
			s.dryRunFlag(f, &dry)
		},
		run: func(ctx context.Context, args []string) error {
			client, err := s.window(ctx, server, token)
			if err != nil {
				return err
			}
			var done node.KeyRing
			if err := client.Call(ctx, http.MethodPost, "/v1/keys/rotations", node.KeyRotation{Name: args[0], DryRun: dry}, &done); err != nil {
				return err
			}
			if err := s.object(done.Name, done, func(w io.Writer) error { return s.rotationPage(w, done, dry) }); err != nil || !dry {
				return err
			}
			s.say("由服务器判定。去掉 --dry-run 再运行即更换。\n", "Dry run by server. Run again without --dry-run to rotate.\n")
			return nil
		},
	}
}

func (s *session) rotationPage(w io.Writer, k node.KeyRing, dry bool) error {
	line := s.t("✓ %s 第 %d 版已生成，%s 启用；无需重启\n", "✓ %s version %d is drawn and comes into use at %s; nothing need be restarted\n")
	if dry {
		line = s.t("%s 第 %d 版将于 %s 启用\n", "%s version %d would come into use at %s\n")
	}
	_, err := fmt.Fprintf(w, line, k.Name, k.Versions, k.From.In(exchange.China).Format(time.DateTime))
	return err
}
