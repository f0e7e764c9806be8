package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/exchange"
)

// enrollment is one run of enroll.
type enrollment struct {
	session                         *session
	server, fingerprint, data, name string
	token                           *secret
}

func (s *session) enrollVerb() verb {
	e := &enrollment{session: s}
	return verb{
		use:   "enroll",
		short: both("入网：用令牌和指纹换取本机的证书", "enrol this machine: a token and a fingerprint for a certificate"),
		long: both("用接入函上的一次性令牌换取证书。先核对服务器与接入函上的指纹，相符才发送令牌。\n私钥在本机生成，不会离开本机；证书有效期不超过 72 小时，适配器运行时自动续期。",
			"Gets this machine its certificate for the one-time token of the letter of access. The token is sent only after the server has matched the letter's fingerprint.\nThe private key is drawn here and never leaves. The certificate lives for 72 hours at most and renews itself while the adapter runs."),
		example: "yimen enroll --server https://yimen.example.gov.cn --fingerprint SHA256:3b:9e:… --token -\nyimen enroll --server https://yimen.example.gov.cn --fingerprint SHA256:3b:9e:… --token @letter.token --data /var/lib/yimen --name scjg/licences",
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&e.server, "server", "", s.t("交换平台地址 `URL`，https 开头", "the exchange's address `URL`, which begins with https"))
			f.StringVar(&e.fingerprint, "fingerprint", "", s.t("接入函上的指纹 `FINGERPRINT`", "the `FINGERPRINT` on the letter of access"))
			e.token = s.secretFlag(f, "token", both("接入函上的令牌 `TOKEN`", "the `TOKEN` of the letter of access"))
			s.dataFlag(f, &e.data)
			f.StringVar(&e.name, "name", "", s.t("应得的身份 `NAME`，如 scjg/licences；令牌属于别的身份时不使用它", "the identity `NAME` that is expected, such as scjg/licences; another's token is not used"))
			required(f, "server", "fingerprint", "token")
		},
		run: func(ctx context.Context, _ []string) error { return e.run(ctx) },
	}
}

// enrolledView is what came of an enrolment, as scripts see it.
type enrolledView struct {
	Name        string              `json:"name"`
	Identity    string              `json:"identity"`
	Department  exchange.Department `json:"department,omitempty"`
	Fingerprint certs.Fingerprint   `json:"fingerprint"`
	Until       time.Time           `json:"until"`
	Key         string              `json:"key"` // the file
	Kafka       []string            `json:"kafka"`
}

// run checks all that can be checked before the token is sent: it can be used once.
func (e *enrollment) run(ctx context.Context) error {
	s := e.session
	server, err := address(e.server)
	if err != nil {
		return err
	}
	fingerprint, err := certs.ParseFingerprint(e.fingerprint)
	if err != nil {
		return err
	}
	principal, err := expected(e.name)
	if err != nil {
		return err
	}
	token, err := e.token.read(ctx)
	if err != nil {
		return err
	}
	if err := takesFiles(filepath.Join(e.data, certsDir)); err != nil {
		return err
	}
	key, request, err := certs.NewRequest(rand.Reader, principal)
	if err != nil {
		return err
	}
	papers, err := enrol.Enrol(ctx, server, fingerprint, token, request)
	if err != nil {
		return err
	}
	who, err := namedIn(papers)
	if err != nil {
		return err
	}
	place := credentialAt(e.data, who.Principal(), s.now)
	credential, err := certs.SaveCredential(place, key, papers.Certs())
	if err != nil {
		return err
	}
	if err := keepExchange(e.data, exchangeFile{Server: server, SealingKeys: papers.SealingKeys, Kafka: papers.Kafka}); err != nil {
		return err
	}
	view := enrolledView{Name: who.Principal(), Identity: who.String(), Department: who.Department, Fingerprint: certs.FingerprintOf(papers.Chain[0]),
		Until: credential.Until(), Key: filepath.Join(place.Dir, place.Name+".key"), Kafka: papers.Kafka}
	return s.object(view.Name, view, func(w io.Writer) error { return s.enrolledPage(w, view, e.data) })
}

func (s *session) enrolledPage(w io.Writer, v enrolledView, data string) error {
	c, err := loadCatalogue("")
	if err != nil {
		return err
	}
	fmt.Fprint(w, s.t("✓ 服务器与接入函上的指纹相符。\n", "✓ Server identity matches the fingerprint on your letter of access.\n"))
	fmt.Fprintf(w, s.t("✓ 已签发 %s 的证书，有效期 %s，自动续期。   部门：%s\n", "✓ Certificate for  %s  issued, valid %s, renews itself.   Department: %s\n"),
		plain(v.Name), s.span(v.Until.Sub(s.now())), plain(s.department(c, v.Department)))
	fmt.Fprintf(w, s.t("  密钥和证书：%s\n", "  key and certificate: %s\n"), plain(v.Key))
	_, err = fmt.Fprintf(w, s.t("  接着：yimen adapter check 清单，再 yimen adapter run 清单 --data %s\n", "  next: yimen adapter check MANIFEST, then yimen adapter run MANIFEST --data %s\n"), quoted(plain(data)))
	return err
}

// span is a length of time as people say it.
func (s *session) span(d time.Duration) string {
	switch {
	case d > 72*time.Hour+30*time.Minute:
		return fmt.Sprintf(s.t("%d 天", "%d d"), d.Round(24*time.Hour)/(24*time.Hour))
	case d >= time.Hour:
		return fmt.Sprintf(s.t("%d 小时", "%d h"), d.Round(time.Hour)/time.Hour)
	}
	return fmt.Sprintf(s.t("%d 分钟", "%d min"), max(0, d.Round(time.Minute)/time.Minute))
}

// expected is the principal that --name stands for, "" where it says nothing. Which city it is of, the exchange knows.
func expected(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	who, err := certs.ParsePrincipal("city", name)
	if err != nil {
		return "", &usageError{&exchange.Problem{Code: "YM-CLI-0801", Kind: exchange.Invalid,
			What: both("选项 --name 的值不对", "the value of --name is wrong"),
			Why:  both("应为部门和名称，或部门、角色和名称", "it must be department and name, or department, role and name"),
			Mend: both("例如 --name scjg/licences", "such as --name scjg/licences")}}
	}
	return who.Principal(), nil
}

// namedIn is whom a certificate names.
func namedIn(p enrol.Papers) (certs.Identity, error) {
	leaf, err := p.Leaf()
	if err != nil {
		return certs.Identity{}, err
	}
	return certs.IdentityOf(leaf)
}

// The layout below DIR/certs: an identity's files lie under its principal, what is known of the exchange beside them.
const (
	certsDir     = "certs"
	exchangeJSON = "exchange.json"
)

// credentialAt says where the credential of a principal, such as scjg/adapter/licences, lies below the data directory.
func credentialAt(data, principal string, now func() time.Time) certs.CredentialConfig {
	return certs.CredentialConfig{Dir: filepath.Join(data, certsDir, filepath.FromSlash(path.Dir(principal))), Name: path.Base(principal), Clock: now}
}

// exchangeFile is what a machine that enrolled knows of the exchange.
type exchangeFile struct {
	Server      string             `json:"server"`
	SealingKeys []enrol.SealingKey `json:"sealing_keys"`
	Kafka       []string           `json:"kafka"`
}

// keepExchange puts the file in the place of what was there, whole or not at all.
func keepExchange(data string, known exchangeFile) error {
	content, err := json.MarshalIndent(known, "", "  ")
	if err != nil {
		return fmt.Errorf("write what is known of the exchange: %w", err)
	}
	file := filepath.Join(data, certsDir, exchangeJSON)
	fresh := file + ".new"
	if err := os.WriteFile(fresh, append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("write what is known of the exchange: %w", err)
	}
	return os.Rename(fresh, file)
}

// takesFiles makes a directory where there is none, and sees that files can be written there.
func takesFiles(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var trial *os.File
		if trial, err = os.CreateTemp(dir, ".trial-*"); err == nil {
			trial.Close()
			err = os.Remove(trial.Name())
		}
	}
	if err != nil {
		p := folderProblem(dir, "--data DIR (YIMEN_DATA)", err)
		p.What = both("不能写入 "+shown(dir)+"，令牌没有发送", shown(dir)+" cannot be written to; the token was not sent")
		return p
	}
	return nil
}
