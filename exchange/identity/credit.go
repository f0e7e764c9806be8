package identity

import (
	"fmt"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// CreditCode is a unified social credit code (统一社会信用代码, GB 32100) that passed every check. It prints masked.
type CreditCode struct{ number string }

// ParseCreditCode reads a credit code: 18 characters of its alphabet, six digits of a division at the third place,
// a correct check character and, inside, an organisation code (GB 11714) whose check character is correct as well.
// The offices and kinds at the first two places are not checked, because new ones come.
func ParseCreditCode(s string) (CreditCode, error) {
	n, err := normalise(s, creditCodeSubject)
	if err != nil {
		return CreditCode{}, err
	}
	return creditCode(n)
}

// creditCode checks a normalised code.
func creditCode(n string) (CreditCode, error) {
	switch {
	case len(n) == 9 && n[8] == OrganisationCheck(n[:8]):
		return CreditCode{}, organisationCodeOnly()
	case len(n) != 18:
		return CreditCode{}, wrongLength(creditCodeSubject, n, exchange.Text{
			ZH: "统一社会信用代码为 18 位", EN: "a credit code has 18"})
	}
	if !creditForm(n) {
		return CreditCode{}, notInCreditForm(n)
	}
	if n[17] != CreditCodeCheck(n[:17]) {
		return CreditCode{}, wrongCheck("YM-ID-0121", creditCodeSubject, n)
	}
	if n[16] != OrganisationCheck(n[8:16]) {
		return CreditCode{}, wrongOrganisationCheck()
	}
	return CreditCode{n}, nil
}

// creditForm says whether 18 characters are of the alphabet, with digits for the division.
func creditForm(n string) bool {
	for i := range len(n) {
		if strings.IndexByte(creditAlphabet, n[i]) < 0 {
			return false
		}
	}
	return onlyDigits(n[2:8])
}

// notInCreditForm names the first place where the form is broken.
func notInCreditForm(n string) error {
	for i := range len(n) {
		if i >= 2 && i < 8 && !isDigit(n[i]) {
			return notADigit(creditCodeSubject, n[i], i+1)
		}
		if strings.IndexByte(creditAlphabet, n[i]) < 0 {
			return letterOutsideAlphabet(n[i], i+1)
		}
	}
	return nil
}

// Number is the code in 18 characters.
func (c CreditCode) Number() string { return c.number }

// Division is where the organisation was registered; 100000 stands for the whole country.
func (c CreditCode) Division() Division { return Division(c.number[2:8]) }

// OrganisationCode is the nine-character code (组织机构代码) inside.
func (c CreditCode) OrganisationCode() string { return c.number[8:17] }

// Holder is the organisation whose code it is.
func (c CreditCode) Holder() exchange.Holder {
	return exchange.Holder{Kind: exchange.Organisation, Number: c.number}
}

// String shows the code masked.
func (c CreditCode) String() string { return c.Holder().String() }

// Format keeps every formatting verb from printing the code.
func (c CreditCode) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }
