package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

// accepted is one row of numbers that must be read as want; refused one that must be refused with the code.
type accepted struct{ in, want string }
type refused struct{ in, code string }

func check(t *testing.T, parse func(string) (string, error), good []accepted, bad []refused) {
	t.Helper()
	for _, row := range good {
		got, err := parse(row.in)
		if err != nil || got != row.want {
			t.Errorf("parse %q = %q, %v; want %q", row.in, got, err, row.want)
		}
	}
	for _, row := range bad {
		got, err := parse(row.in)
		if code := codeOf(err); code != row.code || got != "" {
			t.Errorf("parse %q = %q, code %s (%v); want code %s", row.in, got, code, err, row.code)
		}
		checkSilence(t, row.in, err)
	}
}

func codeOf(err error) string {
	var p *exchange.Problem
	if !errors.As(err, &p) || p.Kind != exchange.Invalid {
		return ""
	}
	return p.Code
}

// checkSilence sees to it that an error shows no piece of the number, in no language, and has all that people need.
func checkSilence(t *testing.T, in string, err error) {
	t.Helper()
	var p *exchange.Problem
	if !errors.As(err, &p) {
		return
	}
	for _, text := range []exchange.Text{p.What, p.Mend} {
		if text.ZH == "" || text.EN == "" {
			t.Errorf("%s: says nothing in a language: %+v", p.Code, text)
		}
	}
	shown := p.In(exchange.EN) + p.In(exchange.ZH) + fmt.Sprintf("%+v", *p)
	shown = strings.ReplaceAll(shown, strings.TrimSuffix(licenceRoot, "."), "") // a constant, no piece of anybody's number
	for _, form := range []string{in, widen(in), strings.ToUpper(in)} {
		for i := 0; i+8 <= len(form); i++ {
			if piece := form[i : i+8]; digitsIn(piece) >= 6 && strings.Contains(shown, piece) {
				t.Errorf("%s: the error shows a piece of its input", p.Code)
			}
		}
	}
}

func digitsIn(s string) (n int) {
	for i := range len(s) {
		if isDigit(s[i]) {
			n++
		}
	}
	return n
}

// widen writes ASCII in full width.
func widen(s string) string {
	return strings.Map(func(r rune) rune {
		if '!' <= r && r <= '~' {
			return r + '！' - '!'
		}
		return r
	}, s)
}

func citizenText(s string) (string, error)  { c, err := ParseCitizen(s); return c.Number(), err }
func creditText(s string) (string, error)   { c, err := ParseCreditCode(s); return c.Number(), err }
func licenceText(s string) (string, error)  { l, err := ParseLicence(s); return l.Number(), err }
func divisionText(s string) (string, error) { d, err := ParseDivision(s); return string(d), err }
func holderText(s string) (string, error) {
	h, err := ParseHolder(s)
	if err != nil {
		return "", err
	}
	return string(h.Kind) + " " + h.Number, nil
}

// bothForms is a made-up citizen number that would pass as a credit code too.
func bothForms(t *testing.T) string {
	t.Helper()
	for serial := range 1000 {
		for day := range 28 {
			n := fmt.Sprintf("430281199001%02d%03d", day+1, serial)
			n += string(rune(CitizenCheck(n)))
			if _, err := ParseCreditCode(n); err == nil {
				return n
			}
		}
	}
	t.Fatal("no citizen number found that passes as a credit code")
	return ""
}

func TestParseHolder(t *testing.T) {
	both := bothForms(t)
	check(t, holderText, []accepted{
		{"430281199001010017", "person 430281199001010017"},
		{"11010519491231002x", "person 11010519491231002X"},
		{"430281900101001", "person 430281199001010017"},
		{both, "person " + both},
		{"91430281000000019c", "org 91430281000000019C"},
		{"934302810000000196", "org 934302810000000196"},
		{"　９１３５０１００Ｍ０００１００Ｙ４３ ", "org 91350100M000100Y43"},
	}, []refused{
		{"", "YM-ID-0101"},
		{"4302811990010100", "YM-ID-0102"},
		{"4302811990010100171", "YM-ID-0102"},
		{"J110101-2010-000001", "YM-ID-0108"},
		{"430281199001010018", "YM-ID-0113"},
		{"430281199013010017", "YM-ID-0112"}, // no such month: still read as a person's
		{"43028119900I010017", "YM-ID-0104"},
		{"430281199001010000", "YM-ID-0106"},
		{"430281901301001", "YM-ID-0112"},
		{"934302810000000195", "YM-ID-0121"},
		{"934302810000000000", "YM-ID-0106"},
		{"11430281006122244L", "YM-ID-0121"},
		{"11370000004503027O", "YM-ID-0104"},
		{"D2143569X", "YM-ID-0123"},
		{"4.30281E+17", "YM-ID-0106"},
	})
	if _, err := ParseHolder("430281199013010017"); !strings.Contains(err.Error(), "citizen number") {
		t.Errorf("a person's number with a slip is explained as something else: %v", err)
	}
	if _, err := ParseHolder("914302810000000190"); !strings.Contains(err.Error(), "credit code") {
		t.Errorf("a company's number with a slip is explained as something else: %v", err)
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		"430281199001010017":   "430281********0017",
		"11010519491231002x":   "110105********002X",
		"４３０２８１ 19900101 0018": "430281********0018", // the check digit is no matter here
		"430281900101001":      "430281******001",
		"91430281000000019C":   "914302********019C",
		"1.2.156.3005.2.11100000MB03271699001.11430281000000019L.20160000001.001.Y": "1.2.156.3005.2.11100000MB03271699001.11430281000000019L.***********.001.*",
		"1.2.156.3005.2.11100000MB03271699001.11430281000000019L.20160000001.001.Z": "******************",
		"":                       "",
		"43028":                  "*****",
		"张三":                     "**",
		"E12345678":              "*********",
		"91430281OOOOOOO19C":     "******************",
		"'430281199001010017":    "******************",
		strings.Repeat("1", 900): "******************",
		"\xff\xfe":               "**",
	} {
		if got := Mask(in); got != want {
			t.Errorf("mask %q = %q, want %q", in, got, want)
		}
	}
}

// Numbers must not slip out by any printing of a value that holds one.
func TestPrintedFormsHideNumbers(t *testing.T) {
	person, _ := ParseCitizen("430281199001010017")
	company, _ := ParseCreditCode("91430281000000019C")
	paper, _ := ParseLicence("1.2.156.3005.2.11100000MB03271699001.11430281000000019L.20160000001.001.Y")
	for secret, value := range map[string]any{"19900101": person, "000000019": company, "20160000001": paper} {
		coded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range []string{fmt.Sprint(value), fmt.Sprintf("%+v %#v %s %q %d %x", value, value, value, value, value, value), string(coded)} {
			if strings.Contains(shown, secret) && !strings.Contains(shown, "11430281"+secret) {
				t.Errorf("%T prints its number", value)
			}
		}
	}
}

// What is normal already is read without a single allocation: parsing happens for every row of every source.
func TestNormalNumbersAllocateNothing(t *testing.T) {
	for name, parse := range map[string]func(){
		"citizen": func() { ParseCitizen("430281199001010017") },
		"credit":  func() { ParseCreditCode("91350100M000100Y43") },
		"licence": func() {
			ParseLicence("1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U")
		},
		"person":       func() { ParseHolder("430281199001010017") },
		"organisation": func() { ParseHolder("934302810000000196") },
	} {
		if n := testing.AllocsPerRun(20, parse); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"430281199001010017", "430281900101001", "11010519491231002x", "91350100M000100Y43", "D2143569X", "430281", "4.30281E+17",
		"1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M",
		"1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9", "1.2.156.3005.2.....", "='\"\u200b\xff×х－、", "４３０２８１　1990 0101\u00a00017",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		Mask(s)
		for _, parse := range []func(string) (string, error){citizenText, creditText, licenceText, divisionText} {
			n, err := parse(s)
			if err != nil {
				if codeOf(err) == "" {
					t.Fatalf("error of an unknown kind: %v", err)
				}
				checkSilence(t, s, err)
				continue
			}
			if again, err := parse(n); err != nil || again != n {
				t.Fatalf("parse of a parsed number = %q, %v; want %q", again, err, n)
			}
		}
		if h, err := ParseHolder(s); err != nil {
			checkSilence(t, s, err)
		} else if again, err := ParseHolder(h.Number); err != nil || again != h {
			t.Fatalf("the holder of a holder's number = %v, %v; want %v", again, err, h)
		}
	})
}

// Any change of one character of a valid number is refused.
func FuzzOneCharacterChanged(f *testing.F) {
	f.Add("43028119900101001", byte(3), byte(7))
	f.Add("11010519491231002", byte(17), byte(1))
	f.Add("91350100M000100Y4", byte(8), byte(29))
	f.Add("1143028100000001900101600000010010", byte(30), byte(35))
	f.Fuzz(func(t *testing.T, body string, at, by byte) {
		if n := body + string(rune(CitizenCheck(body))); CitizenCheck(body) != 0 {
			changedIsRefused(t, citizenText, n, at, by)
		}
		if n := body + string(rune(CreditCodeCheck(body))); CreditCodeCheck(body) != 0 {
			changedIsRefused(t, creditText, n, at, by)
		}
		if serial := strings.ReplaceAll(body, ".", ""); serial != "" && LicenceCheck(serial) != 0 {
			body := "11100000MB03271699001.11430281000000019L." + serial + ".001"
			changedIsRefused(t, licenceText, licenceRoot+body+"."+string(rune(LicenceCheck(body))), at, by)
		}
	})
}

func changedIsRefused(t *testing.T, parse func(string) (string, error), n string, at, by byte) {
	t.Helper()
	if _, err := parse(n); err != nil {
		return // not valid for another reason, such as its date
	}
	i, c := int(at)%len(n), licenceAlphabet[int(by)%len(licenceAlphabet)]
	if n[i] == c {
		return
	}
	if _, err := parse(n[:i] + string(rune(c)) + n[i+1:]); err == nil {
		t.Fatalf("a changed character at place %d passes", i+1)
	}
}

func BenchmarkParse(b *testing.B) {
	for name, in := range map[string]string{
		"citizen": "430281199001010017", "citizen-x": "43028119900101005x", "citizen-wrong": "430281199001010018",
		"organisation": "91350100M000100Y43", "organisation-digits": "934302810000000196",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ParseHolder(in)
			}
		})
	}
	b.Run("licence", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ParseLicence("1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U")
		}
	})
}

func TestTypingErrorInACitizenNumberMakesNoCompany(t *testing.T) {
	const typo = "430281197509051163" // its last digit is wrong for a citizen and right for a credit code of no province
	if _, err := ParseCreditCode(typo); err != nil {
		t.Fatalf("the example is no credit code any more: %v", err)
	}
	if holder, err := ParseHolder(typo); err == nil {
		t.Errorf("read as %s", holder.Kind)
	}
}
