package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
)

// checkView is what `adapter check` prints.
type checkView struct {
	Adapter exchange.Adapter `json:"adapter"`
	adapters.Report
}

func (s *session) adapterCheck() verb {
	var most uint32
	var show uint16
	var dir string
	return verb{
		use:   "check MANIFEST",
		short: both("试读数据源：哪些行能发布，哪些有问题，什么也不发布", "try a source: which rows could be published and which are faulty; nothing is published"),
		long: both("按清单读取数据源并检查每一行，报告问题所在的列、行号和改法。不需要 Kafka，不留下任何状态。",
			"Reads the source by its manifest and checks every row; reports column, line and remedy of what is wrong. It needs no Kafka and leaves no state."),
		example: "yimen adapter check licences.yaml\nyimen adapter check licences.yaml -n 1000 --show 3",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			f.Uint32VarP(&most, "rows", "n", 0, s.t("最多读 `N` 行，0 为全部", "read at most `N` rows, 0 for all"))
			f.Uint16Var(&show, "show", 0, s.t("显示 `N` 条将要发布的文档（含个人信息，只在本机查看）", "show `N` documents as they would be published (personal data: for your eyes only)"))
			s.schemaDirFlag(f, &dir)
		},
		run: func(ctx context.Context, args []string) error {
			m, err := adapters.LoadManifest(args[0])
			if err != nil {
				return err
			}
			source, err := openSource(m, s.now)
			if err != nil {
				return err
			}
			schema, err := described(m, dir)
			if err != nil {
				return err
			}
			report, err := adapters.Check(ctx, m, source, schema, int64(most), int(show))
			if err != nil {
				return err
			}
			return errors.Join(s.object(string(m.Adapter), checkView{m.Adapter, report}, func(w io.Writer) error { return s.checkPage(w, m, report) }),
				verdict(report))
		},
	}
}

// verdict is exit code 3 where rows would go to quarantine.
func verdict(r adapters.Report) error {
	if r.Faulty > 0 {
		return exitQuarantined
	}
	return nil
}

func (s *session) checkPage(w io.Writer, m *adapters.Manifest, r adapters.Report) error {
	fmt.Fprintf(w, s.t("%s：读取 %s 行，%s 行可以发布，%s 行将进入隔离区；没有发布任何内容\n", "%s: %s rows read, %s could be published, %s would go to quarantine; nothing was published\n"),
		m.Adapter, figure(r.Read), figure(r.Sound), figure(r.Faulty))
	for _, k := range r.Kinds {
		fmt.Fprintf(w, s.t("  %s×  %s  %s   行 %s\n      → %s\n", "  %s×  %s  %s   line %s\n      → %s\n"),
			figure(k.Count), k.Fault.Code, plain(k.Fault.What.In(s.lang)), lineNumbers(k), plain(k.Fault.Mend.In(s.lang)))
	}
	for _, document := range r.Documents {
		fmt.Fprintf(w, "%s\n", document)
	}
	return nil
}

// lineNumbers are the first lines that have a fault.
func lineNumbers(k adapters.Kind) string {
	words := make([]string, len(k.Lines))
	for i, n := range k.Lines {
		words[i] = strconv.Itoa(n)
	}
	if k.Count > int64(len(k.Lines)) {
		words = append(words, "…")
	}
	return strings.Join(words, ", ")
}
