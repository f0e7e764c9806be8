// Package identity parses, checks, normalises and masks citizen numbers, credit codes and licence identifiers.
//
// A Citizen (公民身份号码), a CreditCode (统一社会信用代码), a LicenceID (电子证照标识) and a Division (行政区划代码) each
// have one Parse function. It first brings the text into the one form in which numbers are compared: full-width
// characters become ASCII, letters become capitals, spaces of every kind vanish. Then it checks what can be checked
// without a register. Nothing is guessed: a look-alike letter, an invisible character, a hyphen or the trace of a
// spreadsheet is refused with a hint at what mends it.
//
// Every error is an *exchange.Problem of kind Invalid with a code YM-ID-01xx. Neither errors nor the printed form of
// any value here hold a number; only the methods Number do, besides the parts a caller asks for by name.
package identity

import (
	"strings"
	"unicode/utf8"

	"github.com/onedoor/yimen/exchange"
)

// ParseHolder reads the number of a holder whose kind is not known and tells the kind by form:
//
//   - 15 digits are the old form of a citizen number;
//   - 18 characters with a known province, an existing birth date and a correct check digit are a citizen number,
//     even if a credit code could read the same (about one citizen in 340 has such a number; a company needs an
//     all-digit code that happens to hold a date, which is far rarer);
//   - any other 18 characters must be a credit code. What reads as a citizen number but for its check digit must name a
//     known province besides: else one typing error in 340 would turn a person into a company nobody knows.
//
// Where the kind is known, ParseCitizen and ParseCreditCode are the surer way: 15 digits have no check digit.
func ParseHolder(s string) (exchange.Holder, error) {
	n, err := normalise(s, holderNumber)
	if err != nil {
		return exchange.Holder{}, err
	}
	if len(n) != 15 && len(n) != 18 && len(n) != 9 {
		return exchange.Holder{}, wrongLength(holderNumber, n, exchange.Text{
			ZH: "公民身份号码为 18 位（旧号 15 位），统一社会信用代码为 18 位",
			EN: "a citizen number has 18 (the old form 15), a credit code 18"})
	}
	if len(n) == 15 || personForm(n) {
		person, err := citizen(n)
		if err == nil {
			return person.Holder(), nil
		}
		if organisation, err := creditCode(n); err == nil && knownDivision(n[2:8]) {
			return organisation.Holder(), nil
		}
		return exchange.Holder{}, err
	}
	organisation, err := creditCode(n)
	if err == nil {
		return organisation.Holder(), nil
	}
	if resemblesPerson(n) {
		_, err = citizen(n)
	}
	return exchange.Holder{}, err
}

// personForm says whether 18 characters read as a citizen number, its check digit aside.
func personForm(n string) bool {
	return len(n) == 18 && onlyDigits(n[:17]) && citizenProvince(n) && birthDateExists(n)
}

// resemblesPerson says whether what is no valid number was more likely meant as a citizen number: it decides which
// of two errors helps more, nothing else.
func resemblesPerson(n string) bool {
	if len(n) != 18 || !citizenProvince(n) {
		return false
	}
	digits := 0
	for i := range len(n) {
		if isDigit(n[i]) {
			digits++
		}
	}
	century := n[6:8]
	return digits >= 16 && (century == "18" || century == "19" || century == "20")
}

// Mask makes a number fit for people's eyes: 430281********2115 for citizen numbers and credit codes, valid or not.
// Of a licence identifier it hides the serial, which is often the number of a person. What it does not know becomes
// stars altogether.
func Mask(s string) string {
	n, err := normalise(s, licenceID)
	switch {
	case err != nil:
		return stars(utf8.RuneCountInString(s))
	case len(n) == 18 && (onlyDigits(n[:17]) || creditForm(n)):
		return n[:6] + stars(8) + n[14:]
	case len(n) == 15 && onlyDigits(n):
		return n[:6] + stars(6) + n[12:]
	}
	if id, err := licence(n); err == nil {
		return licenceRoot + id.typeCode + "." + id.issuer + "." + stars(len(id.serial)) + n[len(n)-6:len(n)-1] + "*"
	}
	return stars(utf8.RuneCountInString(s))
}

// stars is n stars, 18 at most: the length of a long text is nobody's business.
func stars(n int) string { return strings.Repeat("*", min(n, 18)) }
