package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/envelope"
)

// running is how an adapter is to run.
type running struct {
	data, kafka, exchangeKey string
	watch, allowWithdrawals  bool
}

func (s *session) adapterRun() verb {
	var how running
	return verb{
		use:   "run MANIFEST",
		short: both("按清单读取数据源并发布", "read the source that a manifest describes and publish it"),
		long: both("读取数据源，逐行映射、检查，把新的和有变化的发布到 Kafka。有问题的行进入隔离区，其余照常。\n重复运行不会重复发布；中途停止后再次运行，从确认过的地方继续。",
			"Reads the source, maps and checks every row, and publishes what is new or changed to Kafka. Faulty rows go to quarantine and the rest goes on.\nRunning it again publishes nothing twice; after a stop it goes on from what was acknowledged."),
		example: "yimen adapter run licences.yaml\nyimen adapter run licences.yaml --watch --kafka kafka1:9092 --exchange-key exchange.pub",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			s.dataFlag(f, &how.data)
			f.StringVar(&how.kafka, "kafka", "127.0.0.1:7092", s.t("Kafka 地址 `ADDR`", "Kafka's `ADDR`"))
			f.StringVar(&how.exchangeKey, "exchange-key", "", s.t("交换平台公钥 `FILE`，默认 DIR/keys/exchange.pub", "the exchange's public key `FILE`, by default DIR/keys/exchange.pub"))
			f.BoolVar(&how.watch, "watch", false, s.t("持续运行，按清单的 every 反复查看", "stay and look again as often as the manifest's every says"))
			f.BoolVar(&how.allowWithdrawals, "allow-withdrawals", false, s.t("允许撤回超过清单限度的记录", "withdraw more records than the manifest allows"))
		},
		run: func(ctx context.Context, args []string) error {
			m, err := adapters.LoadManifest(args[0])
			if err != nil {
				return err
			}
			err = s.runAdapter(ctx, m, how)
			if how.watch && ctx.Err() != nil && errors.Is(err, context.Canceled) {
				return nil // being stopped is how one that stays ends
			}
			return err
		},
	}
}

func (s *session) schemaDirFlag(f *pflag.FlagSet, dir *string) {
	f.StringVar(dir, "schemas", "", s.t("加上文件夹 `DIR` 里的 Schema", "add the schemas in the folder `DIR`"))
}

func (s *session) runAdapter(ctx context.Context, m *adapters.Manifest, how running) error {
	said := s.newKey(how.data, m.Adapter.Department())
	made, err := s.partsOf(m, how)
	if err != nil {
		return err
	}
	fmt.Fprint(s.talk, said)
	connected, err := bus.Connect(bus.Config{Brokers: []string{how.kafka}, ClientID: "yimen-" + string(m.Adapter.Department()), Log: s.logger(how.watch)})
	if err != nil {
		return err
	}
	defer connected.Close()
	if err := s.reach(ctx, connected, how.watch); err != nil {
		return err
	}
	if made.Schema, err = s.published(ctx, connected, m, made.Log); err != nil {
		return err
	}
	progress := s.progress(0)
	runner, err := s.openRunner(ctx, made, connected, func(p adapters.Progress) { progress.at(p.Read, p.Quarantined) })
	if err != nil {
		return err
	}
	result, err := runner.Run(ctx)
	progress.end()
	if err == nil {
		err = s.reading(m, result)
	}
	if how.watch && ctx.Err() == nil {
		s.complain(err) // a file that is wrong today may be right tomorrow
		err = runner.Serve(ctx)
	}
	if err := ended(err, runner.Close()); err != nil {
		return err
	}
	if result.Quarantined > 0 {
		s.remark("查看隔离的行：%s quarantine list %s --data %s\n", "see the rows in quarantine: %s quarantine list %s --data %s\n", s.self(), m.Adapter, quoted(how.data))
		return exitQuarantined
	}
	return nil
}

// readingView is what came of a reading, as scripts see it.
type readingView struct {
	Type string `json:"type,omitempty"` // summary, under -o jsonl
	adapters.Progress
}

func (s *session) reading(m *adapters.Manifest, result adapters.Result) error {
	view := readingView{Progress: adapters.Progress{Adapter: m.Adapter, Result: result}}
	if s.format == asLines {
		view.Type = "summary"
	}
	return s.object(string(m.Adapter), view, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s  %s\n", m.Adapter, s.outcomeLine(result))
		return err
	})
}

// How long Kafka may take to answer for the first time, and when to ask again.
const (
	firstAnswer = 8 * time.Second
	askAgain    = 5 * time.Second
)

// reach waits for Kafka to answer: once, or, where an adapter is to stay, until it does.
func (s *session) reach(ctx context.Context, kafka *bus.Bus, patiently bool) error {
	for told := false; ; told = true {
		within, cancel := context.WithTimeout(ctx, firstAnswer)
		err := kafka.Ping(within)
		cancel()
		if err == nil || !patiently || ctx.Err() != nil {
			return err
		}
		if !told {
			s.complain(err)
			fmt.Fprint(s.talk, s.t("继续等待 Kafka\n", "waiting for Kafka\n"))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(askAgain):
		}
	}
}

// partsOf puts an adapter together: source, keys and state. What is wrong with them shows before Kafka is asked, which then
// gives the schema.
func (s *session) partsOf(m *adapters.Manifest, how running) (adapters.Config, error) {
	var none adapters.Config
	source, err := openSource(m, s.now)
	if err != nil {
		return none, err
	}
	public, err := exchangeKey(how)
	if err != nil {
		return none, err
	}
	key, err := departmentKey(how.data, m.Adapter.Department())
	if err != nil {
		return none, err
	}
	signer, err := signerOf(how.data, m.Adapter)
	if err != nil {
		return none, err
	}
	return adapters.Config{Manifest: m, Source: source, DepartmentKey: key, ExchangePublicKey: public, Signer: signer,
		StateDir: stateDir(how.data, m.Adapter), Clock: s.now, Log: s.logger(how.watch), AllowWithdrawals: how.allowWithdrawals}, nil
}

func (s *session) openRunner(ctx context.Context, made adapters.Config, to adapters.Bus, tell func(adapters.Progress)) (*adapters.Runner, error) {
	made.Bus, made.Progress = to, tell
	return adapters.Open(ctx, made)
}

func exchangeKey(how running) ([]byte, error) {
	path := how.exchangeKey
	if path == "" {
		path = filepath.Join(how.data, keysDir, "exchange.pub")
	}
	key, err := os.ReadFile(path)
	mend := both("向交换平台管理员索取 exchange.pub，用 --exchange-key 指定；同一台机器上用 --data 指定平台的数据目录",
		"get exchange.pub from the exchange's administrator and name it with --exchange-key; on the same machine name the exchange's data directory with --data")
	switch {
	case err != nil:
		return nil, &exchange.Problem{Code: "YM-CLI-0403", Kind: exchange.NotFound, Err: err, Mend: mend,
			What: both("没有交换平台的公钥："+path, "there is no public key of the exchange: "+path),
			Why:  both("记录要封给交换平台，别人不能读", "records are sealed to the exchange, so that nobody else can read them")}
	case filepath.Ext(path) == ".key":
		return nil, &exchange.Problem{Code: "YM-CLI-0407", Kind: exchange.Invalid, Mend: mend,
			What: both("这不是交换平台的公钥："+path, "this is not the exchange's public key: "+path),
			Why:  both("公钥是 .pub 文件；.key 是密钥，不能外传", "the public key is a .pub file; a .key is a secret and goes nowhere")}
	}
	return key, envelope.CheckPublicKey(key)
}
