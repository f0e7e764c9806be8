package gate

import (
	"regexp"
	"testing"
)

// TestFormats: our own formats want the one normal spelling.
func TestFormats(t *testing.T) {
	checks := ownFormats()
	for _, c := range []struct {
		format, value string
		ok            bool
	}{
		{FormatCitizen, "11010519491231002X", true},
		{FormatCitizen, "11010519491231002x", false},
		{FormatCitizen, "110105194912310021", false},
		{FormatCitizen, "110105491231002", false},
		{FormatCitizen, " 11010519491231002X", false},
		{FormatCitizen, "１１010519491231002X", false},
		{FormatCitizen, "", false},
		{FormatCredit, "91350100M000100Y43", true},
		{FormatCredit, "91350100m000100y43", false},
		{FormatCredit, "91350100M000100Y44", false},
		{FormatCredit, "11010519491231002X", false},
		{FormatHolder, "91350100M000100Y43", true},
		{FormatHolder, "11010519491231002X", true},
		{FormatHolder, "440524188001010014", true},
		{FormatHolder, "440524188001010015", false},
		{FormatHolder, "E00000000", false},
		{FormatLicence, "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.002.S", true},
		{FormatLicence, "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9", true},
		{FormatLicence, "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.002.T", false},
		{FormatLicence, "11100000000013338W011.11430000006122244L.20230000403.002.S", false},
		{FormatDivision, "430281", true},
		{FormatDivision, "4302811", false},
		{FormatDivision, "000000", false},
	} {
		if err := checks[c.format](c.value); (err == nil) != c.ok {
			t.Errorf("%s of %q: %v", c.format, c.value, err)
		}
	}
}

// TestRowsAreRegularExpressions: the quick matcher says what the regular expression says.
func TestRowsAreRegularExpressions(t *testing.T) {
	for pattern, quick := range map[string]bool{
		`^[0-9]{17}[0-9X]$`: true, `^[A-Z]{3}$`: true, `^a.b$`: false, `^[0-9]{6}$`: true, `^[0-9]{12}[GJZ][A-Z][0-9]{5}[FLQW][0-9]{8}$`: true, `^ab(c|d)e$`: false,
		`^[0-9]{4}-[0-9]{2}$`: true, `^[0-9]+$`: false, `^(?i)ab$`: false, `^\p{Han}{2}$`: false, `^[^0-9]{2}$`: false, `^(ab){2}$`: false, `^(?:ab){2}$`: true, `^a{0}b$`: true, `^(?:a{30}){30}$`: false, `^x{65}$`: false, `^é$`: false, `^$`: false, `^a$`: true,
	} {
		m, err := compilePattern(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if _, is := m.(*row); is != quick {
			t.Errorf("%s: quick is %v", pattern, is)
		}
		slow := regexp.MustCompile(pattern)
		for _, s := range []string{"", "a", "ab", "43028119900101001X", "430281199001010017", "430281199001010017\n", "CNY", "cny", "CN", "2024-01", "2024-011", "４３０２８１", "430281", "axb", "abce", "AB", "山川", "é", "ababab", "abab", "430281001002GB00004W00000000"} {
			if m.MatchString(s) != slow.MatchString(s) {
				t.Errorf("%s on %q: %v", pattern, s, m.MatchString(s))
			}
		}
	}
}
