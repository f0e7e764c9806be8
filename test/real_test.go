package test

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
)

// realData is where the real registrations lie beside a checkout; they are test data and never part of the project.
const realData = "../../shared/data/real"

var afternoon = time.Date(2026, 11, 23, 15, 0, 0, 0, exchange.China)

// realPlace is an exchange with the example manifests and the real files, exported at its time.
func realPlace(t *testing.T, brokers ...string) *place {
	t.Helper()
	if _, err := os.Stat(realData); err != nil {
		t.Skip("skipped: the real registrations are not beside this checkout")
	}
	dir := t.TempDir()
	for _, name := range []string{"hunan-companies.csv", "hunan-companies.gb18030.csv"} {
		copyFile(t, filepath.Join(realData, name), filepath.Join(dir, name))
	}
	for _, name := range []string{"manifest.yaml", "manifest.gb18030.yaml"} {
		copyFile(t, filepath.Join("../adapters/examples/hunan-companies", name), filepath.Join(dir, name))
	}
	return open(t, dir, afternoon, nil, brokers...)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(content))
	if err := os.Chtimes(to, afternoon, afternoon); err != nil {
		t.Fatal(err)
	}
}

// rows reads a file of the real data without any of the project's own code.
func rows(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join(realData, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := csv.NewReader(f)
	header, err := in.Read()
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]string
	for {
		record, err := in.Read()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for i, value := range record {
			row[header[i]] = value
		}
		all = append(all, row)
	}
}

func TestRealRegistrations(t *testing.T) {
	p := realPlace(t)
	all := rows(t, "hunan-companies.csv")
	result := p.publish(filepath.Join(p.dir, "manifest.yaml"))
	t.Logf("%+v", result)
	if result.Read != 15329 || len(all) != 15329 {
		t.Errorf("read %d rows and %d, want 15329", result.Read, len(all))
	}
	if result.Published+result.Quarantined != result.Read {
		t.Errorf("%d published and %d in quarantine are not all of %d", result.Published, result.Quarantined, result.Read)
	}
	first := payloads(t, p)
	if n := quarantineIsTrue(t, p, all); int64(n) != result.Quarantined {
		t.Errorf("%d rows lie in quarantine, %d were counted", n, result.Quarantined)
	}
	capitalIsRight(t, first, all)

	twin := realPlace(t)
	if again := twin.publish(filepath.Join(twin.dir, "manifest.gb18030.yaml")); again.Published != result.Published || again.Quarantined != result.Quarantined {
		t.Errorf("the GB18030 twin gives %+v", again)
	}
	second := payloads(t, twin)
	if len(first) != len(second) {
		t.Errorf("%d records and %d", len(first), len(second))
	}
	for code, payload := range first {
		if second[code] != payload {
			t.Errorf("the twins differ in one record")
			break
		}
	}

	for _, row := range rows(t, "liling-companies.csv") {
		conclusion := p.ask("food-licence-new", row["统一社会信用代码"])
		if a := answer(t, conclusion, "business-licence"); a.Outcome != exchange.Held {
			t.Errorf("a company of Liling: %s %s", a.Outcome, a.Reason)
		}
	}
	if a := answer(t, p.ask("food-licence-new", "91430281000000019C"), "business-licence"); a.Outcome != exchange.Supply || a.Reason != exchange.NotHeld {
		t.Errorf("a company that is not there: %s %s", a.Outcome, a.Reason)
	}
	if a := answer(t, p.ask("food-licence-new", "91350100M000100Y43"), "business-licence"); a.Outcome != exchange.Unknown || a.Reason != exchange.CoverageIncomplete {
		t.Errorf("a company of another province: %s %s", a.Outcome, a.Reason)
	}
	if again := p.publish(filepath.Join(p.dir, "manifest.yaml")); !again.Skipped {
		t.Errorf("the same file again: %+v", again)
	}
}

// payloads are the records by credit code.
func payloads(t *testing.T, p *place) map[string]string {
	t.Helper()
	of := map[string]string{}
	for _, o := range p.records("business-licence") {
		var company struct{ CreditCode string }
		if err := json.Unmarshal(o.Payload, &company); err != nil {
			t.Fatal(err)
		}
		of[company.CreditCode] = string(o.Payload)
	}
	return of
}

// quarantineIsTrue checks each quarantined row against the file itself: the fault named must be there. It counts them.
func quarantineIsTrue(t *testing.T, p *place, all []map[string]string) int {
	t.Helper()
	key := p.departmentKey("scjg")
	manifest, err := adapters.LoadManifest(filepath.Join(p.dir, "manifest.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	in, err := adapters.ReadQuarantine(filepath.Join(p.dir, "adapters", filepath.FromSlash(string(manifest.Adapter))), key)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range in {
		if code := q.Faults[0].Code; len(q.Faults) != 1 || code != "YM-ENC-0301" {
			t.Errorf("line %d: %s %s: is that true of the row?", q.Line, code, q.Faults[0].What.EN)
		}
		whole := strings.Join(slices.Collect(maps.Values(all[q.Line-2])), "")
		if !strings.ContainsFunc(whole, func(r rune) bool { return unicode.In(r, unicode.Co) }) {
			t.Errorf("line %d is said to hold a private-use character and does not", q.Line)
		}
	}
	return len(in)
}

var figure = regexp.MustCompile(`^([0-9,]+(?:\.[0-9]+)?)\(?(万)?`)

// capitalIsRight computes every capital a second way, by rational numbers, and compares.
func capitalIsRight(t *testing.T, records map[string]string, all []map[string]string) {
	t.Helper()
	wrong, some := 0, 0
	for _, row := range all {
		payload, published := records[row["统一社会信用代码"]]
		if !published {
			continue
		}
		var company struct {
			Capital *struct{ Amount, Currency string }
		}
		if err := json.Unmarshal([]byte(payload), &company); err != nil {
			t.Fatal(err)
		}
		text := row["注册资金"]
		if text == "N/A" {
			if company.Capital != nil {
				wrong++
			}
			continue
		}
		some++
		parts := figure.FindStringSubmatch(text)
		want, ok := new(big.Rat).SetString(strings.ReplaceAll(parts[1], ",", ""))
		if !ok {
			t.Fatal("the test cannot read a figure")
		}
		if parts[2] != "" {
			want.Mul(want, big.NewRat(10000, 1))
		}
		currency := "CNY"
		for word, code := range map[string]string{"美元": "USD", "港币": "HKD"} {
			if strings.Contains(text, word) {
				currency = code
			}
		}
		got, ok := new(big.Rat), false
		if company.Capital != nil {
			got, ok = new(big.Rat).SetString(company.Capital.Amount)
		}
		if !ok || got.Cmp(want) != 0 || company.Capital.Currency != currency {
			wrong++
		}
	}
	if wrong > 0 || some == 0 {
		t.Errorf("%d of %d capital figures are wrong", wrong, some)
	}
}
