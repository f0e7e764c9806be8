package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/adapters/national"
	"github.com/onedoor/yimen/adapters/tabular"
	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
)

func (s *session) adapterVerbs() verb {
	return verb{
		use:   "adapter",
		short: both("适配器：检查、运行、查看状态", "adapters: check, run, show their status"),
		verbs: []verb{s.adapterCheck(), s.adapterRun(), s.adapterStatus()},
	}
}

// dataFlag declares the directory of keys and state.
func (s *session) dataFlag(f *pflag.FlagSet, dir *string) {
	initial := s.env("YIMEN_DATA")
	if initial == "" {
		initial = "yimen-data"
	}
	f.StringVar(dir, "data", initial, s.t("密钥和状态所在的目录 `DIR`，也可用 YIMEN_DATA 指定", "the `DIR` of keys and state; YIMEN_DATA names it too"))
}

// The layout below the data directory.
const (
	keysDir     = "keys"
	adaptersDir = "adapters"
)

func stateDir(data string, adapter exchange.Adapter) string {
	return filepath.Join(data, adaptersDir, filepath.FromSlash(string(adapter)))
}

func departmentKey(data string, department exchange.Department) ([]byte, error) {
	keys, err := certs.OpenLocal(filepath.Join(data, keysDir))
	if err != nil {
		return nil, err
	}
	return keys.Secret(keyName(department))
}

func keyName(department exchange.Department) string { return "department-" + string(department) }

// newKey is what to say where a department's key is about to be drawn. With another key every record gets another id, so
// an adapter that is run with a wrong --data publishes everything anew and withdraws what it published before.
func (s *session) newKey(data string, department exchange.Department) string {
	key := filepath.Join(data, keysDir, keyName(department)+".key")
	if _, err := os.Stat(key); !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return fmt.Sprintf(s.t("%s 中还没有部门 %s 的密钥，已新生成一个。请备份；丢失后，所有记录都要重新发布\n",
		"there was no key of the department %[2]s in %[1]s, so a new one was made. Keep a backup: without it every record must be published anew\n"), key, department)
}

// openSource makes the source that a manifest names.
func openSource(m *adapters.Manifest, now func() time.Time) (adapters.Source, error) {
	switch m.Source.Kind {
	case tabular.Kind:
		return tabular.New(m, now)
	case national.Kind:
		return national.New(m, now)
	default:
		return nil, &exchange.Problem{Code: "YM-CLI-0401", Kind: exchange.Invalid,
			What: both("不认识的数据源类型 "+shown(m.Source.Kind), "unknown kind of source "+shown(m.Source.Kind)),
			Mend: both("清单的 source.kind 可写 tabular（CSV 文件）或 national（国家数据共享交换平台）", "source.kind in the manifest can be tabular (CSV files) or national (the national data sharing platform)")}
	}
}

// described finds the schema of a manifest's evidence type, and sees that the mapping fills it.
func described(m *adapters.Manifest, more string) (*schemas.Schema, error) {
	set, err := schemas.Builtin()
	if err != nil {
		return nil, err
	}
	if more != "" {
		if _, err := os.ReadDir(more); err != nil {
			return nil, folderProblem(more, "--schemas", err)
		}
		own, err := schemas.Load(os.DirFS(more), ".")
		if err != nil {
			return nil, err
		}
		set = set.With(own.All()...)
	}
	schema, known := set.ByType(m.Evidence)
	if !known {
		var types []string
		for _, s := range set.All() {
			types = append(types, string(s.Type))
		}
		return nil, missing("0402", both("证照类型", "evidence type"), string(m.Evidence), types, "yimen schema list")
	}
	return schema, fills(m, schema)
}

// fills says which required fields no rule of the manifest gives, and which rules fill a field that the schema does not
// have. Otherwise every single row would go to quarantine for it.
func fills(m *adapters.Manifest, schema *schemas.Schema) error {
	hollow := map[string]any{}
	for path := range m.Mapping {
		field, _, _ := strings.Cut(path, ".")
		hollow[field] = nil
	}
	invalid, ok := errors.AsType[*schemas.Invalid](schema.Validate(hollow))
	if !ok {
		return nil
	}
	var wrong []error
	for _, f := range invalid.Findings {
		field := strings.TrimPrefix(f.Pointer, "/")
		if strings.Contains(field, "/") {
			continue
		}
		mend := exchange.Text{ZH: "字段见 yimen schema show " + string(m.Evidence), EN: "see the fields with yimen schema show " + string(m.Evidence)}
		switch f.Keyword {
		case "required":
			wrong = append(wrong, &exchange.Problem{Code: "YM-CLI-0405", Kind: exchange.Invalid, Mend: mend,
				What: both("清单的 mapping 缺少必填字段 "+field, "the manifest's mapping lacks the required field "+field)})
		case "additionalProperties":
			wrong = append(wrong, &exchange.Problem{Code: "YM-CLI-0406", Kind: exchange.Invalid, Mend: mend,
				What: both("清单的 mapping 中，"+field+" 不是这种证照的字段", "in the manifest's mapping, "+field+" is no field of this evidence")})
		}
	}
	return errors.Join(wrong...)
}

func (s *session) adapterStatus() verb {
	var data string
	return verb{
		use:     "status",
		short:   both("查看各适配器上次读取的结果", "show what came of each adapter's last reading"),
		example: "yimen adapter status --data /var/lib/yimen\nyimen adapter status -o json",
		lists:   true,
		flags:   func(f *pflag.FlagSet) { s.dataFlag(f, &data) },
		run: func(context.Context, []string) error {
			all, err := statuses(data)
			if err != nil {
				return err
			}
			if err := s.statusRows().print(s, all); err != nil || len(all) > 0 {
				return err
			}
			s.remark("%s 中还没有适配器读完过一次；先运行 yimen adapter run\n", "no adapter has finished a reading in %s yet: begin with yimen adapter run\n", data)
			return nil
		},
	}
}

// statuses finds every adapter that left a status below the data directory.
func statuses(data string) ([]adapters.Status, error) {
	all := []adapters.Status{}
	root := filepath.Join(data, adaptersDir)
	if _, err := os.ReadDir(data); err != nil {
		return nil, folderProblem(data, "--data DIR (YIMEN_DATA)", err)
	}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, _ fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == ".":
			return nil // no adapter has run
		case err != nil:
			return folderProblem(filepath.Join(root, name), "--data DIR (YIMEN_DATA)", err)
		case strings.Count(name, "/") > 2:
			return fs.SkipDir // an adapter's own files
		}
		if found, _ := path.Match("*/*/status.json", name); !found {
			return nil
		}
		status, err := adapters.ReadStatus(filepath.Join(root, filepath.FromSlash(path.Dir(name))))
		if err == nil {
			all = append(all, status)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func (s *session) statusRows() list[adapters.Status] {
	moment := func(t time.Time) string {
		if t.IsZero() {
			return s.t("从未", "never")
		}
		return t.In(exchange.China).Format("2006-01-02 15:04:05")
	}
	return list[adapters.Status]{
		name: func(a adapters.Status) string { return string(a.Adapter) },
		columns: []column[adapters.Status]{
			{head: both("适配器", "ADAPTER"), cell: func(a adapters.Status) string { return string(a.Adapter) }},
			{head: both("证照类型", "EVIDENCE"), cell: func(a adapters.Status) string { return string(a.Type) }},
			{head: both("记录", "RECORDS"), cell: func(a adapters.Status) string { return figure(a.Published) }},
			{head: both("隔离", "QUARANTINED"), cell: func(a adapters.Status) string { return figure(a.Quarantined) }},
			{head: both("完整至", "COMPLETE UP TO"), cell: func(a adapters.Status) string { return moment(a.CompleteUpTo) }},
			{head: both("可据以答“没有”", "MAY SAY NOT HELD"), cell: func(a adapters.Status) string { return s.yes(a.Complete()) }},
			{head: both("读取", "READ"), wide: true, cell: func(a adapters.Status) string { return figure(a.Last.Read) }},
			{head: both("无法辨认持证主体", "UNREADABLE"), wide: true, cell: func(a adapters.Status) string { return figure(a.Unreadable) }},
			{head: both("上次用时", "TOOK"), wide: true, cell: func(a adapters.Status) string { return a.Last.Took.Round(time.Millisecond).String() }},
		},
	}
}

// remark says on standard error what a table does not show; programs read the rest.
func (s *session) remark(zh, en string, args ...any) {
	if s.format == asTable || s.format == asWide {
		fmt.Fprintf(s.talk, s.t(zh, en), args...)
	}
}

// outcomeLine says in a line what came of a reading.
func (s *session) outcomeLine(r adapters.Result) string {
	if r.Skipped {
		return s.t("数据源没有变化，无需发布", "the source is as it was: nothing to publish")
	}
	parts := []string{fmt.Sprintf(s.t("读取 %s 行", "%s rows read"), figure(r.Read))}
	for _, part := range []struct {
		n    int64
		text exchange.Text
	}{
		{r.Published, both("发布 %s", "%s published")}, {r.Unchanged, both("未变 %s", "%s unchanged")},
		{r.Withdrawn, both("撤回 %s", "%s withdrawn")}, {r.HeldBack, both("暂缓撤回 %s", "%s withdrawals held back")},
		{r.Quarantined, both("隔离 %s", "%s quarantined")},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf(part.text.In(s.lang), figure(part.n)))
		}
	}
	return strings.Join(parts, s.t("，", ", "))
}
