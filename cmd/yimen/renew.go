package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/exchange"
)

// renewing is how a certificate is to be renewed.
type renewing struct {
	data              string
	watch, byExitCode bool
}

// renewedView is what came of it, as scripts see it.
type renewedView struct {
	Identity string    `json:"identity"`
	Renewed  bool      `json:"renewed"`
	Until    time.Time `json:"until"`
	Due      time.Time `json:"due"` // by when the certificate is to be renewed
	Key      string    `json:"key"` // the file of the private key with the chain behind it
	Roots    string    `json:"roots"`
}

func (s *session) renewVerb() verb {
	var how renewing
	return verb{
		use:   "renew NAME",
		short: both("续期证书：给不是 Go 写的系统用", "renew a certificate, for systems that are not written in Go"),
		long: both(`证书到了有效期的三分之二就换取下一张，未到则不做任何事；反复运行无妨。新的密钥和证书整体替换原来的文件，权限 600；在此之前原来的照常可用。
私钥和证书链在同一个文件 identity.key 里（PEM，先私钥后证书），一次改名同时换掉：程序应从这个文件读两样，每次建立连接时重读，或在续期之后重读。
--watch 常驻并按时续期；也可用 systemd 定时器，见 deploy/systemd。适配器运行时自己续期，不需要这个命令。`,
			`Gets the next certificate once two thirds of the present one's life are over, and does nothing before: it does no harm to run it often. The new key and certificate replace the files as a whole, mode 600; until then the old ones serve.
Private key and chain stand in one file, identity.key (PEM, the key first), so that one rename replaces both: have your program read both from it, with each connection or after a renewal.
--watch stays and renews in time; there is a systemd timer too, see deploy/systemd. A running adapter renews its own and does not need this.`),
		example: "yimen renew xzsp/service/case-system --data /var/lib/yimen\nyimen renew xzsp/service/case-system --data /var/lib/yimen --exit-code && systemctl reload case-system",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			s.dataFlag(f, &how.data)
			f.BoolVar(&how.watch, "watch", false, s.t("常驻，按时续期", "stay, and renew in time"))
			f.BoolVar(&how.byExitCode, "exit-code", false, s.t("没有续期时以 9 退出", "exit with 9 where nothing was renewed"))
		},
		run: func(ctx context.Context, args []string) error { return s.renew(ctx, args[0], how) },
	}
}

func (s *session) renew(ctx context.Context, name string, how renewing) error {
	principal, err := principalOf(name)
	if err != nil {
		return err
	}
	m, err := s.machineAt(enrol.PlaceOf(how.data, principal), s.logger(how.watch))
	if err != nil {
		return err
	}
	if key, _ := m.place.Credential().Files(); !keptByUs(key) {
		return anothersFiles(key)
	}
	next := func(ctx context.Context, request []byte) (certs.Papers, error) {
		joined, err := m.renew(ctx, request)
		return joined.Papers(), err
	}
	if how.watch {
		err := m.credential.Keep(ctx, next)
		if ctx.Err() != nil {
			return nil // being stopped is how one that stays ends
		}
		return err
	}
	before := m.credential.Leaf()
	if err := m.credential.Refresh(ctx, next); err != nil {
		if exchange.KindOf(err) == exchange.Unavailable {
			s.remark("现有的证书有效至 %s\n", "the present certificate holds until %s\n", moment(m.credential.Until()))
		}
		return err
	}
	renewed := !m.credential.Leaf().Equal(before)
	if err := s.renewedPage(m, renewed); err != nil {
		return err
	}
	if how.byExitCode && !renewed {
		return exitUnchanged
	}
	return nil
}

// keptByUs says whether what is renewed goes to whoever could read it before.
func keptByUs(file string) bool {
	info, err := os.Stat(file)
	return err != nil || ours(info)
}

func anothersFiles(file string) error {
	return &exchange.Problem{Code: "YM-CLI-0814", Kind: exchange.Invalid,
		What: both("证书文件属于另一个用户："+file, "the certificate's file is another user's: "+file),
		Why:  both("续期写下的新文件只有本用户能读，使用它的系统就读不到了", "the files of a renewal could be read by the present user alone, and no longer by the system that uses them"),
		Mend: both("以该文件的所有者运行：sudo -u 用户 yimen renew …；systemd 单元里写 User=", "run it as the file's owner: sudo -u USER yimen renew …; in a systemd unit set User=")}
}

func (s *session) renewedPage(m *machine, renewed bool) error {
	who, due := m.credential.Identity(), m.credential.Due()
	key, roots := m.place.Credential().Files()
	view := renewedView{Identity: who.String(), Renewed: renewed, Until: m.credential.Until(), Due: due, Key: key, Roots: roots}
	return s.object(view.Identity, view, func(w io.Writer) error {
		said := s.t("%s 的证书有效至 %s，将在 %s 前续期\n", "The certificate of %s holds until %s, to be renewed by %s.\n")
		if renewed {
			said = s.t("✓ %s 的证书已续期，有效至 %s，下次在 %s 前续期\n", "✓ Certificate of %s renewed, valid until %s, to be renewed by %s.\n")
		}
		_, err := fmt.Fprintf(w, said, who.Principal(), moment(view.Until), moment(due))
		return err
	})
}
