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
		use:     "serve",
		short:   both("按配置文件运行交换平台", "run the exchange from a configuration file"),
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
			n, err := node.Start(ctx, cfg, node.Surroundings{Log: s.logger(verbose), Clock: s.now})
			if err != nil {
				return err
			}
			fmt.Fprintf(s.talk, s.t("一门已启动：%s   Kafka %s\n", "Yimen is up: %s   Kafka %s\n"), n.URL(), n.KafkaAddr())
			return ended(n.Wait(ctx), n.Close())
		},
	}
}

// logger writes JSON lines for the machine that collects them.
func (s *session) logger(verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewJSONHandler(s.talk, &slog.HandlerOptions{Level: level}))
}

// ended prefers why something stopped over how its stopping went.
func ended(why, closing error) error {
	if why != nil {
		return why
	}
	return closing
}
