package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/adapters/mapping"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/node"
)

// keysOf are the dotted YAML keys of a struct.
func keysOf(of reflect.Type, under string) []string {
	var keys []string
	for field := range of.Fields() {
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case key == "", key == "-":
		case field.Type.Kind() == reflect.Struct:
			keys = append(keys, keysOf(field.Type, under+key+".")...)
		default:
			keys = append(keys, under+key)
		}
	}
	return keys
}

func documented(all []setting) []string {
	var keys []string
	for _, s := range all {
		keys = append(keys, s.key)
	}
	return keys
}

func sameKeys(t *testing.T, topic string, have, want []string) {
	t.Helper()
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("help %s documents\n%v, want\n%v", topic, have, want)
	}
}

func TestHelpDocumentsConfig(t *testing.T) {
	sameKeys(t, "config", documented(settings()), keysOf(reflect.TypeFor[node.Config](), ""))
	for key, initial := range defaultsInSource(t, "../../exchange/node/config.go") {
		at := slices.IndexFunc(settings(), func(s setting) bool { return s.key == key || strings.HasSuffix(s.key, "."+key) })
		if at < 0 || settings()[at].initial != initial {
			t.Errorf("%s has the default %s, documented otherwise", key, initial)
		}
	}
}

var saysDefault = regexp.MustCompile(`Default ([^ ,]+)[.,]`)

// defaultsInSource reads what the comments of a file's fields give as their default, by YAML key.
func defaultsInSource(t *testing.T, path string) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if field, ok := n.(*ast.Field); ok && field.Tag != nil {
			key, _, _ := strings.Cut(reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("yaml"), ",")
			if said := saysDefault.FindStringSubmatch(field.Doc.Text()); said != nil {
				found[key] = said[1]
			}
		}
		return true
	})
	if len(found) < 5 {
		t.Errorf("%s: only %d defaults found", path, len(found))
	}
	return found
}

func TestExampleConfigIsSound(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "yimen.yaml")
	for _, row := range []struct {
		text string
		good bool
	}{
		{exampleConfig, true},
		{exampleConfig + "kafka_brokers: []\n", false},
		{strings.Replace(exampleConfig, "data:", "dat:", 1), false},
		{strings.Replace(exampleConfig, ", key: /etc/yimen/server.key", "", 1), false},
	} {
		if err := os.WriteFile(path, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := node.LoadConfig(path); (err == nil) != row.good {
			t.Errorf("%v for\n%s", err, row.text)
		}
	}
	if err := os.WriteFile(path, []byte(exampleCallers), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := door.LoadCallers(path, nil); err != nil {
		t.Error(err)
	}
}

func TestHelpDocumentsManifest(t *testing.T) {
	keys := keysOf(reflect.TypeFor[adapters.Manifest](), "")
	sameKeys(t, "manifest", documented(manifestKeys()), append(keys, "source.path", "source.as_of", "source.url", "source.refresh_url", "source.insecure", "source.requester", "source.service",
		"source.app_key_file", "source.prefix", "source.parameters", "source.page", "source.page_size", "source.size", "source.rows", "source.total"))
	sameKeys(t, "manifest: rules", documented(ruleKeys()), keysOf(reflect.TypeFor[mapping.Rule](), ""))

	_, err := mapping.Compile(mapping.Rules{"x": {Column: "c", As: "nothing"}}, nil)
	faults, ok := errors.AsType[mapping.Faults](err)
	if !ok || len(faults) != 1 {
		t.Fatalf("an unknown reading: %v", err)
	}
	known := strings.Split(strings.TrimPrefix(faults[0].Mend.EN, "there are: "), ", ")
	sameKeys(t, "manifest: as", documented(readings()), known)
}

func TestExampleManifestIsSound(t *testing.T) {
	for _, row := range []struct {
		name, text string
		code       string // of the first problem
	}{
		{"Chinese", chineseManifest(), ""},
		{"English", englishManifest(), ""},
		{"a key unknown", chineseManifest() + "every_day: true\n", "YM-MAN-0111"},
		{"a reading unknown", strings.Replace(chineseManifest(), "as: date", "as: day", 1), "YM-MAP-0211"},
		{"no encoding", strings.Replace(englishManifest(), "encoding: gb18030, ", "", 1), "YM-MAN-0163"},
		{"a source unknown", strings.Replace(englishManifest(), "tabular", "oracle", 1), "YM-CLI-0401"},
		{"an evidence type unknown", strings.Replace(englishManifest(), "evidence: health-certificate", "evidence: health", 1), "YM-CLI-0402"},
		{"a required field without a rule", strings.Replace(englishManifest(), "  name: person\n", "", 1), "YM-CLI-0405"},
		{"a field that the schema lacks", strings.Replace(englishManifest(), "  name: person\n", "  name: person\n  nickname: person\n", 1), "YM-CLI-0406"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := usable(row.text); codeIn(err) != row.code {
				t.Errorf("%v, want %s", err, row.code)
			}
		})
	}
}

// usable takes a manifest as far as the adapter commands do before they read the source.
func usable(text string) error {
	m, err := adapters.ParseManifest("manifest.yaml", []byte(text))
	if err != nil {
		return err
	}
	if _, err := mapping.Compile(m.Mapping, m.Absent); err != nil {
		return err
	}
	if _, err := openSource(m, nil); err != nil {
		return err
	}
	_, err = described(m, "")
	return err
}

func codeIn(err error) string {
	if p, ok := errors.AsType[*exchange.Problem](err); ok {
		return p.Code
	}
	return ""
}
