package adapters

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

const licences = `
adapter: scjg/licences
evidence: business-licence
source: {kind: tabular, path: licences.csv, complete: true, as_of: modified}
dialect: {encoding: gb18030, delimiter: ",", columns: [企业名称, 统一社会信用代码], glyphs: {U+E000: 㼆}}
holders: {kind: org, divisions: ["43"]}
tolerance: {share: 0.1, rows: 0}
absent: ["", "N/A"]
mapping:
  name: 企业名称
  creditCode: {column: 统一社会信用代码, as: credit-code}
  status: {column: 登记状态, table: {存续: 存续, 1: 在业, true: 在业}, otherwise: 其他}
  owners: {split: "、", items: {name: 权利人, number: {column: 证件号, as: holder-number}}}
  validUntil: {column: 有效期, as: date, open: true}
`

func TestParseManifest(t *testing.T) {
	m, err := ParseManifest("/etc/yimen/licences.yaml", []byte("\ufeff"+licences))
	if err != nil {
		t.Fatal(err)
	}
	if m.Adapter != "scjg/licences" || m.Evidence != "business-licence" || m.Source.Kind != "tabular" || !m.Source.Complete {
		t.Errorf("read %+v", m)
	}
	if m.Tolerance != (Tolerance{Rows: 0, Share: 0.1, Unreadable: 0, WithdrawnShare: 0.2}) {
		t.Errorf("tolerance %+v: what is written counts, the rest is by default", m.Tolerance)
	}
	if m.Every != 30*time.Second || m.Holders.Kind != exchange.Organisation || m.Holders.Divisions[0] != "43" {
		t.Errorf("read %+v", m)
	}
	if m.Mapping["name"].Column != "企业名称" || m.Mapping["status"].Table["1"] != "在业" || m.Mapping["status"].Table["true"] != "在业" ||
		m.Mapping["owners"].Items["name"].Column != "权利人" || !m.Mapping["validUntil"].Open {
		t.Errorf("mapping %+v", m.Mapping)
	}
	if got := m.Path("licences.csv"); got != filepath.FromSlash("/etc/yimen/licences.csv") {
		t.Errorf("path %s", got)
	}
	var settings struct {
		Path string `yaml:"path"`
		AsOf string `yaml:"as_of"`
	}
	if err := m.Source.Decode(&settings); err != nil || settings.Path != "licences.csv" || settings.AsOf != "modified" {
		t.Errorf("settings %+v %v", settings, err)
	}
}

func TestSettingsOfOtherKinds(t *testing.T) {
	m, err := ParseManifest("m.yaml", []byte(strings.Replace(licences, "as_of: modified", "as_off: modified", 1)))
	if err != nil {
		t.Fatal(err)
	}
	var settings struct {
		Path string `yaml:"path"`
		AsOf string `yaml:"as_of"`
	}
	err = m.Source.Decode(&settings)
	if err == nil || !strings.Contains(err.Error(), "m.yaml:4:") || !strings.Contains(err.Error(), "is as_of meant?") {
		t.Errorf("error %v", err)
	}
	m, err = ParseManifest("m.yaml", []byte(strings.Replace(licences, "path: licences.csv", "path: {a: b}", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Source.Decode(&struct {
		Path string `yaml:"path"`
		AsOf string `yaml:"as_of"`
	}{}); exchange.KindOf(err) != exchange.Invalid {
		t.Errorf("error %v", err)
	}
}

func TestManifestRefused(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"unknown key", "evidence:", "evidnce:", "YM-MAN-0111: m.yaml:3:1: unknown key evidnce → is evidence meant?"},
		{"unknown key within", "open: true", "opens: true", "YM-MAN-0111: m.yaml:14:39: unknown key opens → is open meant?"},
		{"far from every key", "holders:", "whatsoever:", "YM-MAN-0111: m.yaml:6:1: unknown key whatsoever → the keys known here are absent, adapter"},
		{"repeated key", "holders:", "evidence:", "YM-MAN-0112: m.yaml:6:1: key evidence stands twice"},
		{"repeated rule", "  status:", "  name:", "YM-MAN-0112: m.yaml:12:3: key name stands twice"},
		{"repeated setting", "as_of: modified", "path: x.csv", "YM-MAN-0112: m.yaml:4:61: key path stands twice"},
		{"adapter", "scjg/licences", "SCJG", "YM-MAN-0121: m.yaml:2:1: adapter must be"},
		{"no adapter", "adapter: scjg/licences", "", "YM-MAN-0121: m.yaml:3"},
		{"evidence", "business-licence", "营业执照", "YM-MAN-0122: m.yaml:3:1"},
		{"no kind", "kind: tabular, ", "", "YM-MAN-0123: m.yaml:4:1"},
		{"too often", "absent:", "every: 10ms\nabsent:", "YM-MAN-0124: m.yaml:8:1"},
		{"not a duration", "absent:", "every: often\nabsent:", "YM-MAN-0104: m.yaml: cannot be read: time: invalid duration"},
		{"secret", "as_of: modified", "password: x", "YM-MAN-0125: m.yaml:4:61"},
		{"secret in an address", "as_of: modified", "dsn: postgres://u:p@h/d", "YM-MAN-0125"},
		{"encoding", "gb18030", "gbk", "YM-MAN-0131: m.yaml:5:11"},
		{"delimiter", `delimiter: ","`, `delimiter: ", "`, "YM-MAN-0132: m.yaml:5:30"},
		{"columns", "企业名称, 统一社会信用代码]", "企业名称, 企业名称]", "YM-MAN-0133"},
		{"glyph code", "U+E000", "U+4E00", "YM-MAN-0134"},
		{"glyph", "U+E000: 㼆", "U+E000: \ue001", "YM-MAN-0134"},
		{"holder kind", "kind: org", "kind: company", "YM-MAN-0141: m.yaml:6:11"},
		{"division", `["43"]`, `["432"]`, "YM-MAN-0142"},
		{"negative", "rows: 0", "rows: -1", "YM-MAN-0151"},
		{"per cent", "share: 0.1", "share: 5", "YM-MAN-0152: m.yaml:7:13"},
		{"text for a number", "rows: 0", "rows: many", "YM-MAN-0104: m.yaml:7:"},
		{"text for a boolean", "complete: true", "complete: ja", "YM-MAN-0104: m.yaml:4:"},
		{"list for a rule", "name: 企业名称", "name: [企业名称]", "YM-MAN-0104: m.yaml:10:"},
		{"reading", "as: credit-code", "as: creditcode", "YM-MAP-0211: m.yaml:11:3: mapping.creditCode: knows no as: creditcode"},
		{"no mapping", licences[strings.Index(licences, "mapping:"):], "", "YM-MAP-0201"},
		{"indentation", "  name: 企业名称", "\tname: 企业名称", "YM-MAN-0104: m.yaml:10:"},
		{"two documents", "holders:", "---\nholders:", "YM-MAN-0104: m.yaml: cannot be read: more than one document"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(licences, test.old) {
				t.Fatalf("the manifest has no %q", test.old)
			}
			_, err := ParseManifest("dir/m.yaml", []byte(strings.Replace(licences, test.old, test.new, 1)))
			var p *exchange.Problem
			if !errors.As(err, &p) || p.Kind != exchange.Invalid || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v\nwant %s", err, test.want)
			}
			if p.Mend.ZH == "" || p.What.ZH == "" || p.What.EN == p.What.ZH {
				t.Errorf("problem says too little: %+v", p)
			}
		})
	}
}

func TestAllFindingsAtOnce(t *testing.T) {
	_, err := ParseManifest("m.yaml", []byte("adapter: X\nevidence: Y\nsource: {kind: tabular}\nevery: 1ms\nmapping: {a: {column: x, as: nothing}, b: {}}\n"))
	var all Findings
	if !errors.As(err, &all) || len(all) != 5 {
		t.Fatalf("findings %v", err)
	}
	_, err = ParseManifest("m.yaml", []byte("adaptor: X\nevidense: Y\nsource: {kind: tabular, kind: x}\n"))
	if !errors.As(err, &all) || len(all) != 3 {
		t.Fatalf("findings %v", err)
	}
	if zh := all.In(exchange.ZH); !strings.Contains(zh, "是否应为 adapter？") || strings.Count(zh, "\n") != 2 {
		t.Errorf("in Chinese: %s", zh)
	}
}

func TestNotAManifest(t *testing.T) {
	for _, content := range []string{"", "# nothing\n", "- a\n- b\n", "plain", "a: [", "\xc7\xeb: x", "a: *b\n", "<<: {a: b}\n"} {
		if _, err := ParseManifest("m.yaml", []byte(content)); exchange.KindOf(err) != exchange.Invalid {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestLoadManifest(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.yaml")
	if _, err := LoadManifest(path); exchange.KindOf(err) != exchange.NotFound {
		t.Errorf("missing file: %v", err)
	}
	if _, err := LoadManifest(dir); exchange.KindOf(err) != exchange.Invalid {
		t.Errorf("a folder: %v", err)
	}
	if err := os.WriteFile(path, []byte(licences), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := LoadManifest(path)
	if err != nil || m.Path("x.csv") != filepath.Join(dir, "x.csv") || m.Path(path) != path {
		t.Errorf("%v %v", m, err)
	}
}

func TestHashIsOfTheMeaning(t *testing.T) {
	hash := func(old, new string) string {
		t.Helper()
		m, err := ParseManifest("m.yaml", []byte(strings.Replace(licences, old, new, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return m.Hash()
	}
	first := hash("", "")
	for _, same := range [][2]string{{"adapter:", "# a remark\nadapter:"}, {"share: 0.1, rows: 0", "rows: 5"}, {"absent:", "every: 5m\nabsent:"},
		{"name: 企业名称", "name: {column: 企业名称}"}, {"kind: tabular, path: licences.csv", "path: licences.csv, kind: tabular"}} {
		if hash(same[0], same[1]) != first {
			t.Errorf("another hash for %q", same[1])
		}
	}
	seen := map[string]string{first: ""}
	for _, other := range [][2]string{{"name: 企业名称", "name: 字号"}, {"as_of: modified", "as_of: read"}, {"complete: true", "complete: false"},
		{"gb18030", "utf-8"}, {`"N/A"`, `"无"`}, {`["43"]`, `["44"]`}, {"open: true", "open: false"}, {"㼆", "㼇"}, {"{存续: 存续", "{存续: 在业"}} {
		h := hash(other[0], other[1])
		if before, ok := seen[h]; ok {
			t.Errorf("%q has the hash of %q", other[1], before)
		}
		seen[h] = other[1]
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add(licences)
	f.Add("adapter: x/y\nmapping: {a: [b], c: {each: {each: {}}}}\nsource: [1]\n")
	f.Add("a: &x {b: *x}\n<<: *x\n")
	f.Fuzz(func(t *testing.T, content string) {
		m, err := ParseManifest("m.yaml", []byte(content))
		if err == nil {
			m.Hash()
			return
		}
		if exchange.KindOf(err) != exchange.Invalid {
			t.Fatalf("error %v is no Problem of the manifest", err)
		}
	})
}
