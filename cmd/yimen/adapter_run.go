package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/node"
)

// running is how an adapter is to run.
type running struct {
	data, kafka, traces     string
	watch, allowWithdrawals bool
}

func (s *session) adapterRun() verb {
	var how running
	return verb{
		use:   "run MANIFEST",
		short: both("按清单读取数据源并发布", "read the source that a manifest describes and publish it"),
		long: both("读取数据源，逐行映射、检查，把新的和有变化的发布到 Kafka。有问题的行进入隔离区，其余照常。\n重复运行不会重复发布；中途停止后再次运行，从确认过的地方继续。",
			"Reads the source, maps and checks every row, and publishes what is new or changed to Kafka. Faulty rows go to quarantine and the rest goes on.\nRunning it again publishes nothing twice; after a stop it goes on from what was acknowledged."),
		example: "yimen adapter run licences.yaml\nyimen adapter run licences.yaml --watch --data /var/lib/yimen",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			s.dataFlag(f, &how.data)
			f.StringVar(&how.kafka, "kafka", "", s.t("Kafka 地址 `ADDR`，默认为入网时平台告知的", "Kafka's `ADDR`, by default as the exchange told at enrolment"))
			s.tracesFlag(f, &how.traces)
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

// tracedAs is an adapter's name to the receiver of its spans.
const tracedAs = "yimen-adapter"

func (s *session) tracesFlag(f *pflag.FlagSet, url *string) {
	f.StringVar(url, "traces", "", s.t("把链路追踪发到 `URL`（OTLP/HTTP），如 http://127.0.0.1:4318", "send spans of traces to `URL` (OTLP over HTTP), such as http://127.0.0.1:4318"))
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
	tracer, delivered, err := node.Traces{Endpoint: how.traces}.Open(tracedAs, string(m.Adapter), made.Log)
	if err != nil {
		return err
	}
	defer delivered()
	made.Tracer = tracer
	fmt.Fprint(s.talk, said)
	if err := made.refresh(ctx); err != nil { // the certificate still holds: say it, and go on
		s.complain(err)
	}
	connected, err := made.connect(how)
	if err != nil {
		return err
	}
	defer connected.Close()
	return made.explain(ctx, s.publish(ctx, made, connected, how))
}

// publish reads and publishes, once or until ctx ends.
func (s *session) publish(ctx context.Context, made *parts, connected *bus.Bus, how running) (err error) {
	m := made.Manifest
	var tell func(error)
	if how.watch {
		tell = func(err error) { s.complain(made.explain(ctx, err)) }
	}
	if err := s.reach(ctx, connected, tell); err != nil {
		return err
	}
	err = made.unlessRefused(ctx, func(ctx context.Context) error {
		made.Schema, err = s.published(ctx, connected, m, made.Log)
		return err
	})
	if err != nil {
		return err
	}
	progress := s.progress(0)
	runner, err := s.openRunner(ctx, made.Config, connected, func(p adapters.Progress) { progress.at(p.Read, p.Quarantined) })
	if err != nil {
		return err
	}
	result, err := runner.Run(ctx)
	progress.end()
	if err == nil {
		err = s.reading(m, result)
	}
	if how.watch && ctx.Err() == nil {
		s.complain(made.explain(ctx, err)) // a file that is wrong today may be right tomorrow
		err = made.stay(ctx, runner)
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

// reach waits for Kafka to answer: once, or, where tell takes what is wrong for whoever is to stay, until it does.
func (s *session) reach(ctx context.Context, kafka *bus.Bus, tell func(error)) error {
	for told := false; ; told = true {
		within, cancel := context.WithTimeout(ctx, firstAnswer)
		err := kafka.Ping(within)
		cancel()
		if err == nil || tell == nil || ctx.Err() != nil {
			return err
		}
		if !told {
			tell(err)
			fmt.Fprint(s.talk, s.t("继续等待 Kafka\n", "waiting for Kafka\n"))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(askAgain):
		}
	}
}

func (s *session) openRunner(ctx context.Context, made adapters.Config, to adapters.Bus, tell func(adapters.Progress)) (*adapters.Runner, error) {
	made.Bus, made.Progress = to, tell
	return adapters.Open(ctx, made)
}
