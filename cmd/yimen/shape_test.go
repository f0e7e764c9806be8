package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
)

type pair struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
	When  string `json:"when,omitempty"`
}

func pairs() list[pair] {
	return list[pair]{
		name: func(p pair) string { return p.Name },
		columns: []column[pair]{
			{head: both("名称", "NAME"), cell: func(p pair) string { return p.Name }},
			{head: both("数量", "COUNT"), cell: func(p pair) string { return figure(p.Count) }},
			{head: both("时间", "WHEN"), wide: true, cell: func(p pair) string { return p.When }},
		},
	}
}

func TestList(t *testing.T) {
	rows := []pair{{"食品经营许可", 1204551, "2026-11-23"}, {"tax\x1b[31m\n", -7, ""}, {"null", 0, "1.0"}}
	for _, row := range []struct {
		name string
		form format
		rows []pair
		want string
	}{
		{"table", asTable, rows, "名称          数量\n食品经营许可  1,204,551\ntax [31m      -7\nnull          0\n"},
		{"wide", asWide, rows[:1], "名称          数量       时间\n食品经营许可  1,204,551  2026-11-23\n"},
		{"empty table", asTable, nil, "名称  数量\n"},
		{"empty JSON", asJSON, nil, "[]\n"},
		{"empty YAML", asYAML, nil, "[]\n"},
		{"empty lines", asLines, nil, ""},
		{"empty names", asNames, nil, ""},
		{"lines", asLines, rows[:2], `{"name":"食品经营许可","count":1204551,"when":"2026-11-23"}` + "\n" + `{"name":"tax\u001b[31m\n","count":-7}` + "\n"},
		{"names", asNames, rows[:2], "食品经营许可\ntax [31m \n"},
		{"JSON", asJSON, rows[1:2], "[\n  {\n    \"name\": \"tax\\u001b[31m\\n\",\n    \"count\": -7\n  }\n]\n"},
		{"YAML keeps strings strings", asYAML, rows[2:], "- name: \"null\"\n  count: 0\n  when: \"1.0\"\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out strings.Builder
			s := &session{process: surroundings(&out, nil), lang: exchange.ZH, format: row.form}
			if err := pairs().print(s, row.rows); err != nil || out.String() != row.want {
				t.Errorf("%v\n%q, want\n%q", err, out.String(), row.want)
			}
		})
	}
}

// brokenPipe is a writer whose reader has gone.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestLostOutputIsAnError(t *testing.T) {
	for _, form := range formats() {
		s := &session{process: surroundings(brokenPipe{}, nil), format: format(form)}
		if err := pairs().print(s, []pair{{Name: "x"}}); err == nil {
			t.Errorf("-o %s: no error", form)
		}
		var talk bytes.Buffer
		if got := run(t.Context(), surroundings(brokenPipe{}, &talk), []string{"version", "-o", form}); got != exitFailed {
			t.Errorf("version -o %s: exit code %d, said %s", form, got, talk.String())
		}
	}
}

func TestColumnsOf(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "abc": 3, "证照": 4, "（新办）": 8, "ｶﾅ": 2, "e\u0301": 1, "\U00020BB7": 2, "“a”": 3, "\u200b": 0, "㐀": 2,
	} {
		if got := columnsOf(text); got != want {
			t.Errorf("%q takes %d columns, want %d", text, got, want)
		}
	}
}

func TestColour(t *testing.T) {
	for _, row := range []struct {
		name     string
		terminal bool
		declined bool
		env      map[string]string
		coloured bool
	}{
		{"a terminal", true, false, nil, true},
		{"a file", false, false, nil, false},
		{"--no-color", true, true, nil, false},
		{"NO_COLOR", true, false, map[string]string{"NO_COLOR": "1"}, false},
		{"a dumb terminal", true, false, map[string]string{"TERM": "dumb"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &session{process: process{env: func(name string) string { return row.env[name] }}, noColour: row.declined}
			if got := s.paint(row.terminal, red, "x") != "x"; got != row.coloured {
				t.Errorf("coloured: %v", got)
			}
		})
	}
}

func TestProgress(t *testing.T) {
	for _, row := range []struct {
		name      string
		form      format
		terminal  bool
		lang      exchange.Lang
		out, talk string
	}{
		{"on a terminal", asTable, true, exchange.ZH, "",
			"\r\x1b[K38,911 / 48,310   9,727/s   隔离 6   剩余 1s\r\x1b[K48,310 / 48,310   9,662/s   隔离 6\r\x1b[K"},
		{"in English", asWide, true, exchange.EN, "",
			"\r\x1b[K38,911 / 48,310   9,727/s   quarantined 6   left 1s\r\x1b[K48,310 / 48,310   9,662/s   quarantined 6\r\x1b[K"},
		{"into a file", asTable, false, exchange.ZH, "", ""},
		{"as JSON", asJSON, false, exchange.ZH, "", ""},
		{"as lines", asLines, true, exchange.ZH,
			`{"type":"progress","done":38911,"total":48310,"quarantined":6,"rate":9727.8,"eta_seconds":1}` + "\n", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out, talk strings.Builder
			now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
			p := surroundings(&out, &talk)
			p.talkTTY, p.now = row.terminal, func() time.Time { return now }
			s := &session{process: p, lang: row.lang, format: row.form}
			told := s.progress(48310)
			now = now.Add(4 * time.Second)
			told.at(38911, 6)
			told.at(38912, 6) // too soon
			now = now.Add(time.Second)
			told.at(48310, 6)
			told.end()
			if out.String() != row.out || talk.String() != row.talk {
				t.Errorf("out %q, want %q\ntalk %q, want %q", out.String(), row.out, talk.String(), row.talk)
			}
		})
	}
}

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "@" + path
	}
	typed := func(context.Context) ([]byte, error) { return []byte("typed"), nil }
	for _, row := range []struct {
		name, source, in string
		hidden           func(context.Context) ([]byte, error)
		want, code       string
	}{
		{"a file", write("token", "s3cret\r\n"), "", nil, "s3cret", ""},
		{"standard input", "-", "s3cret\n", nil, "s3cret", ""},
		{"a terminal", "-", "", typed, "typed", ""},
		{"white space within stays", "-", " a b \n", nil, " a b ", ""},
		{"as it is", "s3cret", "", nil, "", "YM-CLI-0210"},
		{"no file named", "@", "", nil, "", "YM-CLI-0210"},
		{"no value", "", "", nil, "", "YM-CLI-0210"},
		{"no such file", "@" + filepath.Join(dir, "none"), "", nil, "", "YM-CLI-0111"},
		{"a folder", "@" + dir, "", nil, "", "YM-CLI-0114"},
		{"an empty file", write("empty", "\n"), "", nil, "", "YM-CLI-0211"},
		{"nothing on standard input", "-", "", nil, "", "YM-CLI-0211"},
		{"too long", "-", strings.Repeat("x", longestSecret+1), nil, "", "YM-CLI-0211"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := surroundings(nil, &strings.Builder{})
			p.in, p.hidden = strings.NewReader(row.in), row.hidden
			v := (&session{process: p}).secretFlag(pflag.NewFlagSet("", pflag.ContinueOnError), "token", both("口令", "token"))
			var got string
			err := v.Set(row.source)
			if err == nil && v.given() {
				got, err = v.read(t.Context())
			}
			problem, _ := errors.AsType[*exchange.Problem](err)
			if row.code == "" && (err != nil || got != row.want) {
				t.Errorf("read %q, %v", got, err)
			}
			if row.code != "" && (problem == nil || problem.Code != row.code || strings.Contains(err.Error(), "s3cret")) {
				t.Errorf("error %v, want %s", err, row.code)
			}
		})
	}
}

func TestVersionOf(t *testing.T) {
	build := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-11-23T00:00:00Z"}, {Key: "vcs.modified", Value: "true"}}}
	if v := versionOf(build); v.Version != "v1.2.3" || v.Revision != "abc" || v.Time != "2026-11-23T00:00:00Z" || !v.Modified {
		t.Errorf("%+v", v)
	}
	if v := versionOf(nil); v.Version != "(devel)" || v.Go == "" || v.Platform == "" {
		t.Errorf("without build info: %+v", v)
	}
}

func TestEachDocument(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", longestDocument+100) + `"}`
	for _, row := range []struct {
		name, file, text string
		want             []string // place: first bytes
	}{
		{"one", "a.json", `{"a":1}`, []string{`a.json {"a":1}`}},
		{"one over several lines", "a.json", "\n{\n \"a\":1}\n", []string{"a.json {\n \"a\":1}\n"}},
		{"one and white space", "a.json", "{}\n \r\n\n", []string{"a.json {}\n \r\n\n"}},
		{"lines", "-", "{}\n\n {} \r\n[]", []string{"-:1 {}", "-:3  {} ", "-:4 []"}},
		{"lines by name", "a.JSONL", "{\n}", []string{"a.JSONL:1 {", "a.JSONL:2 }"}},
		{"one line by name", "a.ndjson", "{}", []string{"a.ndjson:1 {}"}},
		{"nothing", "a.json", "", []string{"a.json "}},
		{"nothing, by name", "a.jsonl", "\n\n", nil},
		{"no JSON", "a.json", "oops\n{}", []string{"a.json oops\n{}"}},
		{"no JSON in a line", "-", "{}\noops", []string{"-:1 {}", "-:2 oops"}},
		{"a line too long, then another", "a.jsonl", long + "\n{}", []string{"a.jsonl:1 {\"a\":\"xxxx", "a.jsonl:2 {}"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			err := eachDocument(t.Context(), row.file, strings.NewReader(row.text), func(at place, text []byte) error {
				got = append(got, at.String()+" "+string(text[:min(len(text), 10)]))
				return nil
			})
			if err != nil || strings.Join(got, "|") != strings.Join(row.want, "|") {
				t.Errorf("%v\n%q, want\n%q", err, got, row.want)
			}
		})
	}
}

func FuzzEachDocument(f *testing.F) {
	f.Add("a.json", "{}\n{}")
	f.Add("a.jsonl", "{\n\n}")
	f.Add("-", " \n[1]\r\n \n")
	f.Fuzz(func(t *testing.T, name, text string) {
		handed := 0
		err := eachDocument(t.Context(), name, strings.NewReader(text), func(at place, document []byte) error {
			handed += len(document)
			if at.line > 0 && bytes.ContainsRune(document, '\n') {
				t.Errorf("line %d holds a line's end", at.line)
			}
			return nil
		})
		if err != nil || handed > len(text) {
			t.Errorf("%v; %d bytes handed on of %d", err, handed, len(text))
		}
	})
}
