package identity

import "testing"

var validLicences = []string{
	"1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
	"1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.002.S",
	"1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
	"1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
	"1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
	"1.2.156.3005.2.11100000MB03271699001.11430281000000019L.20160000001.001.Y",
	"1.2.156.3005.2.11100000MB03271699001.11430281000000019L.20160000001.002.W",
}

func TestParseLicence(t *testing.T) {
	good := []accepted{
		{" 1.2.156.3005.2.11100000mb03271699001.11430281000000019l.20160000001.001.y\u3000", validLicences[5]},
		{"１．２．１５６．３００５．２.11100000MB03271699001.11430281000000019L.20160000001.001.Ｙ", validLicences[5]},
	}
	for _, n := range validLicences {
		good = append(good, accepted{n, n})
	}
	const issuer, serial = "11430281000000019L", "20160000001"
	check(t, licenceText, good, []refused{
		{"", "YM-ID-0101"},
		{"1.2.156.3005.2.11100000MB03271699001.证.1.001.1", "YM-ID-0103"},
		{"1.2.156.3005.2.11100000MB0327169900１.11430281000000019Х.1.001.1", "YM-ID-0104"},
		{"1.2.156.3005.2.11100000MB03271699001.\u200b11430281000000019L.20160000001.001.Y", "YM-ID-0105"},
		{`="1.2.156.3005.2.11100000MB03271699001.11430281000000019L.20160000001.001.Y"`, "YM-ID-0107"},
		{"1.2.156.3005.2.11100000MB03271699001-11430281000000019L-20160000001-001-Y", "YM-ID-0108"},
		{"1。2。156。3005。2", "YM-ID-0108"},
		{"1.2.156.3005.2.\xff", "YM-ID-0110"},
		{"11100000MB03271699001.11430281000000019L.20160000001.001.Y", "YM-ID-0131"},
		{"1.2.156.3005.3.11100000MB03271699001.11430281000000019L.20160000001.001.Y", "YM-ID-0131"},
		{"湘2016醴陵市0000001", "YM-ID-0103"},
		{"20160000001", "YM-ID-0131"},
		{"1.2.156.3005.2.", "YM-ID-0132"},
		{"1.2.156.3005.2.11100000MB03271699001.11430281000000019L.20160000001.001", "YM-ID-0132"},
		{"1.2.156.3005.2.11100000MB03271699001.11430281000000019L.2016.0000001.001.Y", "YM-ID-0132"},
		{"1.2.156.3005.2.11100000MB0327169900." + issuer + "." + serial + ".001.Y", "YM-ID-0133"},
		{"1.2.156.3005.2.11100000MB0327169900A." + issuer + "." + serial + ".001.Y", "YM-ID-0133"},
		{"1.2.156.3005.2.11100000OB03271699001." + issuer + "." + serial + ".001.Y", "YM-ID-0133"},
		{"1.2.156.3005.2.11100000MB03271699001.43028." + serial + ".001.Y", "YM-ID-0133"},
		{"1.2.156.3005.2.11100000MB03271699001." + issuer + "..001.Y", "YM-ID-0133"},
		{"1.2.156.3005.2.11100000MB03271699001." + issuer + "." + serial + ".000.Y", "YM-ID-0133"},
		{"1.2.156.3005.2.11100000MB03271699001." + issuer + "." + serial + ".01.Y", "YM-ID-0133"},
		{"1.2.156.3005.2.11100000MB03271699001." + issuer + "." + serial + ".001.", "YM-ID-0133"},
		{"1.2.156.3005.2.11100000MB03271699001." + issuer + "." + serial + ".001.YY", "YM-ID-0133"},
		{"1.2.156.3005.2.11100000MB03271699001." + issuer + "." + serial + ".001.Z", "YM-ID-0134"},
		{"1.2.156.3005.2.11100000MB03271699001." + issuer + "." + serial + ".002.Y", "YM-ID-0134"},
		// Met in the field: made by the faulty routine.
		{"1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M", "YM-ID-0135"},
	})
}

func TestLicenceSays(t *testing.T) {
	l, err := ParseLicence(validLicences[1])
	if err != nil {
		t.Fatal(err)
	}
	if l.TypeCode() != "11100000000013338W011" || l.Issuer() != "11430000006122244L" || l.Serial() != "20230000403" || l.Version() != 2 {
		t.Errorf("licence says %s, %s, %s, %d", l.TypeCode(), l.Issuer(), l.Serial(), l.Version())
	}
}

// The field sample's right check character is D; it carries the M of the faulty routine. The other vectors are those
// of sound software.
func TestFaultyRoutineIsKnownButNotFollowed(t *testing.T) {
	const sample = "11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001"
	if right, faulty := LicenceCheck(sample), faultyLicenceCheck(sample); right != 'D' || faulty != 'M' {
		t.Errorf("the sample ends on %c, by the faulty routine on %c; want D and M", right, faulty)
	}
	const first = "11100000000013338W011.11430000006122244L.20230000403.001"
	if right, faulty := LicenceCheck(first), faultyLicenceCheck(first); right != 'U' || faulty != 'T' {
		t.Errorf("the first vector ends on %c, by the faulty routine on %c; want U and T", right, faulty)
	}
}

func TestLicenceEverySlipRefused(t *testing.T) {
	for _, n := range validLicences {
		for i := range len(n) {
			for _, c := range licenceAlphabet {
				if slip := n[:i] + string(c) + n[i+1:]; slip != n {
					if _, err := ParseLicence(slip); err == nil {
						t.Errorf("character %d changed to %c passes", i+1, c)
					}
				}
			}
		}
	}
}
