package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
)

// running is how an adapter is to run.
type running struct {
	data, kafka, exchangeKey, schemas string
	watch, allowWithdrawals           bool
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
			s.schemaDirFlag(f, &how.schemas)
			f.BoolVar(&how.watch, "watch", false, s.t("持续运行，按清单的 every 反复查看", "stay and look again as often as the manifest's every says"))
			f.BoolVar(&how.allowWithdrawals, "allow-withdrawals", false, s.t("允许撤回超过清单限度的记录", "withdraw more records than the manifest allows"))
		},
		run: func(ctx context.Context, args []string) error {
			m, err := adapters.LoadManifest(args[0])
			if err != nil {
				return err
			}
			return s.runAdapter(ctx, m, how)
		},
	}
}

func (s *session) schemaDirFlag(f *pflag.FlagSet, dir *string) {
	f.StringVar(dir, "schemas", "", s.t("加上文件夹 `DIR` 里的 Schema", "add the schemas in the folder `DIR`"))
}

func (s *session) runAdapter(ctx context.Context, m *adapters.Manifest, how running) error {
	connected, err := bus.Connect(bus.Config{Brokers: []string{how.kafka}, ClientID: "yimen-" + string(m.Adapter.Department()), Log: s.logger(false)})
	if err != nil {
		return err
	}
	defer connected.Close()
	if err := connected.Ping(ctx); err != nil {
		return err
	}
	progress := s.progress(0)
	runner, err := s.openRunner(ctx, m, connected, how, func(p adapters.Progress) { progress.at(p.Read, p.Quarantined) })
	if err != nil {
		return err
	}
	result, err := runner.Run(ctx)
	progress.end()
	if err == nil {
		err = s.object(string(m.Adapter), adapters.Progress{Adapter: m.Adapter, Result: result}, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s  %s\n", m.Adapter, s.outcomeLine(result))
			return err
		})
	}
	if err == nil && how.watch {
		err = runner.Serve(ctx)
	}
	if err := ended(err, runner.Close()); err != nil {
		return err
	}
	if result.Quarantined > 0 {
		fmt.Fprintf(s.talk, s.t("查看隔离的行：yimen quarantine list %s --data %s\n", "see the rows in quarantine: yimen quarantine list %s --data %s\n"), m.Adapter, how.data)
		return exitQuarantined
	}
	return nil
}

// openRunner puts an adapter together: source, schema, keys and state.
func (s *session) openRunner(ctx context.Context, m *adapters.Manifest, to adapters.Bus, how running, tell func(adapters.Progress)) (*adapters.Runner, error) {
	source, err := openSource(m, s.now)
	if err != nil {
		return nil, err
	}
	schema, err := described(m, how.schemas)
	if err != nil {
		return nil, err
	}
	key, err := departmentKey(how.data, m.Adapter.Department())
	if err != nil {
		return nil, err
	}
	public, err := exchangeKey(how)
	if err != nil {
		return nil, err
	}
	return adapters.Open(ctx, adapters.Config{Manifest: m, Source: source, Schema: schema, DepartmentKey: key, ExchangePublicKey: public,
		StateDir: stateDir(how.data, m.Adapter), Bus: to, Clock: s.now, Log: s.logger(false), Progress: tell,
		AllowWithdrawals: how.allowWithdrawals})
}

func exchangeKey(how running) ([]byte, error) {
	path := how.exchangeKey
	if path == "" {
		path = filepath.Join(how.data, keysDir, "exchange.pub")
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, &exchange.Problem{Code: "YM-CLI-0403", Kind: exchange.NotFound, Err: err,
			What: both("没有交换平台的公钥："+path, "there is no public key of the exchange: "+path),
			Why:  both("记录要封给交换平台，别人不能读", "records are sealed to the exchange, so that nobody else can read them"),
			Mend: both("向交换平台管理员索取 exchange.pub，用 --exchange-key 指定；同一台机器上用 --data 指定平台的数据目录", "get exchange.pub from the exchange's administrator and name it with --exchange-key; on the same machine name the exchange's data directory with --data")}
	}
	return key, nil
}
