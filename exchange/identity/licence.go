package identity

import (
	"fmt"
	"strings"
)

// licenceRoot begins every licence identifier (电子证照根代码), its dot included.
const licenceRoot = "1.2.156.3005.2."

// LicenceID is a licence identifier (电子证照标识, GB/T 36904) that passed every check. It prints masked.
type LicenceID struct {
	number, typeCode, issuer, serial string
	version                          int
}

// ParseLicence reads a licence identifier: the root, a type code of 21 characters, the issuer's credit code or
// division code, a serial, a version from 001, and a correct check character, joined by dots. The credit codes inside
// are checked for their form only: the check character covers them.
//
// Some software computes the check character wrongly. Its identifiers are refused like any other damaged one, but with
// the code YM-ID-0135, so that the department knows that its data are sound and its software is not.
func ParseLicence(s string) (LicenceID, error) {
	n, err := normalise(s, licenceID)
	if err != nil {
		return LicenceID{}, err
	}
	return licence(n)
}

// licence checks a normalised identifier.
func licence(n string) (LicenceID, error) {
	rest, ok := strings.CutPrefix(n, licenceRoot)
	if !ok {
		return LicenceID{}, noLicenceRoot()
	}
	if parts := strings.Count(rest, ".") + 1; parts != 5 {
		return LicenceID{}, wrongPartCount(parts)
	}
	id := LicenceID{number: n}
	body, check := rest[:strings.LastIndexByte(rest, '.')], rest[strings.LastIndexByte(rest, '.')+1:]
	var version string
	id.typeCode, rest, _ = strings.Cut(body, ".")
	id.issuer, rest, _ = strings.Cut(rest, ".")
	id.serial, version, _ = strings.Cut(rest, ".")
	switch {
	case len(id.typeCode) != 21 || !creditForm(id.typeCode[:18]) || !onlyDigits(id.typeCode[18:]):
		return LicenceID{}, wrongPart(typeCodePart)
	case !issuerForm(id.issuer):
		return LicenceID{}, wrongPart(issuerPart)
	case id.serial == "":
		return LicenceID{}, wrongPart(serialPart)
	case len(version) != 3 || !onlyDigits(version) || version == "000":
		return LicenceID{}, wrongPart(versionPart)
	case len(check) != 1:
		return LicenceID{}, wrongPart(checkPart)
	case check[0] == LicenceCheck(body):
		id.version = decimal(version)
		return id, nil
	case check[0] == faultyLicenceCheck(body):
		return LicenceID{}, faultyLicence()
	}
	return LicenceID{}, wrongCheck("YM-ID-0134", licenceID, n)
}

func issuerForm(s string) bool {
	return len(s) == 18 && creditForm(s) || len(s) == 6 && onlyDigits(s)
}

// Number is the whole identifier, root and dots included.
func (l LicenceID) Number() string { return l.number }

// TypeCode is the code of the kind of licence (证照类型代码), 21 characters.
func (l LicenceID) TypeCode() string { return l.typeCode }

// Issuer is the code of who issued it (证照颁发机构代码): a credit code, seldom a division code.
func (l LicenceID) Issuer() string { return l.issuer }

// Serial is the issuer's number of the licence (流水号); never show it unmasked where the licence is not shown.
func (l LicenceID) Serial() string { return l.serial }

// Version counts the states of the licence from 1.
func (l LicenceID) Version() int { return l.version }

// String shows the identifier masked.
func (l LicenceID) String() string { return Mask(l.number) }

// Format keeps every formatting verb from printing the identifier.
func (l LicenceID) Format(f fmt.State, _ rune) { fmt.Fprint(f, l.String()) }
