package main

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit/ledger"
)

func (s *session) auditVerbs() verb {
	return verb{
		use:   "audit",
		short: both("审计日志：核验、查看、检索、导出、重放", "the audit log: verify, show, search, export and replay it"),
		verbs: []verb{s.auditVerify(), s.auditShow(), s.auditSearch(), s.auditExport(), s.auditReplay()},
	}
}

// auditAt is the log that --log or --server and --token name.
type auditAt struct {
	dir    string
	server string
	token  *secret
	given  *pflag.FlagSet
}

// auditAtFlags declares where the log is.
func (s *session) auditAtFlags(f *pflag.FlagSet, at *auditAt) {
	at.given = f
	f.StringVar(&at.dir, "log", "", s.t("审计日志所在的文件夹 `DIR`，如 /var/lib/yimen/audit", "the folder `DIR` of the audit log, such as /var/lib/yimen/audit"))
	s.auditServerFlags(f, at)
}

// auditServerFlags declares which exchange has the log.
func (s *session) auditServerFlags(f *pflag.FlagSet, at *auditAt) {
	s.serverFlag(f, &at.server)
	at.token = s.secretFlag(f, "token", both("调用令牌 `TOKEN`", "the caller's token `TOKEN`"))
}

// source is the log to read: a folder, or an exchange's.
func (at *auditAt) source(ctx context.Context) (ledger.Source, error) {
	if at.dir != "" {
		if at.given.Changed("server") || at.token.given() {
			return nil, &usageError{&exchange.Problem{Code: "YM-CLI-0801", Kind: exchange.Invalid,
				What: both("--log 和 --server、--token 不能一起用", "--log goes with neither --server nor --token"),
				Why:  both("日志要么在本机文件夹，要么在服务器", "the log is in a folder of this machine, or at a server"),
				Mend: both("去掉其中一个", "leave one of them out")}}
		}
		if info, err := os.Stat(at.dir); err != nil || !info.IsDir() {
			return nil, folderProblem(at.dir, "--log", err)
		}
		return ledger.Dir(at.dir), nil
	}
	client, err := at.client(ctx)
	if err != nil {
		return nil, err
	}
	return ledger.Server(client.Base, client.Token, nil)
}

// client is the exchange that has the log.
func (at *auditAt) client(ctx context.Context) (*ledger.Client, error) {
	base, err := address(at.server)
	if err != nil {
		return nil, err
	}
	if !at.token.given() {
		return nil, &usageError{&exchange.Problem{Code: "YM-CLI-0802", Kind: exchange.Invalid,
			What: both("缺少选项 --token", "--token is missing"),
			Why:  both("服务器要知道是谁在查看审计日志", "the server must know who reads the audit log"),
			Mend: both("--token @文件；日志在本机时用 --log 文件夹", "--token @file; where the log is on this machine, --log folder")}}
	}
	bearer, err := bearerOf(ctx, at.token)
	if err != nil {
		return nil, err
	}
	return &ledger.Client{Base: base, Token: bearer}, nil
}

// auditKeys are the public keys to verify by.
type auditKeys struct {
	log       string
	witnesses []string
}

func (s *session) auditKeyFlags(f *pflag.FlagSet, k *auditKeys) {
	f.StringVar(&k.log, "key", "", s.t("日志的公钥 `VKEY`，或 @文件", "the log's public key `VKEY`, or @file"))
	f.StringArrayVar(&k.witnesses, "witness-key", nil, s.t("见证人的公钥 `VKEY`，或 @文件；可重复", "a witness's public key `VKEY`, or @file; may be repeated"))
	required(f, "key")
}

// read fetches the keys. They are public, so they may stand on the command line.
func (k *auditKeys) read() (keys ledger.Keys, err error) {
	if keys.Log, err = publicKey(k.log); err != nil {
		return keys, err
	}
	for _, given := range k.witnesses {
		key, err := publicKey(given)
		if err != nil {
			return keys, err
		}
		keys.Witnesses = append(keys.Witnesses, key)
	}
	return keys, nil
}

func publicKey(given string) (string, error) {
	path, isFile := strings.CutPrefix(given, "@")
	if !isFile {
		return given, nil
	}
	text, err := firstBytes(path)
	return strings.TrimSpace(string(text)), err
}
