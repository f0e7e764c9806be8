package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit/ledger"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/durable"
)

// verification is one run of audit verify.
type verification struct {
	session     *session
	at          auditAt
	keys        auditKeys
	last, kafka string
	export      string
	withIndex   bool
}

func (s *session) auditVerify() verb {
	v := &verification{session: s}
	return verb{
		use:   "verify",
		short: both("核验审计日志：签名、见证、每个文件，是否被改动、截短或替换", "verify the audit log: signatures, witnesses and every file; whether it was changed, cut or replaced"),
		long: both(`由全部记录重新算出整棵树，与每个文件、已签署的检查点比对。可以在任何机器上核验，只需公钥。
--last 记住这次的检查点，下次核验日志是否由它延续而来；--kafka 再与主题逐条比对；--export 核验导出的文件。
核验未通过时退出码为 1。`,
			`Makes the whole tree again from all leaves and compares it with every file and the signed checkpoint. This can be done on any machine and needs public keys only.
--last remembers the checkpoint, so that the next run sees whether the log still extends it; --kafka compares with the topic too; --export verifies an exported file instead.
The exit code is 1 where something is wrong.`),
		example: "yimen audit verify --log /var/lib/yimen/audit --key @log.vkey --witness-key @witness.vkey --last kept.checkpoint\nyimen audit verify --server https://yimen.example.gov.cn --token @auditor.token --key @log.vkey\nyimen audit verify --export audit.jsonl --key @log.vkey",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			s.auditAtFlags(f, &v.at)
			s.auditKeyFlags(f, &v.keys)
			f.StringVar(&v.last, "last", "", s.t("上次核验留下的检查点 `FILE`，通过后更新", "the checkpoint `FILE` kept from the last time; written anew when all is well"))
			f.StringVar(&v.kafka, "kafka", "", s.t("与此 Kafka `ADDR` 上的主题比对", "compare with the topic at this Kafka `ADDR`"))
			f.BoolVar(&v.withIndex, "index", false, s.t("连同索引一起核验；平台须已停止", "verify the index too; the exchange must be stopped"))
			f.StringVar(&v.export, "export", "", s.t("核验导出的文件 `FILE`，不看日志本身", "verify an exported `FILE`, not the log itself"))
		},
		run: func(ctx context.Context, _ []string) error {
			keys, err := v.keys.read()
			if err != nil {
				return err
			}
			if v.export != "" {
				return v.exported(keys)
			}
			return v.log(ctx, keys)
		},
	}
}

func (v *verification) log(ctx context.Context, keys ledger.Keys) error {
	source, err := v.at.source(ctx)
	if err != nil {
		return err
	}
	asked := ledger.Verification{Source: source, Keys: keys, Dir: v.at.dir, Index: v.withIndex && v.at.dir != ""}
	if asked.Earlier, err = v.kept(); err != nil {
		return err
	}
	if v.kafka != "" {
		connected, err := bus.Connect(bus.Config{Brokers: []string{v.kafka}, ClientID: "yimen-audit", Log: v.session.logger(false)})
		if err != nil {
			return err
		}
		defer connected.Close()
		if err := v.session.reach(ctx, connected, nil); err != nil {
			return err
		}
		asked.Topic = connected
	}
	report, err := ledger.Verify(ctx, asked)
	if err != nil {
		return err
	}
	if err := v.session.object(report.Result, report, func(w io.Writer) error { return v.session.reportPage(w, report) }); err != nil {
		return err
	}
	if len(report.Findings) > 0 {
		return exitFailed
	}
	if v.last != "" && report.Checkpoint != "" {
		return durable.Replace(v.last, []byte(report.Checkpoint), 0o644)
	}
	return nil
}

// kept is the checkpoint of the last time, if there was one.
func (v *verification) kept() ([]byte, error) {
	if v.last == "" {
		return nil, nil
	}
	content, err := os.ReadFile(v.last)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fileProblem(v.last, err)
	}
	return content, nil
}

func (s *session) reportPage(w io.Writer, r ledger.Report) error {
	if len(r.Findings) == 0 {
		fmt.Fprintf(w, s.t("✓ %s  %s 条，完好\n", "✓ %s  %s leaves, all is well\n"), plain(r.Origin), figure(int64(r.Size)))
	} else {
		fmt.Fprintf(w, s.t("✗ %s  %s\n", "✗ %s  %s\n"), plain(r.Origin), s.fault(r.Findings[0].Fault))
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Leaves)) {
		fmt.Fprintf(w, "  %-10s %s\n", kind, figure(r.Leaves[kind]))
	}
	if r.Root != "" {
		fmt.Fprintf(w, s.t("  根 %s\n", "  root %s\n"), r.Root)
	}
	for _, name := range r.Witnesses {
		fmt.Fprintf(w, s.t("  见证 %s\n", "  witness %s\n"), plain(name))
	}
	if r.Waiting > 0 {
		fmt.Fprintf(w, s.t("  另有 %s 条等待公布\n", "  %s more wait to be published\n"), figure(r.Waiting))
	}
	for _, f := range r.Findings {
		fmt.Fprintf(w, "! %s  %s: %s\n", s.fault(f.Fault), plain(f.Where), plain(f.What))
	}
	if r.More > 0 {
		fmt.Fprintf(w, s.t("! 另有 %d 处\n", "! %d more\n"), r.More)
	}
	return nil
}

// fault is a fault in a person's words.
func (s *session) fault(f ledger.Fault) string {
	return map[ledger.Fault]exchange.Text{
		ledger.Unsigned:   both("没有有效的签名或见证", "no valid signature or cosignature"),
		ledger.Damaged:    both("内容不相符", "parts do not belong together"),
		ledger.RolledBack: both("比以前短", "shorter than it was"),
		ledger.Forked:     both("被替换", "replaced"),
		ledger.TopicLost:  both("与主题不符", "not what the topic has"),
		ledger.BadIndex:   both("索引不符", "the index is another"),
	}[f].In(s.lang)
}

// checkedExport is what came of verifying an export.
type checkedExport struct {
	Result string `json:"result"`
	Leaves int64  `json:"leaves"`
	Wrong  int64  `json:"wrong"`
	First  string `json:"first_wrong,omitempty"`
}

// exported checks every line of an exported file by itself.
func (v *verification) exported(keys ledger.Keys) error {
	file, err := os.Open(v.export)
	if err != nil {
		return fileProblem(v.export, err)
	}
	defer file.Close()
	view := checkedExport{Result: "ok"}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, longestExported)
	for n := 1; lines.Scan(); n++ {
		view.Leaves++
		var e ledger.Exported
		err := json.Unmarshal(lines.Bytes(), &e)
		if err == nil {
			_, err = e.Verify(keys)
		}
		if err != nil {
			if view.Wrong == 0 {
				view.Result, view.First = string(ledger.Damaged), fmt.Sprintf("%s:%d", v.export, n)
			}
			view.Wrong++
		}
	}
	if err := lines.Err(); err != nil {
		return fileProblem(v.export, err)
	}
	s := v.session
	err = s.object(view.Result, view, func(w io.Writer) error {
		if view.Wrong > 0 {
			_, err := fmt.Fprintf(w, s.t("✗ %s 行中 %s 行不成立，第一处 %s\n", "✗ of %[1]s lines %[2]s do not hold, the first is %[3]s\n"), figure(view.Leaves), figure(view.Wrong), plain(view.First))
			return err
		}
		_, err := fmt.Fprintf(w, s.t("✓ %s 条，每条都有有效的证明\n", "✓ %s leaves, each with a proof that holds\n"), figure(view.Leaves))
		return err
	})
	if err == nil && view.Wrong > 0 {
		return exitFailed
	}
	return err
}

// longestExported is a leaf of 64 KiB as JSON, each byte escaped, and its proof.
const longestExported = 1 << 20
