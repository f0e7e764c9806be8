package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/adapters/tabular"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/catalogue/national"
	"github.com/onedoor/yimen/exchange/durable"
)

func (s *session) itemImport() verb {
	var at nationalList
	var dry bool
	return verb{
		use:   "import FROM",
		short: both("从国家事项清单导入事项", "take items from a national list"),
		long: both(`FROM 是 .json 文件，或有 items.csv 和 materials.csv 的文件夹，样子见 yimen item export。事项写入 --catalogue 的 items 文件夹，一个事项一个文件；目录里已有的事项（按地方实施编码，其次按基本编码）会更新，清单没有“扩展信息”时保留它原来的证照、条件和事实。
有一处不对就一个也不导入：每处写明文件、行、列和改法。之后用 yimen item lint 检查，重启服务后生效。
来源的列名、代码各不相同，从不猜测，在 --codes 里写明：
  columns: {任务名称: 事项名称}
  values:
    材料必要性: {"1": 必要, "2": 非必要, "3": 容缺后补}
    服务对象: {"1": 自然人, "2": 企业法人}
    实施主体: {醴陵市公安局: 公安局}`,
			`FROM is a .json file, or a folder with items.csv and materials.csv; yimen item export shows what they look like. Items go into the folder items of --catalogue, a file for each; those that the catalogue has (by local code, else by basic code) are updated, and where the list lacks its last column (extend_info) their evidence, conditions and facts stay.
If anything is wrong nothing is imported: each finding has file, line, column and mend. Check with yimen item lint afterwards; a server reads the catalogue when it starts.
Sources have names and codes of their own, which are never guessed. In --codes, columns gives for a name of the source the list's column, and values gives for a column of the list the list's word for each code of the source. The same help under --lang zh has an example.`),
		example: "yimen item import list --catalogue /etc/yimen/catalogue --dry-run\nyimen item import list --catalogue /etc/yimen/catalogue --encoding gb18030 --codes province.yaml",
		min:     1, max: 1,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&at.catalogue, "catalogue", "", s.t("写入文件夹 `DIR` 里的目录", "write into the catalogue in the folder `DIR`"))
			required(f, "catalogue")
			s.nationalFlags(f, &at)
			f.BoolVar(&dry, "dry-run", false, s.t("只检查，不写", "check only, write nothing"))
		},
		run: func(ctx context.Context, args []string) error { return s.importItems(ctx, at, args[0], dry) },
	}
}

func (s *session) importItems(ctx context.Context, at nationalList, from string, dry bool) error {
	codes, err := at.readCodes()
	if err := errors.Join(at.check(), err); err != nil {
		return err
	}
	list, err := at.read(ctx, from)
	if err != nil {
		return err
	}
	parts := []fs.FS{catalogue.Builtin()}
	if entries, err := os.ReadDir(at.catalogue); err == nil && len(entries) > 0 {
		parts = append(parts, os.DirFS(at.catalogue))
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return folderProblem(at.catalogue, "--catalogue", err)
	}
	files, err := national.Read(parts, list, codes)
	if err != nil {
		s.say("有错误，一个事项也没有导入\n", "nothing was imported, because of what is wrong:\n")
		return err
	}
	if dry {
		s.say("%s 个事项可以导入。去掉 --dry-run 再运行即导入。\n", "items that can be imported: %s. Run again without --dry-run to do it.\n", figure(int64(len(files))))
		return nil
	}
	if err := writeItems(filepath.Join(at.catalogue, "items"), files); err != nil {
		return err
	}
	s.say("✓ %s 个事项写入 %s；下一步：yimen item lint --catalogue %s\n", "✓ items: %s, written to %s; next: yimen item lint --catalogue %s\n",
		figure(int64(len(files))), plain(filepath.Join(at.catalogue, "items")), quoted(plain(at.catalogue)))
	return nil
}

func (at nationalList) read(ctx context.Context, from string) (list national.List, err error) {
	if isJSON(from) {
		content, err := os.ReadFile(from)
		if err != nil {
			return list, fileProblem(from, err)
		}
		return national.ParseJSON(filepath.Base(from), content)
	}
	if _, err := os.ReadDir(from); err != nil {
		return list, folderProblem(from, "FROM", err)
	}
	var wrong error
	list.Items, err = at.readCSV(ctx, filepath.Join(from, itemsFile))
	list.Materials, wrong = at.readCSV(ctx, filepath.Join(from, materialsFile))
	return list, errors.Join(err, wrong)
}

// readCSV reads a table through the guard that loses no character unseen. Damaged rows are findings.
func (at nationalList) readCSV(ctx context.Context, path string) (national.Table, error) {
	t := national.Table{Name: filepath.Base(path)}
	var damaged []error
	err := tabular.Rows(ctx, path, adapters.Dialect{Encoding: at.encoding, Delimiter: ","}, func(row adapters.Row) error {
		if row.Damage != nil {
			damaged = append(damaged, row.Damage)
		}
		t.Columns = row.Columns
		t.Rows = append(t.Rows, national.Row{Line: row.Line, Cells: slices.Clone(row.Values)})
		return nil
	})
	if p, ok := errors.AsType[*exchange.Problem](err); ok && (p.Code == "YM-ENC-0201" || p.Code == "YM-ENC-0202") {
		told := *p
		told.What = both(shown(path)+" 不是 "+at.encoding, shown(path)+" is not "+at.encoding)
		told.Mend = both("换一个编码再试：--encoding utf-8 或 --encoding gb18030", "try the other encoding: --encoding utf-8 or --encoding gb18030")
		err = &told
	}
	return t, errors.Join(append(damaged, err)...)
}

// writeItems writes all files, or leaves everything as it was.
func writeItems(dir string, files map[exchange.Item][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return folderProblem(dir, "--catalogue", err)
	}
	var undo []func() error
	for _, code := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, string(code)+".yaml")
		before, err := os.ReadFile(path)
		switch {
		case err == nil:
			undo = append(undo, func() error { return durable.Replace(path, before, 0o644) })
		case errors.Is(err, fs.ErrNotExist):
			undo = append(undo, func() error { return os.Remove(path) })
		default:
			return errors.Join(append(undone(undo), fileProblem(path, err))...)
		}
		if err := durable.Replace(path, files[code], 0o644); err != nil {
			return errors.Join(append(undone(undo[:len(undo)-1]), err)...)
		}
	}
	return nil
}

// undone undoes the last first.
func undone(undo []func() error) (failed []error) {
	for _, u := range slices.Backward(undo) {
		if err := u(); err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}
