package main

import (
	"bufio"
	"context"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange/audit/ledger"
)

func (s *session) auditExport() verb {
	var at auditAt
	var keys auditKeys
	var from, to uint64
	return verb{
		use:   "export",
		short: both("导出审计记录和证明，供离线核验", "export audit entries with their proofs, to be verified elsewhere"),
		long: both("每行一个 JSON 对象：序号、记录原文、证明（c2sp.org/tlog-proof，含检查点）。每一行都能单独离线核验：yimen audit verify --export，或任何支持该格式的工具。",
			"One JSON object a line: index, the leaf as it is, and its proof (C2SP's tlog-proof, with the checkpoint). Each line can be verified by itself and offline: by yimen audit verify --export, or by any tool that knows the format."),
		example: "yimen audit export --log /var/lib/yimen/audit --key @log.vkey > audit.jsonl\nyimen audit export --token @auditor.token --key @log.vkey --from 1000 --to 2000 > part.jsonl",
		flags: func(f *pflag.FlagSet) {
			s.auditAtFlags(f, &at)
			s.auditKeyFlags(f, &keys)
			f.Uint64Var(&from, "from", 0, s.t("从第几条 `N` 起", "from leaf `N` on"))
			f.Uint64Var(&to, "to", 0, s.t("到第几条 `N`，不含；默认到最后", "up to leaf `N`, which is out; by default to the end"))
		},
		run: func(ctx context.Context, _ []string) error {
			by, err := keys.read()
			if err != nil {
				return err
			}
			source, err := at.source(ctx)
			if err != nil {
				return err
			}
			out := bufio.NewWriterSize(s.out, 64<<10)
			lines := encoder(out)
			err = ledger.Export(ctx, source, by, from, to, func(e ledger.Exported) error { return lines.Encode(e) })
			if err != nil {
				return err
			}
			return out.Flush()
		},
	}
}
