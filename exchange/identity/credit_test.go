package identity

import "testing"

var validCreditCodes = []string{
	// Vectors of the standard's field.
	"91350100M000100Y43", "11430000006122244L", "11330105002500287C", "11100000000013338W",
	"11100000MB03271699", "11450000007565194H", "12441500196720244T", "91460100MA5THWMM2J",
	// Made up for tests.
	"11430281000000019L", "91430281000000019C", "934302810000000196",
}

func TestParseCreditCode(t *testing.T) {
	good := []accepted{
		{"91350100m000100y43", "91350100M000100Y43"},
		{"９１３５０１００ｍ０００１００Ｙ４３", "91350100M000100Y43"},
		{" 9143 0281 0000 0001 9C\u3000", "91430281000000019C"},
	}
	for _, n := range validCreditCodes {
		good = append(good, accepted{n, n})
	}
	check(t, creditText, good, []refused{
		{"", "YM-ID-0101"},
		{"91430281000000019", "YM-ID-0102"},
		{"91430281000000019CC", "YM-ID-0102"},
		{"430281000012345", "YM-ID-0102"},
		{"91430281000000019号", "YM-ID-0103"},
		{"914A0281000000019C", "YM-ID-0103"},
		{"9143028100000001+C", "YM-ID-0103"},
		{"11370000004503027O", "YM-ID-0104"},
		{"9143028100000oo19C", "YM-ID-0104"},
		{"9143O281000000019C", "YM-ID-0104"},
		{"91430281000000019С", "YM-ID-0104"}, // Cyrillic
		{"9143028I000000019C", "YM-ID-0104"},
		{"9143028100000S019C", "YM-ID-0104"},
		{"91430281000000019\u200eC", "YM-ID-0105"},
		{"9.14303E+17", "YM-ID-0106"},
		{"934302810000000000", "YM-ID-0106"},
		{`="91430281000000019C"`, "YM-ID-0107"},
		{"91430281-00000001-9C", "YM-ID-0108"},
		{"00000001-9", "YM-ID-0108"},
		{"914302********019C", "YM-ID-0109"},
		{"91430281\xa1\xa1000000019C", "YM-ID-0110"},
		{"11430281006122244L", "YM-ID-0121"},
		{"91430281000000019L", "YM-ID-0121"},
		{"430281199001010017", "YM-ID-0121"},
		{withCreditCheck(t, "91430281000000018"), "YM-ID-0122"},
		{"D2143569X", "YM-ID-0123"},
		{"000000019", "YM-ID-0123"},
	})
}

func withCreditCheck(t *testing.T, first17 string) string {
	t.Helper()
	c := CreditCodeCheck(first17)
	if c == 0 {
		t.Fatal("not 17 characters of a credit code")
	}
	return first17 + string(rune(c))
}

// The rule that the organisation code inside is checked too rests on this: it holds for all known codes.
func TestOrganisationCheckHoldsForAllVectors(t *testing.T) {
	for _, n := range validCreditCodes {
		if n[16] != OrganisationCheck(n[8:16]) {
			t.Errorf("organisation code in %s does not fit", Mask(n))
		}
	}
}

func TestCreditCodeSays(t *testing.T) {
	c, err := ParseCreditCode("91350100M000100Y43")
	if err != nil {
		t.Fatal(err)
	}
	if c.Division() != "350100" || c.OrganisationCode() != "M000100Y4" || c.Holder().Kind != "org" || c.Holder().Number != c.Number() {
		t.Errorf("credit code says %s, %s, %v", c.Division(), c.OrganisationCode(), c.Holder())
	}
}

func TestCreditCodeEverySlipRefused(t *testing.T) {
	for _, n := range validCreditCodes {
		for i := range len(n) {
			for _, c := range licenceAlphabet {
				if slip := n[:i] + string(c) + n[i+1:]; slip != n {
					if _, err := ParseCreditCode(slip); err == nil {
						t.Errorf("character %d changed to %c passes", i+1, c)
					}
				}
			}
		}
	}
}

func TestCheckCharacters(t *testing.T) {
	for _, row := range []struct {
		name  string
		check func(string) byte
		in    string
		want  byte
	}{
		{"citizen", CitizenCheck, "11010519491231002", 'X'},
		{"citizen", CitizenCheck, "44052418800101001", '4'},
		{"credit code", CreditCodeCheck, "91350100M000100Y4", '3'},
		{"organisation", OrganisationCheck, "D2143569", 'X'},
		{"organisation", OrganisationCheck, "00000001", '9'},
		{"organisation", OrganisationCheck, "00000000", '0'}, // 11 is written 0
		{"licence", LicenceCheck, "A12425GABC1234002", 'M'},
		{"licence", LicenceCheck, "11100000MB03271699022.340100.000000016.001", '9'},
		{"citizen", CitizenCheck, "1101051949123100", 0},
		{"citizen", CitizenCheck, "1101051949123100X", 0},
		{"credit code", CreditCodeCheck, "91350100M000100Y", 0},
		{"credit code", CreditCodeCheck, "91350100M000100Z4", 0},
		{"organisation", OrganisationCheck, "0000001", 0},
		{"organisation", OrganisationCheck, "0000000x", 0},
		{"licence", LicenceCheck, "A12425GABC1234-002", 0},
		{"licence", faultyLicenceCheck, "a", 0},
	} {
		if got := row.check(row.in); got != row.want {
			t.Errorf("%s check of %q = %q, want %q", row.name, row.in, got, row.want)
		}
	}
}
