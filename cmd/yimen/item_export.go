package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue/national"
	"github.com/onedoor/yimen/exchange/durable"
)

// The two tables of a list in CSV.
const (
	itemsFile     = "items.csv"
	materialsFile = "materials.csv"
)

// nationalList is where a national list of items lies and how it is written.
type nationalList struct{ encoding, codes, catalogue string }

func (s *session) nationalFlags(f *pflag.FlagSet, at *nationalList) {
	f.StringVar(&at.encoding, "encoding", "utf-8", s.t("CSV 的编码 `NAME`：utf-8 或 gb18030（含 GBK）", "how CSV is encoded, `NAME`: utf-8 or gb18030 (GBK too)"))
	f.StringVar(&at.codes, "codes", "", s.t("来源的列名和代码对照表 `FILE`（YAML）", "the source's names of columns and codes, in `FILE` (YAML)"))
}

func (at nationalList) check() error {
	if at.encoding == "utf-8" || at.encoding == "gb18030" {
		return nil
	}
	return &exchange.Problem{Code: "YM-CLI-0310", Kind: exchange.Invalid, What: both("不认识编码 "+shown(at.encoding), "there is no encoding "+shown(at.encoding)),
		Mend: both("写 --encoding utf-8 或 --encoding gb18030（GBK、GB2312、ANSI 同）", "write --encoding utf-8 or --encoding gb18030 (for GBK, GB2312 and ANSI too)")}
}

// readCodes reads what the source's words stand for.
func (at nationalList) readCodes() (codes national.Codes, err error) {
	if at.codes == "" {
		return codes, nil
	}
	content, err := os.ReadFile(at.codes)
	if err != nil {
		return codes, fileProblem(at.codes, err)
	}
	if err := yaml.UnmarshalWithOptions(content, &codes, yaml.Strict()); err != nil && !errors.Is(err, io.EOF) {
		return codes, &exchange.Problem{Code: "YM-CLI-0311", Kind: exchange.Invalid, Err: err,
			What: both("对照表 "+shown(at.codes)+" 读不懂", "the codes in "+shown(at.codes)+" cannot be read"),
			Mend: both(`写成 columns: {任务名称: 事项名称} 和 values: {材料必要性: {"1": 必要}}`, `write columns: {任务名称: 事项名称} and values: {材料必要性: {"1": 必要}}`)}
	}
	return codes, codes.Check()
}

func (s *session) itemExport() verb {
	var at nationalList
	return verb{
		use:   "export TO",
		short: both("按国家事项清单的字段导出事项", "write the items in the fields of the national list"),
		long: both(`TO 以 .json 结尾则写一个 JSON 文件（catalog_code、task_code 等键），否则是文件夹，写入 items.csv（一行一个事项）和 materials.csv（一行一份材料）。
列名和用语是国家清单的；--codes 换成来源自己的列名和代码，写法见 yimen item import --help。国家字段说不了的（由哪种证照证明、条件、要问的事实）在“扩展信息”一列，再导入时不丢。`,
			`Where TO ends in .json one JSON file is written (with keys such as catalog_code and task_code); else TO is a folder for items.csv, a row for each item, and materials.csv, a row for each material.
Columns and words are those of the national list; --codes writes a source's own, see yimen item import --help. What national fields cannot say (which evidence meets a material, conditions, facts to be asked) stands in the last column (extend_info), so that nothing is lost when it is imported again.`),
		example: "yimen item export list\nyimen item export list --encoding gb18030 --codes province.yaml\nyimen item export items.json --catalogue /etc/yimen/catalogue",
		min:     1, max: 1,
		flags: func(f *pflag.FlagSet) {
			s.catalogueFlag(f, &at.catalogue)
			s.nationalFlags(f, &at)
		},
		run: func(_ context.Context, args []string) error {
			codes, err := at.readCodes()
			if err := errors.Join(at.check(), err); err != nil {
				return err
			}
			c, err := loadCatalogue(at.catalogue)
			if err != nil {
				return err
			}
			list, err := national.Of(c, codes)
			if err != nil {
				return err
			}
			if err := at.write(args[0], list); err != nil {
				return err
			}
			s.say("✓ %s 个事项、%s 份材料写入 %s\n", "✓ items: %s, materials: %s, written to %s\n",
				figure(int64(len(list.Items.Rows))), figure(int64(len(list.Materials.Rows))), plain(args[0]))
			return nil
		},
	}
}

func (at nationalList) write(to string, list national.List) error {
	if isJSON(to) {
		content, err := list.JSON()
		if err != nil {
			return err
		}
		return durable.Replace(to, content, 0o644)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return folderProblem(to, "TO", err)
	}
	return errors.Join(at.writeCSV(filepath.Join(to, itemsFile), list.Items), at.writeCSV(filepath.Join(to, materialsFile), list.Materials))
}

func isJSON(path string) bool { return strings.EqualFold(filepath.Ext(path), ".json") }

// writeCSV writes UTF-8 with the mark by which spreadsheets know it, or GB 18030.
func (at nationalList) writeCSV(path string, t national.Table) error {
	var content bytes.Buffer
	to := io.Writer(&content)
	if at.encoding == "gb18030" {
		to = simplifiedchinese.GB18030.NewEncoder().Writer(&content)
	} else {
		content.WriteString("\ufeff")
	}
	if err := t.CSV(to); err != nil {
		return err
	}
	return durable.Replace(path, content.Bytes(), 0o644)
}
