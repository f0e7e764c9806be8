package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/registry"
	"github.com/onedoor/yimen/schemas/rest"
)

// exportView is everything a registry holds.
type exportView struct {
	Level    string              `json:"level"`
	Policy   compat.Policy       `json:"policy"`
	Mode     string              `json:"mode"`
	Subjects []exportSubjectView `json:"subjects"`
}

// exportSubjectView is one subject of it. Level, policy and mode are there where the subject has its own.
type exportSubjectView struct {
	Subject  string              `json:"subject"`
	Level    string              `json:"level,omitempty"`
	Policy   compat.Policy       `json:"policy,omitempty"`
	Mode     string              `json:"mode,omitempty"`
	Versions []exportVersionView `json:"versions"`
}

// exportVersionView is a version with its text, or the file that holds it.
type exportVersionView struct {
	Version    int                   `json:"version"`
	ID         int                   `json:"id"`
	GUID       string                `json:"guid"`
	References []registry.Reference  `json:"references,omitempty"`
	Metadata   *registry.Metadata    `json:"metadata,omitempty"`
	Deleted    bool                  `json:"deleted,omitempty"`
	Deprecated *registry.Deprecation `json:"deprecated,omitempty"`
	File       string                `json:"file,omitempty"`
	Schema     string                `json:"schema,omitempty"`
}

func (s *session) schemaExport() verb {
	var at registryAt
	var dir string
	var confluent bool
	return verb{
		use:   "export",
		short: both("导出登记处的全部内容", "export everything the registry holds"),
		long: both(`导出全部主题的全部版本，已删除而仍可读的也在内。
--dir 写成文件：每个主题一个文件夹，每版一个文件，index.json 记下编号、级别和模式。不写则输出到标准输出。
--confluent 输出 _schemas 主题的记录，每行是键、制表符、值：可交给其他登记处接管。`,
			`Export all versions of all subjects, deleted ones that can still be read included.
--dir writes files: a folder for each subject, a file for each version, and index.json with ids, levels and modes. Without it everything goes to standard output.
--confluent writes the records of the topic _schemas, each line a key, a tab and a value: another registry can take over with them.`),
		example: "yimen schema export --dir backup\nyimen schema export -o json\nyimen schema export --confluent > _schemas.txt",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&dir, "dir", "", s.t("写入文件夹 `DIR`，不存在则新建", "write into the folder `DIR`, made where it is not there"))
			f.BoolVar(&confluent, "confluent", false, s.t("输出 _schemas 主题的记录", "write the records of the topic _schemas"))
			s.registryFlags(f, &at)
		},
		run: func(ctx context.Context, _ []string) error {
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			all, err := exported(ctx, client)
			switch {
			case err != nil:
				return err
			case confluent:
				return s.asConfluent(all)
			case dir != "":
				return s.exportFiles(dir, all)
			case s.format == asJSON || s.format == asYAML:
				return s.value(all)
			}
			return s.exportRows().print(s, all.Subjects)
		},
	}
}

func (s *session) exportRows() list[exportSubjectView] {
	return list[exportSubjectView]{
		name: func(v exportSubjectView) string { return v.Subject },
		columns: []column[exportSubjectView]{
			{head: both("主题", "SUBJECT"), cell: func(v exportSubjectView) string { return v.Subject }},
			{head: both("版本", "VERSIONS"), cell: func(v exportSubjectView) string { return strconv.Itoa(len(v.Versions)) }},
			{head: both("级别", "LEVEL"), cell: func(v exportSubjectView) string { return rule(v.Level) }},
			{head: both("模式", "MODE"), wide: true, cell: func(v exportSubjectView) string { return v.Mode }},
		},
	}
}

// exported reads everything a registry holds.
func exported(ctx context.Context, from *rest.Client) (exportView, error) {
	all := exportView{Subjects: []exportSubjectView{}}
	level, err := from.Level(ctx, "")
	if err != nil {
		return all, err
	}
	all.Level, all.Policy = level.Compatibility, level.Policy
	if all.Mode, _, err = from.Mode(ctx, ""); err != nil {
		return all, err
	}
	subjects, err := from.Subjects(ctx, true)
	if err != nil {
		return all, err
	}
	for _, name := range subjects {
		one, err := exportedSubject(ctx, from, name)
		if err != nil {
			return all, err
		}
		all.Subjects = append(all.Subjects, one)
	}
	return all, nil
}

func exportedSubject(ctx context.Context, from *rest.Client, name string) (exportSubjectView, error) {
	one := exportSubjectView{Subject: name, Versions: []exportVersionView{}}
	level, err := from.Level(ctx, name)
	if err != nil {
		return one, err
	}
	if level.Own {
		one.Level, one.Policy = level.Compatibility, level.Policy
	}
	mode, own, err := from.Mode(ctx, name)
	if err != nil {
		return one, err
	}
	if own {
		one.Mode = mode
	}
	numbers, err := from.Versions(ctx, name, true)
	if err != nil {
		return one, err
	}
	for _, n := range numbers {
		v, err := from.Version(ctx, name, n, true)
		if err != nil {
			return one, err
		}
		one.Versions = append(one.Versions, exportVersionView{Version: v.Version, ID: v.ID, GUID: v.GUID, References: v.References,
			Metadata: v.Metadata, Deleted: v.Deleted, Deprecated: v.Deprecated, Schema: v.Schema})
	}
	return one, nil
}

// exportFiles writes a file for each version and the index, which comes last: with it the export is whole.
func (s *session) exportFiles(dir string, all exportView) error {
	files := 0
	for i, subject := range all.Subjects {
		folder := fileName(subject.Subject)
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			return folderProblem(dir, "--dir", err)
		}
		for j := range subject.Versions {
			v := &all.Subjects[i].Versions[j]
			v.File = folder + "/" + strconv.Itoa(v.Version) + ".json"
			if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(v.File)), []byte(v.Schema+"\n"), 0o644); err != nil {
				return folderProblem(dir, "--dir", err)
			}
			v.Schema = ""
			files++
		}
	}
	var index bytes.Buffer
	e := encoder(&index)
	e.SetIndent("", "  ")
	if err := e.Encode(all); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return folderProblem(dir, "--dir", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.json"), index.Bytes(), 0o644); err != nil {
		return folderProblem(dir, "--dir", err)
	}
	s.say("✓ %s 个主题、%s 个版本写入 %s\n", "✓ subjects: %s, versions: %s, written to %s\n", figure(int64(len(all.Subjects))), figure(int64(files)), plain(dir))
	return nil
}

// fileName writes a subject so that any file system takes it: letters, digits, "-", "_" and inner dots stay, anything else
// is percent-encoded.
func fileName(subject string) string {
	var b strings.Builder
	for i := range len(subject) {
		switch c := subject[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.' && i > 0 && i < len(subject)-1:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// What Confluent's registry writes into _schemas. The order of the keys' members counts: their bytes decide what
// compaction keeps.
type (
	confluentKey struct {
		Type    string  `json:"keytype"`
		Subject *string `json:"subject"`
		Version int     `json:"version,omitempty"`
		Magic   int     `json:"magic"`
	}
	confluentSchema struct {
		Subject    string               `json:"subject"`
		Version    int                  `json:"version"`
		ID         int                  `json:"id"`
		MD5        string               `json:"md5,omitempty"`
		Type       string               `json:"schemaType"`
		References []registry.Reference `json:"references,omitempty"`
		Metadata   *registry.Metadata   `json:"metadata,omitempty"`
		Schema     string               `json:"schema"`
		Deleted    bool                 `json:"deleted"`
	}
	confluentLevel struct {
		Subject string        `json:"subject,omitempty"`
		Level   string        `json:"compatibilityLevel"`
		Policy  compat.Policy `json:"compatibilityPolicy,omitempty"`
	}
	confluentMode struct {
		Subject string `json:"subject,omitempty"`
		Mode    string `json:"mode"`
	}
)

// asConfluent prints the records: schemas by id, so that what is referred to comes first, then levels and modes.
func (s *session) asConfluent(all exportView) error {
	type owned struct {
		subject string
		exportVersionView
	}
	var versions []owned
	for _, subject := range all.Subjects {
		for _, v := range subject.Versions {
			versions = append(versions, owned{subject.Subject, v})
		}
	}
	slices.SortStableFunc(versions, func(a, b owned) int { return a.ID - b.ID })
	var errs []error
	for _, v := range versions {
		errs = append(errs, s.confluentLine(confluentKey{"SCHEMA", &v.subject, v.Version, 1},
			confluentSchema{v.subject, v.Version, v.ID, digestOf(v.GUID), "JSON", v.References, v.Metadata, v.Schema, v.Deleted}))
	}
	errs = append(errs, s.confluentLine(confluentKey{Type: "CONFIG"}, confluentLevel{Level: all.Level, Policy: all.Policy}),
		s.confluentLine(confluentKey{Type: "MODE"}, confluentMode{Mode: all.Mode}))
	for _, subject := range all.Subjects {
		if subject.Level != "" {
			errs = append(errs, s.confluentLine(confluentKey{Type: "CONFIG", Subject: &subject.Subject}, confluentLevel{subject.Subject, subject.Level, subject.Policy}))
		}
		if subject.Mode != "" {
			errs = append(errs, s.confluentLine(confluentKey{Type: "MODE", Subject: &subject.Subject}, confluentMode{subject.Subject, subject.Mode}))
		}
	}
	return errors.Join(errs...)
}

func (s *session) confluentLine(key, value any) error {
	k, err := json.Marshal(key)
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	v, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write value: %w", err)
	}
	_, err = fmt.Fprintf(s.out, "%s\t%s\n", k, v)
	return err
}

// digestOf is the MD5 that a GUID writes as a UUID, in base64; "" where it is none.
func digestOf(guid string) string {
	sum, err := hex.DecodeString(strings.ReplaceAll(guid, "-", ""))
	if err != nil || len(sum) != 16 {
		return ""
	}
	return base64.StdEncoding.EncodeToString(sum)
}
