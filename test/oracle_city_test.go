package test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// line is one row of a register with its three spellings.
type line struct {
	sound, spoilt, worse []byte        // as the three cities write it
	cells                []string      // of the sound row
	clean, bad, badder   *demo.Holding // what that means; nil where the demo does not tell: a mortgage held by a bank

	now   []byte        // as it stands in the file today; nil: not there
	says  *demo.Holding // what now means
	holds *demo.Holding // what the keeper last said that could be read; nil: no record stands
}

// file is a department's export with what its manifest declares.
type file struct {
	demo.Tally
	manifest *adapters.Manifest
	path     string
	header   []byte
	lines    []*line
	exported time.Time // of the last export that was read to its end
	upTo     time.Time // vouched for
}

func (f *file) gb() bool { return f.manifest.Dialect.Encoding == "gb18030" }

// cells takes a row apart.
func (f *file) cells(t testing.TB, raw []byte) []string {
	t.Helper()
	if f.gb() {
		raw, _ = simplifiedchinese.GB18030.NewDecoder().Bytes(raw)
	}
	in := csv.NewReader(bytes.NewReader(raw))
	in.Comma, in.LazyQuotes = rune(f.manifest.Dialect.Delimiter[0]), true
	cells, err := in.Read()
	if err != nil {
		t.Fatal(err)
	}
	return cells
}

// with is the row with another value in one column.
func (f *file) with(t testing.TB, raw []byte, column, value string) []byte {
	t.Helper()
	cells := f.cells(t, raw)
	at := slices.Index(f.manifest.Dialect.Columns, column)
	if at < 0 {
		t.Fatalf("%s has no column %s", f.File, column)
	}
	cells[at] = value
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	out.Comma = rune(f.manifest.Dialect.Delimiter[0])
	out.UseCRLF = bytes.HasSuffix(raw, []byte("\r\n"))
	if err := errors.Join(out.Write(cells), func() error { out.Flush(); return out.Error() }()); err != nil {
		t.Fatal(err)
	}
	if !f.gb() {
		return b.Bytes()
	}
	encoded, err := simplifiedchinese.GB18030.NewEncoder().Bytes(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// export writes the file as of that moment, cut off after a share of its rows where share is below 1.
func (f *file) export(t testing.TB, at time.Time, share float64) {
	t.Helper()
	content := slices.Clone(f.header)
	for _, l := range f.lines[:int(share*float64(len(f.lines)))] {
		content = append(content, l.now...)
	}
	if err := errors.Join(os.WriteFile(f.path, content, 0o600), os.Chtimes(f.path, at, at)); err != nil {
		t.Fatal(err)
	}
}

// read is what the exchange may know after the export was read: a sound row is what stands; a bad row leaves
// standing what was said before; a row that is gone from a complete file is a record no more.
func (f *file) read(exported time.Time) {
	f.exported, f.upTo = exported, exported
	for _, l := range f.lines {
		switch {
		case l.clean == nil || l.now != nil && l.says.Spoilt != "":
		case l.now != nil && l.holds != l.says:
			l.holds = l.says
		case l.now == nil && !f.Partial:
			l.holds = nil
		}
	}
}

// bad counts the rows in quarantine, and those of them that no longer name all their holders. What became of the rows of
// banks is told by no one: they stay as they were on the first day.
func (f *file) bad() (rows, nameless int64) {
	rows, nameless = int64(f.Bad()), int64(f.Nameless)
	for _, l := range f.lines {
		if l.clean == nil {
			continue
		}
		for _, c := range []struct {
			*demo.Holding
			sign int64
		}{{l.bad, -1}, {l.says, 1}} {
			if c.Holding == nil || c.Spoilt == "" {
				continue
			}
			rows += c.sign
			if len(c.Named) < len(c.Holders) {
				nameless += c.sign
			}
		}
	}
	return rows, nameless
}

// load puts the three spellings of each row together with what they mean.
func (f *file) load(t testing.TB, dirs [3]string, holdings [3]map[string]*demo.Holding) {
	t.Helper()
	var rows [3][][]byte
	for i, dir := range dirs {
		content, err := os.ReadFile(filepath.Join(dir, f.File))
		if err != nil {
			t.Fatal(err)
		}
		rows[i] = bytes.SplitAfter(content, []byte("\n"))
	}
	if len(rows[0]) != f.Rows+2 || len(rows[1]) != len(rows[0]) || len(rows[2]) != len(rows[0]) {
		t.Fatalf("%s: %d, %d and %d lines for %d rows", f.File, len(rows[0]), len(rows[1]), len(rows[2]), f.Rows)
	}
	f.header = rows[1][0]
	for i := 1; i <= f.Rows; i++ {
		l := &line{sound: rows[0][i], spoilt: rows[1][i], worse: rows[2][i]}
		l.cells = f.cells(t, l.sound)
		natural := string(f.Type) + f.natural(l.cells)
		l.clean, l.bad, l.badder = holdings[0][natural], holdings[1][natural], holdings[2][natural]
		if l.clean == nil && f.Type != "property-registration" {
			t.Fatalf("%s line %d: nobody's row", f.File, i+1)
		}
		l.now, l.says = l.spoilt, l.bad
		f.lines = append(f.lines, l)
	}
}

// natural is the number that tells certificates of the type apart. Some have none of their own but their holder's.
func (f *file) natural(cells []string) string {
	of, own := map[exchange.EvidenceType]int{"household-registration": 0, "residence-permit": 0, "social-insurance": 0, "business-licence": 1}[f.Type]
	if !own {
		return cells[0]
	}
	number := strings.ToUpper(strings.TrimSpace(strings.Map(func(r rune) rune {
		if r > '\uff00' && r < '\uff5f' {
			return r - 0xfee0
		}
		return r
	}, cells[of])))
	if len(number) == 15 {
		number = number[:6] + "19" + number[6:]
		number += string(identity.CitizenCheck(number))
	}
	if f.Type == "residence-permit" || f.Type == "social-insurance" {
		number += "430281"
	}
	return number
}

// change is what becomes of a sound row on the second day.
type change struct {
	column, value string
	status        exchange.Status // what the value means; empty: it is the number of another holder
}

// changes are the edits a department makes to some of its rows. Files that lose rows get none whose record cannot be told: one
// such row would leave open which of the missing it is.
var changes = map[exchange.EvidenceType][]change{
	"business-licence":       {{"登记状态", "吊销", exchange.Revoked}, {"登记状态", "歇业", exchange.Suspended}},
	"property-title":         {{"证照状态", "3", exchange.Suspended}, {"证照状态", "2", exchange.Revoked}},
	"health-certificate":     {{"状态", "撤销", exchange.Revoked}, {"身份证号", "", ""}},
	"driving-licence":        {{"驾驶证状态", "暂扣", exchange.Suspended}, {"身份证明号码", "", ""}},
	"marriage-certificate":   {{"婚姻状态", "已离婚", exchange.Revoked}},
	"household-registration": {{"户籍状态", "迁出", exchange.Superseded}},
	"food-licence":           {{"许可状态", "暂扣", exchange.Suspended}},
	"property-registration":  {{"状态", "注销", exchange.Revoked}},
}

// rewrite is the second day of a file: some rows are mended, some newly spoilt, some changed, some gone.
func (f *file) rewrite(t testing.TB, people []exchange.Holder, count map[string]int) {
	edits := changes[f.Type]
	for i, l := range f.lines {
		if l.clean == nil {
			continue
		}
		switch {
		case l.bad.Spoilt != "" && i%2 == 0:
			l.now, l.says = l.sound, l.clean
			count["mended"]++
		case l.bad.Spoilt != "":
		case l.badder.Spoilt != "" && f.recordTold(t, l):
			l.now, l.says = l.worse, l.badder
			count["newly spoilt"]++
		case l.badder.Spoilt != "":
		case len(edits) > 0 && i%23 == 5:
			l.edit(t, f, edits[i/23%len(edits)], people[i%len(people)])
			count["changed"]++
		case len(edits) > 0 && !f.Partial && i%29 == 7:
			l.now, l.says = nil, nil
			count["gone"]++
		}
	}
}

func (l *line) edit(t testing.TB, f *file, c change, other exchange.Holder) {
	says := *l.clean
	if c.status == "" {
		c.value, says.Holders = other.Number, []exchange.Holder{other}
		says.Named = says.Holders
	} else {
		says.Status = c.status
	}
	l.now, l.says = f.with(t, l.sound, c.column, c.value), &says
}

// recordTold says whether the spoilt row still tells which record it is.
func (f *file) recordTold(t testing.TB, l *line) bool {
	switch l.badder.Spoilt {
	case demo.WrongCheck, demo.Rounded:
		return f.natural([]string{"number", "number"}) == "number" // a certificate number of its own
	case demo.CutOff:
		return f.Type != "driving-licence" // its file number can be cut off
	case demo.Missing:
		return f.cells(t, l.worse)[0] != ""
	}
	return true
}

// amend changes the file's manifest.
func (f *file) amend(t testing.TB, what *regexp.Regexp, to string) {
	t.Helper()
	path := strings.TrimSuffix(f.path, ".csv") + ".yaml"
	content, err := os.ReadFile(path)
	if err != nil || !what.Match(content) {
		t.Fatalf("amend %s: %v", f.Adapter, err)
	}
	write(t, path, what.ReplaceAllString(string(content), to))
	if f.manifest, err = adapters.LoadManifest(path); err != nil {
		t.Fatal(err)
	}
}
