package tabular

import (
	"context"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/adapters/mapping"
)

const (
	realData = "../../../shared/data/real"
	examples = "../examples/hunan-companies"
)

// readReal reads one of the twins with its example manifest.
func readReal(t *testing.T, manifest, file string) (*adapters.Manifest, []adapters.Row) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(realData, file))
	if err != nil {
		t.Skipf("the real data is not here: %v", err)
	}
	dir := t.TempDir()
	content, err := os.ReadFile(filepath.Join(examples, manifest))
	if err != nil {
		t.Fatal(err)
	}
	m, err := adapters.ParseManifest(filepath.Join(dir, manifest), content)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := New(m, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var rows []adapters.Row
	reading, err := s.Read(context.Background(), nil, func(r adapters.Row) error {
		r.Values = slices.Clone(r.Values)
		rows = append(rows, r)
		return nil
	})
	if err != nil || !reading.Complete {
		t.Fatalf("%+v %v", reading, err)
	}
	return m, rows
}

func TestRealTwinsAreEqual(t *testing.T) {
	_, utf8Rows := readReal(t, "manifest.yaml", "hunan-companies.csv")
	_, gbRows := readReal(t, "manifest.gb18030.yaml", "hunan-companies.gb18030.csv")
	if len(utf8Rows) != 15329 || len(gbRows) != 15329 {
		t.Fatalf("%d and %d rows, want 15,329", len(utf8Rows), len(gbRows))
	}
	damaged := 0
	for i, a := range utf8Rows {
		b := gbRows[i]
		if a.Line != i+2 || b.Line != a.Line || !slices.Equal(a.Values, b.Values) {
			t.Fatalf("lines %d and %d differ", a.Line, b.Line)
		}
		if (a.Damage == nil) != (b.Damage == nil) {
			t.Fatalf("line %d: damage %v and %v", a.Line, a.Damage, b.Damage)
		}
		if a.Damage == nil {
			continue
		}
		damaged++
		if a.Damage.Code != "YM-ENC-0301" || b.Damage.Code != "YM-ENC-0301" || !strings.Contains(strings.Join(a.Values, ""), "\ue000") {
			t.Errorf("line %d: damage %v and %v", a.Line, a.Damage, b.Damage)
		}
	}
	if damaged != 2 {
		t.Errorf("%d rows with private-use characters, want 2", damaged)
	}
}

// capital is the column of money read by another way: one regular expression and rational arithmetic.
var capital = regexp.MustCompile(`^([0-9,]+(?:\.[0-9]+)?)\(?(万?)(元人民币|人民币元|人民币|美元|港币|元)?\)?$`)

func secondOpinion(t *testing.T, cell string) (amount *big.Rat, currency string) {
	t.Helper()
	m := capital.FindStringSubmatch(cell)
	if m == nil {
		t.Fatal("a form of money that the second opinion does not know")
	}
	amount, _ = new(big.Rat).SetString(strings.ReplaceAll(m[1], ",", ""))
	if m[2] != "" {
		amount.Mul(amount, big.NewRat(10000, 1))
	}
	currency = "CNY"
	if m[3] == "美元" {
		currency = "USD"
	} else if m[3] == "港币" {
		currency = "HKD"
	}
	return amount, currency
}

func TestRealRowsMap(t *testing.T) {
	m, rows := readReal(t, "manifest.yaml", "hunan-companies.csv")
	rules, err := mapping.Compile(m.Mapping, m.Absent)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(rows[0].Columns, "注册资金")
	faults, money := map[string]int{}, map[string]int{}
	for _, row := range rows {
		doc, wrong := rules.Apply(row.Columns, row.Values)
		for _, f := range wrong {
			faults[f.Code]++
		}
		cell := row.Values[at]
		got, ok := doc["capital"].(map[string]any)
		if cell == "N/A" {
			if ok {
				t.Errorf("line %d has capital", row.Line)
			}
			continue
		}
		amount, currency := secondOpinion(t, cell)
		read, _ := new(big.Rat).SetString(got["amount"].(string))
		if read.Cmp(amount) != 0 || got["currency"] != currency {
			t.Errorf("line %d: money differs", row.Line)
		}
		money[currency]++
	}
	t.Logf("money %v, faults %v", money, faults)
	if money["CNY"]+money["USD"]+money["HKD"] != 15329-5669 || money["USD"] != 88 || money["HKD"] != 13 {
		t.Errorf("money %v", money)
	}
	for code := range faults {
		if !strings.HasPrefix(code, "YM-ID-") {
			t.Errorf("%d faults %s", faults[code], code)
		}
	}
}

// The two example manifests differ in nothing but the file and its encoding.
func TestExampleManifests(t *testing.T) {
	texts := map[string]string{}
	for _, name := range []string{"manifest.yaml", "manifest.gb18030.yaml"} {
		m, err := adapters.LoadManifest(filepath.Join(examples, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(m, time.Now); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(examples, name))
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(content)
	}
	same := strings.NewReplacer("UTF-8", "GB18030", "hunan-companies.csv", "hunan-companies.gb18030.csv", "encoding: utf-8", "encoding: gb18030")
	if same.Replace(texts["manifest.yaml"]) != texts["manifest.gb18030.yaml"] {
		t.Error("the manifests of the twins differ in more than file and encoding")
	}
}
