package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// joining is how a machine is to enrol.
type joining struct {
	server, fingerprint, data, name string
	token                           *secret
}

// enrolledView is what came of it, as scripts see it.
type enrolledView struct {
	Identity    string    `json:"identity"`
	Until       time.Time `json:"until"`
	Fingerprint string    `json:"fingerprint"` // of the exchange's root
	Kafka       []string  `json:"kafka"`
}

func (s *session) enrollVerb() verb {
	var how joining
	return verb{
		use:   "enroll",
		short: both("部门机器入网：凭一次性令牌取得证书", "join the exchange: get a certificate by a one-time token"),
		long: both("在部门自己的机器上生成私钥，凭一次性令牌取得证书。先核对服务器的根证书指纹，相符才发送令牌；私钥不离开本机。\n证书最长 72 小时，适配器运行时在三分之二处自动续期；其他系统用 yimen renew。",
			"Draws a private key on the department's own machine and gets a certificate for it by a one-time token. The token is sent only once the server's root has the fingerprint on the letter of access; the private key never leaves this machine.\nA certificate lives 72 hours at most; a running adapter renews it at two thirds of that, other systems use `yimen renew`."),
		example: "yimen enroll --server https://yimen.example.gov.cn:7443 --fingerprint SHA256:3b:9e:… --token - --data /var/lib/yimen",
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&how.server, "server", "", s.t("平台的部门地址 `URL`，https", "the exchange's address `URL` for departments, https"))
			f.StringVar(&how.fingerprint, "fingerprint", "", s.t("接入函上的根证书指纹 `SHA256:…`", "the root's fingerprint `SHA256:…` on the letter of access"))
			how.token = s.secretFlag(f, "token", both("一次性令牌 `TOKEN`", "the one-time token `TOKEN`"))
			f.StringVar(&how.name, "name", "", s.t("应取得的身份 `NAME`，如 scjg/licences；不符则拒绝", "the identity `NAME` to be had, such as scjg/licences; another is refused"))
			s.dataFlag(f, &how.data)
			required(f, "server", "fingerprint", "token")
		},
		run: func(ctx context.Context, _ []string) error { return s.enroll(ctx, how) },
	}
}

func (s *session) enroll(ctx context.Context, how joining) error {
	root, err := certs.ParseFingerprint(how.fingerprint)
	if err != nil {
		return err
	}
	token, err := how.token.read(ctx)
	if err != nil {
		return err
	}
	principal, err := principalOf(how.name)
	if err != nil {
		return err
	}
	if err := takesFiles(how.data); err != nil {
		return err
	}
	var key crypto.Signer
	draw := func(suite envelope.Suite) (request []byte, err error) {
		key, request, err = certs.NewRequest(suite, rand.Reader, principal)
		return request, err
	}
	joined, err := enrol.Join(ctx, how.server, root, strings.TrimSpace(token), draw, s.now)
	if err != nil {
		return err
	}
	who, err := certs.ParseIdentity(joined.Identity)
	if err != nil {
		return fmt.Errorf("read the certificate's identity: %w", err)
	}
	place := enrol.PlaceOf(how.data, who.Principal())
	at := place.Credential()
	at.Clock = s.now
	if _, err := certs.SaveCredential(at, key, joined.Papers()); err != nil {
		return err
	}
	if err := place.Save(enrol.Membership{Server: how.server, Fingerprint: root, Exchange: joined.Exchange}); err != nil {
		return err
	}
	return s.enrolled(who, joined, root, how.data)
}

// takesFiles sees that a directory, or the one that it will be made in, takes files: the token is good once, and a certificate
// that cannot be kept would have used it up. It leaves nothing behind.
func takesFiles(dir string) error {
	at := dir
	for {
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			break
		}
		at = filepath.Dir(at)
	}
	trial, err := os.CreateTemp(at, ".yimen-*")
	if err == nil {
		err = errors.Join(trial.Close(), os.Remove(trial.Name()))
	}
	if err != nil {
		p := folderProblem(dir, "--data DIR (YIMEN_DATA)", err)
		p.What = both("不能写入 "+shown(dir)+"，令牌没有发送", shown(dir)+" cannot be written to; the token was not sent")
		return p
	}
	return nil
}

// principalOf is the name as requests carry it; the city is the exchange's to say.
func principalOf(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	who, err := certs.ParsePrincipal("any", name)
	if err != nil {
		return "", &usageError{&exchange.Problem{Code: "YM-CLI-0808", Kind: exchange.Invalid, What: both("身份的名称不对", "the name of the identity is wrong"),
			Mend: both("写成 部门/名称，如 scjg/licences；服务和人员写 部门/service/名称、部门/clerk/工号", "write department/name, such as scjg/licences; for services and people department/service/name and department/clerk/code")}}
	}
	return who.Principal(), nil
}

func (s *session) enrolled(who certs.Identity, joined enrol.Joined, root certs.Fingerprint, data string) error {
	view := enrolledView{Identity: joined.Identity, Until: joined.Until, Fingerprint: root.String(), Kafka: joined.Kafka}
	return s.object(joined.Identity, view, func(w io.Writer) error {
		fmt.Fprint(w, s.t("✓ 服务器身份与接入函上的指纹一致\n", "✓ Server identity matches the fingerprint on your letter of access.\n"))
		until := moment(joined.Until)
		if who.Role == certs.Adapter {
			_, err := fmt.Fprintf(w, s.t("✓ 已取得 %s 的证书，有效至 %s，到期前自动续期\n下一步：yimen adapter run 清单.yaml\n",
				"✓ Certificate for %s issued, valid until %s, renews itself.\nnext: yimen adapter run MANIFEST.yaml\n"), who.Principal(), until)
			return err
		}
		_, err := fmt.Fprintf(w, s.t("✓ 已取得 %s 的证书，有效至 %s\n下一步：定时续期，yimen renew %s --data %s\n",
			"✓ Certificate for %s issued, valid until %s.\nnext: have it renewed in time, yimen renew %s --data %s\n"), who.Principal(), until, who.Principal(), quoted(data))
		return err
	})
}
