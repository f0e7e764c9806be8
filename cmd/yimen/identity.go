package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/exchange"
)

func (s *session) identityVerbs() verb {
	return verb{
		use:   "identity",
		short: both("身份：邀请、列出、吊销、恢复", "identities: invite, list, revoke, restore"),
		verbs: []verb{s.identityInvite(), s.identityList(), s.identityRevoke(), s.identityRestore(), s.identityFingerprint()},
	}
}

// rollAt is the exchange whose roll --server and --token name.
type rollAt struct {
	server string
	token  *secret
}

func (s *session) rollFlags(f *pflag.FlagSet, at *rollAt) {
	s.serverFlag(f, &at.server)
	at.token = s.secretFlag(f, "token", both("管理员令牌 `TOKEN`", "the administrator's token `TOKEN`"))
	required(f, "token")
}

func (at *rollAt) client(ctx context.Context) (*enrol.Client, error) {
	base, err := address(at.server)
	if err != nil {
		return nil, err
	}
	bearer, err := bearerOf(ctx, at.token)
	return &enrol.Client{Base: base, Token: bearer}, err
}

// rootView is a root of the exchange's authority, as scripts see it.
type rootView struct {
	Fingerprint certs.Fingerprint `json:"fingerprint"`
	Subject     string            `json:"subject"`
	Until       time.Time         `json:"until"`
}

func (s *session) identityFingerprint() verb {
	var server string
	return verb{
		use:   "fingerprint [FILE]",
		short: both("显示交换平台根证书的指纹，写在接入函上", "show the fingerprint of the exchange's root, for letters of access"),
		long: both("显示根证书的指纹。部门用它确认自己连接的是真正的交换平台，所以请在平台所在的机器上运行，或指定根证书文件。",
			"Shows the fingerprint of the root. By it departments know the real exchange, so run this on the exchange's own machine, or name the root's file."),
		example: "yimen identity fingerprint\nyimen identity fingerprint roots.crt -o json",
		max:     1,
		lists:   true,
		flags:   func(f *pflag.FlagSet) { s.serverFlag(f, &server) },
		run: func(ctx context.Context, args []string) error {
			roots, err := rootsOf(ctx, server, args)
			if err != nil {
				return err
			}
			return s.rootRows().print(s, roots)
		},
	}
}

func rootsOf(ctx context.Context, server string, files []string) ([]rootView, error) {
	var ders [][]byte
	var err error
	if len(files) > 0 {
		ders, err = rootsIn(files[0])
	} else {
		ders, err = rootsFrom(ctx, server)
	}
	if err != nil {
		return nil, err
	}
	var views []rootView
	for _, der := range ders {
		root, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, noRoots()
		}
		views = append(views, rootView{certs.FingerprintOf(der), root.Subject.CommonName, root.NotAfter})
	}
	return views, nil
}

func rootsFrom(ctx context.Context, server string) ([][]byte, error) {
	base, err := address(server)
	if err != nil {
		return nil, err
	}
	return (&enrol.Client{Base: base}).Roots(ctx)
}

// rootsIn reads a PEM file. One that holds none is refused: it is the wrong file.
func rootsIn(file string) ([][]byte, error) {
	content, err := firstBytes(file)
	if err != nil {
		return nil, err
	}
	var ders [][]byte
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			ders = append(ders, block.Bytes)
		}
	}
	if len(ders) == 0 {
		return nil, noRoots()
	}
	return ders, nil
}

func noRoots() error {
	return &exchange.Problem{Code: "YM-CLI-0802", Kind: exchange.Invalid,
		What: both("没有可读的证书", "there is no certificate that can be read"),
		Why:  both("根证书应为 PEM 格式", "roots are in PEM"),
		Mend: both("指定 roots.crt，或不写文件、由 --server 获取", "name roots.crt, or leave the file out and have it fetched from --server")}
}

func (s *session) rootRows() list[rootView] {
	return list[rootView]{
		name: func(v rootView) string { return v.Fingerprint.String() },
		columns: []column[rootView]{
			{head: both("指纹", "FINGERPRINT"), cell: func(v rootView) string { return v.Fingerprint.String() }},
			{head: both("根证书", "ROOT"), cell: func(v rootView) string { return v.Subject }},
			{head: both("有效期至", "UNTIL"), cell: func(v rootView) string { return day(v.Until) }},
		},
	}
}

func day(t time.Time) string { return t.In(exchange.China).Format(time.DateOnly) }
