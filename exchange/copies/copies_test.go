package copies

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/ofd"
)

const (
	citizen = "430281199001010017" // a made-up person
	address = "醴陵市示例路3号1栋1单元501室"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, exchange.China)

// press has keys that follow from a seed.
func press(seed byte) *Press {
	keys := Keys{Signature: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)), Codes: bytes.Repeat([]byte{seed}, 32)}
	return NewPress(func(context.Context) (Keys, error) { return keys, nil }, nil)
}

// sample is a copy of a made-up title.
func sample() Copy {
	return Copy{Type: "property-title", Name: "不动产权证书", TypeCode: "11100000MB03271699001", Holder: "430281********0017",
		Fields: []Field{{"不动产权证号", "湘(2008)醴陵市不动产权第0000001号"}, {"坐落", address}},
		Keeper: "市自然资源和规划局", AsOf: noon.Add(-time.Hour), Until: "", Assurance: exchange.AssuranceA,
		Use: "办理事项：购房落户；收件号：LL-2026-1123-0041", Department: "xzsp", Asker: "市行政审批服务局", Made: noon, Expires: noon.AddDate(0, 0, 30),
		Receipt: audit.Receipt{ID: "01KAQ6M3K8ZD2W7N5YB4T9XE1C", Time: noon.UTC(), Hash: strings.Repeat("ab", 32)}}
}

func printed(t testing.TB, p *Press, c Copy) []byte {
	t.Helper()
	file, err := p.Print(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// The same copy is the same file. What it says stands in it, long or short.
func TestPrintIsTheSame(t *testing.T) {
	c := sample()
	c.Code = "YM1.AAAA"
	first := printed(t, press(1), c)
	if !bytes.Equal(first, printed(t, press(1), c)) {
		t.Error("another file the second time")
	}
	c.Until, c.TypeCode, c.Assurance, c.Code = "2026-12-31", "", "", ""
	files, err := ofd.Unpack(printed(t, press(1), c))
	if err != nil {
		t.Fatal(err)
	}
	says := string(files[1].Content)
	for _, want := range []string{"证照有效期至", "2026-12-31", "市自然资源和规划局", "仅用于：", "非证照原件"} {
		if !strings.Contains(says, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for _, none := range []string{"可信等级", "证照类型代码", "查询码", "记录未载明"} {
		if strings.Contains(says, none) {
			t.Errorf("it says %q", none)
		}
	}
}

// Rows go on to further pages, each with its foot and watermark and nothing outside of it; what fills too many is refused.
func TestPages(t *testing.T) {
	c := sample()
	for range 100 {
		c.Fields = append(c.Fields, Field{"一个名称很长很长很长很长的字段", strings.Repeat("一个很长的值，", 20)})
	}
	d, err := c.document()
	if err != nil || len(d.Pages) < 8 {
		t.Fatalf("%d pages, %v", len(d.Pages), err)
	}
	values := 0
	for i, p := range d.Pages {
		for _, text := range p.Texts {
			if strings.HasPrefix(text.Says, "一个很长的值，") && text.X == valueAt {
				values++
			}
			if text.X < left || text.X+ofd.Measure(text.Says, text.Size) > right+1 || text.Y < top-1 || text.Y > bottom+12 {
				t.Errorf("page %d: %q stands outside", i+1, text.Says)
			}
		}
		if last := p.Texts[len(p.Texts)-1].Says; len(p.Background) == 0 || last != fmt.Sprintf("第 %d 页，共 %d 页", i+1, len(d.Pages)) {
			t.Errorf("page %d has the foot %q and %d lines of watermark", i+1, last, len(p.Background))
		}
	}
	if values < 100 {
		t.Errorf("%d values of 100 begin somewhere", values)
	}
	c.Fields = append(c.Fields, Field{"附记", strings.Repeat("很长", 40_000)})
	if _, err := press(1).Print(t.Context(), c); !tooMuch(err) {
		t.Errorf("of too many pages: %v", err)
	}
}

// Whatever a record holds, no more of it is laid out than a copy can show.
func TestHostileValuesEndEarly(t *testing.T) {
	const most = 16 << 20 // laid out whole, some of them took ten times as much
	for name, value := range map[string]string{"lines": strings.Repeat("a\n", 250_000), "selectors": strings.Repeat("\U000e0100", 250_000),
		"selectors apart": strings.Repeat("\U000e0100a", 200_000), "marks": "x" + strings.Repeat("\u0301", 300_000), "rare characters": strings.Repeat("𠮷", 250_000), "one word": strings.Repeat("a", 1_000_000)} {
		c := sample()
		c.Fields = append(c.Fields, Field{"附记", value})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := press(1).Print(t.Context(), c)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; !tooMuch(err) || used > most {
			t.Errorf("%s: %d MiB, %v", name, used>>20, err)
		}
	}
}

func tooMuch(err error) bool {
	var p *exchange.Problem
	return errors.As(err, &p) && p.Code == "YM-CPY-0101"
}

func TestCheck(t *testing.T) {
	file := printed(t, press(1), sample())
	finding, seal, err := press(1).Check(t.Context(), file)
	if finding != Genuine || err != nil || seal.Receipt.ID != sample().Receipt.ID || seal.Type != "property-title" || seal.Department != "xzsp" || !seal.Expires.Equal(sample().Expires) {
		t.Fatalf("%v %+v %v", finding, seal, err)
	}
	if finding, _, _ := press(2).Check(t.Context(), file); finding != Foreign {
		t.Errorf("another exchange finds it %v", finding)
	}
	for name, test := range map[string]struct {
		change func([]ofd.File) []ofd.File
		want   Finding
	}{
		"a page":         {func(f []ofd.File) []ofd.File { f[1].Content = append(f[1].Content, ' '); return f }, Changed},
		"a file more":    {func(f []ofd.File) []ofd.File { return append([]ofd.File{{Name: "Doc_0/More.xml"}}, f...) }, Changed},
		"a file less":    {func(f []ofd.File) []ofd.File { return f[1:] }, Changed},
		"another order":  {func(f []ofd.File) []ofd.File { f[0], f[1] = f[1], f[0]; return f }, Changed},
		"spaces":         {func(f []ofd.File) []ofd.File { return resealed(f, `"format":`, `"format": `) }, Changed},
		"the seal alone": {func(f []ofd.File) []ofd.File { return f[len(f)-1:] }, Changed},
		// What the exchange did not sign it has not signed, whatever it says of itself.
		"another time": {func(f []ofd.File) []ofd.File { return resealed(f, "2026-12-23", "2027-12-23") }, Foreign},
		"another receipt": {func(f []ofd.File) []ofd.File {
			return resealed(f, "01KAQ6M3K8ZD2W7N5YB4T9XE1C", "01KAQ6M3K8ZD2W7N5YB4T9XE1D")
		}, Foreign},
		"another signature": {func(f []ofd.File) []ofd.File { return resealed(f, `"signature":"`, `"signature":"AAAA`) }, Foreign},
		"no signature":      {func(f []ofd.File) []ofd.File { return resealed(f, `"signature"`, `"Signature"`) }, Foreign},
		"wholly forged":     {func([]ofd.File) []ofd.File { return forged(t, seal.Key) }, Foreign},
	} {
		files, err := ofd.Unpack(file)
		if err != nil {
			t.Fatal(err)
		}
		changed, err := ofd.Pack(test.change(files))
		if err != nil {
			t.Fatal(err)
		}
		if finding, seal, err := press(1).Check(t.Context(), changed); finding != test.want || err != nil || seal.Signature != nil {
			t.Errorf("%s: %v, %v", name, finding, err)
		}
	}
	if finding, _, _ := press(1).Check(t.Context(), append(make([]byte, MaxFile), file...)); finding != Foreign {
		t.Errorf("too large: %v", finding)
	}
}

// forged are the files of somebody else's press, whose seal bears the name of the exchange's key: every genuine copy tells it.
func forged(t *testing.T, key string) []ofd.File {
	t.Helper()
	c := sample()
	c.Fields[0].Value = "湘(2026)醴陵市不动产权第0000009号"
	files, err := ofd.Unpack(printed(t, press(9), c))
	if err != nil {
		t.Fatal(err)
	}
	last := &files[len(files)-1]
	s, err := readSeal(last.Content)
	if err != nil {
		t.Fatal(err)
	}
	s.Key = key
	if last.Content, err = s.spell(); err != nil {
		t.Fatal(err)
	}
	return files
}

// resealed is a copy's files with something else in the seal.
func resealed(files []ofd.File, from, to string) []ofd.File {
	last := &files[len(files)-1]
	last.Content = []byte(strings.Replace(string(last.Content), from, to, 1))
	return files
}

// Whatever bit of a copy is turned, it is not genuine any more.
func TestWhateverIsChangedOfACopyShows(t *testing.T) {
	p, file := press(1), printed(t, press(1), sample())
	step := max(1, len(file)/1500)
	for at := 0; at < len(file); at += step {
		for _, bit := range []byte{1, 0x80} {
			file[at] ^= bit
			if finding, _, err := p.Check(t.Context(), file); finding == Genuine || err != nil {
				t.Errorf("byte %d, bit %x: %v, %v", at, bit, finding, err)
			}
			file[at] ^= bit
		}
	}
	for _, tail := range [][]byte{{0}, []byte("%PDF"), file} {
		if finding, _, _ := p.Check(t.Context(), append(bytes.Clone(file), tail...)); finding == Genuine {
			t.Errorf("with %d bytes behind it is genuine", len(tail))
		}
		if finding, _, _ := p.Check(t.Context(), append(bytes.Clone(tail), file...)); finding == Genuine {
			t.Errorf("with %d bytes before it is genuine", len(tail))
		}
	}
}

// Only what was printed is genuine.
func FuzzCheck(f *testing.F) {
	p, file := press(1), printed(f, press(1), sample())
	f.Add(file)
	f.Add([]byte("%PDF-1.7"))
	f.Add([]byte("PK\x05\x06"))
	if files, err := ofd.Unpack(file); err == nil {
		seal, _ := ofd.Pack(files[len(files)-1:])
		f.Add(seal)
	}
	f.Fuzz(func(t *testing.T, other []byte) {
		if finding, _, err := p.Check(t.Context(), other); err != nil || (finding == Genuine) != bytes.Equal(other, file) {
			t.Errorf("%v, %v", finding, err)
		}
	})
}

// A seal is read only if it is written as the exchange writes it.
func FuzzSeal(f *testing.F) {
	files, err := ofd.Unpack(printed(f, press(1), sample()))
	if err != nil {
		f.Fatal(err)
	}
	seal := files[len(files)-1].Content
	keys, _ := press(1).keys(f.Context())
	f.Add(seal)
	f.Add([]byte(`{"format":"yimen copy v1"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, spelt []byte) {
		s, err := readSeal(spelt)
		if err == nil && (s.signedBy(keys.Signature.Public().(ed25519.PublicKey)) && s.writtenSo(spelt)) != bytes.Equal(spelt, seal) {
			t.Errorf("%q holds", spelt)
		}
	})
}
