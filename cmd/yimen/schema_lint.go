package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
)

func (s *session) schemaLint() verb {
	var general bool
	return verb{
		use:   "lint FILE...",
		short: both("检查 Schema 文件本身：一次列出全部问题", "check schema files themselves, and list everything at once"),
		long: both(`检查 Schema 文件本身，列出全部问题：文件和行、位置、原因、改法。有问题时退出码为 1。不需要服务器。
文件夹里的每个 .json 都检查；- 是标准输入。--general 只查任何主题都要遵守的规则，不查证照的规则。`,
			`Check schema files themselves and list everything that is wrong: file and line, place, reason, mend. The exit code is then 1. No server is needed.
Every .json of a folder is checked; - is standard input. --general asks only what holds for any subject, not what evidence types owe.`),
		example: "yimen schema lint food-licence.v3.json\nyimen schema lint schemas/ -o json\nyimen schema lint --general orders.json",
		min:     1, max: -1,
		lists: true,
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&general, "general", false, s.t("只查任何主题都要遵守的规则（草案 04、06、07、2020-12）", "ask only what holds for any subject (drafts 04, 06, 07, 2020-12)"))
		},
		complete: filesComplete,
		run: func(ctx context.Context, args []string) error {
			found, files, err := s.lintFiles(ctx, args, general)
			if err != nil {
				return err
			}
			return s.linted(found, files)
		},
	}
}

// lintFiles checks each file, those in folders too, and counts them.
func (s *session) lintFiles(ctx context.Context, args []string, general bool) (found []findingView, files int, err error) {
	for _, arg := range args {
		names, err := schemaFiles(arg)
		if err != nil {
			return nil, 0, err
		}
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				return nil, 0, err
			}
			text, err := s.schemaText(name)
			if err != nil {
				return nil, 0, err
			}
			files++
			found = append(found, remarksOn(name, text, general)...)
		}
	}
	return found, files, nil
}

// schemaFiles are the .json files below a folder, or the one file that is named.
func schemaFiles(name string) ([]string, error) {
	if name == "-" {
		return []string{name}, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fileProblem(name, err)
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	var names []string
	err = filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.EqualFold(filepath.Ext(path), ".json") {
			names = append(names, path)
		}
		return err
	})
	if err == nil && len(names) == 0 {
		err = &exchange.Problem{Code: "YM-CLI-0702", Kind: exchange.NotFound,
			What: both("文件夹 "+shown(name)+" 里没有 Schema", "the folder "+shown(name)+" holds no schema"),
			Why:  both("只看文件名以 .json 结尾的文件", "files are looked at whose names end in .json"),
			Mend: both("检查路径", "check the path")}
	}
	return names, err
}

// remarksOn are all things wrong with a schema: of an evidence type, or of any subject.
func remarksOn(file string, text []byte, general bool) []findingView {
	remarks := schemas.Lint
	if general {
		remarks = func(text []byte) []schemas.LintFinding { return schemas.LintGeneral(text) }
	}
	var found []findingView
	for _, r := range remarks(text) {
		found = append(found, findingView{File: file, Line: r.Line, Pointer: r.Pointer, Rule: r.Code, What: r.What, Mend: r.Mend})
	}
	return found
}

// linted prints what was found, then the sum on standard error.
func (s *session) linted(found []findingView, files int) error {
	if len(found) > 0 || s.format != asTable && s.format != asWide {
		if err := s.findingRows().print(s, found); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		s.say("%s 个 Schema，没有问题\n", "schemas: %s, nothing is wrong\n", figure(int64(files)))
		return nil
	}
	s.say("%s 个 Schema，共 %s 处问题\n", "schemas: %s, findings: %s\n", figure(int64(files)), figure(int64(len(found))))
	return exitFailed
}
