package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit/witness"
)

func (s *session) witnessVerb() verb {
	var data, listen, name string
	var logs []string
	return verb{
		use:   "witness",
		short: both("运行见证人：审计日志只有延续而来才签名", "run a witness, which signs an audit log only while it extends what it was"),
		long: both(`运行见证人（c2sp.org/tlog-witness）。它应在另一台机器上、由另一个单位看管：平台的管理员不能让它签下两个互相矛盾的检查点。
首次启动时生成私钥并显示公钥；平台配置中写上地址和公钥，核验者凭公钥核验。
不要从备份恢复它的数据文件夹：恢复旧状态的见证人会忘记签过什么。`,
			`Runs a witness (C2SP's tlog-witness). It belongs on another machine, looked after by somebody else: the exchange's administrators cannot make it sign two checkpoints that contradict each other.
The first start makes its key and shows the public half, which the exchange's configuration names together with its address, and which verifiers verify by.
Do not restore its data folder from a backup: a witness with an old state has forgotten what it signed.`),
		example: "yimen witness --data /var/lib/yimen-witness --listen 10.0.0.7:7090 --name sjj.liling/witness --log 'liling.yimen/audit+1a2b3c4d+AbCd…@liling.yimen/audit'",
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&data, "data", "", s.t("数据文件夹 `DIR`", "the folder `DIR` of its data"))
			f.StringVar(&listen, "listen", "127.0.0.1:7090", s.t("监听地址 `ADDR`", "the `ADDR` to listen at"))
			f.StringVar(&name, "name", "yimen.witness", s.t("公钥中的名称 `NAME`，只在首次启动时起作用", "the `NAME` in its key; counts at the first start only"))
			f.StringArrayVar(&logs, "log", nil, s.t("所见证的日志 `VKEY@ORIGIN`；可重复", "a log `VKEY@ORIGIN` to witness; may be repeated"))
			required(f, "data", "log")
		},
		run: func(ctx context.Context, _ []string) error {
			known, err := witnessed(logs)
			if err != nil {
				return err
			}
			w, err := witness.Open(witness.Config{Dir: data, Name: name, Logs: known, Log: s.logger(true)})
			if err != nil {
				return err
			}
			err = s.serveWitness(ctx, w, listen)
			return ended(err, w.Close())
		},
	}
}

// witnessed reads --log: a key, and behind the last @ the log's origin, which may be left out where it is the key's name.
func witnessed(given []string) ([]witness.Log, error) {
	var logs []witness.Log
	for _, text := range given {
		key, origin := text, ""
		if at := strings.LastIndexByte(text, '@'); at >= 0 {
			key, origin = text[:at], text[at+1:]
		}
		if origin == "" {
			origin, _, _ = strings.Cut(key, "+")
		}
		if strings.Count(key, "+") < 2 {
			return nil, &usageError{&exchange.Problem{Code: "YM-CLI-0805", Kind: exchange.Invalid,
				What: both("选项 --log 的值不对", "the value of --log is wrong"),
				Why:  both("应为 公钥@名称，公钥有三段，以加号相连", "it is KEY@ORIGIN, the key in three parts joined by plus signs"),
				Mend: both("用 yimen serve 启动时显示的公钥", "use the key that yimen serve shows when it starts")}}
		}
		logs = append(logs, witness.Log{Origin: origin, Key: key})
	}
	return logs, nil
}

// serveWitness serves until ctx ends.
func (s *session) serveWitness(ctx context.Context, w *witness.Witness, listen string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return &exchange.Problem{Code: "YM-CLI-0806", Kind: exchange.Invalid, Err: err,
			What: both("不能监听 "+shown(listen), "cannot listen at "+shown(listen)),
			Mend: both("用 --listen 指定本机的另一地址", "name another address of this machine with --listen")}
	}
	server := &http.Server{Handler: w, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.logger(true).Handler(), slog.LevelDebug)}
	fmt.Fprintf(s.talk, s.t("见证人已启动：http://%s   公钥 %s\n", "the witness is up: http://%s   key %s\n"), listener.Addr(), w.VerifierKey())
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = server.Shutdown(patient)
	if served := <-served; !errors.Is(served, http.ErrServerClosed) {
		return served
	}
	return err
}
