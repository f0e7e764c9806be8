package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange/node"
)

func (s *session) serveVerb() verb {
	var file string
	var verbose bool
	return verb{
		use:   "serve",
		short: both("按配置文件运行交换平台", "run the exchange from a configuration file"),
		long: both("按配置文件运行交换平台，直到按 Ctrl-C 或收到停止信号。所有设置见 yimen help config。",
			"Runs the exchange until Ctrl-C or a signal to stop. All settings: yimen help config."),
		example: "yimen serve --config /etc/yimen/yimen.yaml",
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&file, "config", "", s.t("配置文件 `FILE`", "the configuration `FILE`"))
			f.BoolVar(&verbose, "verbose", false, s.t("记录每个请求", "log every request"))
			required(f, "config")
		},
		run: func(ctx context.Context, _ []string) error {
			cfg, err := node.LoadConfig(file)
			if err != nil {
				return err
			}
			log := s.logger(true)
			if verbose {
				log = s.logs(slog.LevelDebug)
			}
			n, err := node.Start(ctx, cfg, node.Surroundings{Log: log, Clock: s.now})
			if err != nil {
				return err
			}
			fmt.Fprintf(s.talk, s.t("一门已启动：%s   Kafka %s\n", "Yimen is up: %s   Kafka %s\n"), n.URL(), n.KafkaAddr())
			return ended(n.Wait(ctx), n.Close())
		},
	}
}

// logger writes JSON lines for the machine that collects them. A command that somebody waits for logs only what is wrong.
func (s *session) logger(standing bool) *slog.Logger {
	level := slog.LevelWarn
	if standing {
		level = slog.LevelInfo
	}
	return s.logs(level)
}

func (s *session) logs(level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(s.talk, &slog.HandlerOptions{Level: level}))
}

// ended prefers why something stopped over how its stopping went.
func ended(why, closing error) error {
	if why != nil {
		return why
	}
	return closing
}
