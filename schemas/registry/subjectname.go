package registry

import (
	"unicode"
	"unicode/utf8"

	"github.com/onedoor/yimen/exchange/identity"
)

// maxSubject is the most characters of a subject, as of a topic's name.
const maxSubject = 249

// checkSubject refuses names that cannot be shown, or that hold a person's or a company's number: they would stand in
// addresses, logs and a topic for ever.
func checkSubject(name string) error {
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxSubject {
		return badSubject()
	}
	for _, c := range name {
		if !unicode.IsGraphic(c) {
			return badSubject()
		}
	}
	if holdsNumber(name) {
		return personalSubject()
	}
	return nil
}

// The lengths of the numbers of people and companies.
const (
	numberLength = 18
	oldLength    = 15
)

// holdsNumber looks for numbers in the runs of letters and digits of a name. A citizen number may also hide in a longer run.
func holdsNumber(name string) bool {
	var run []byte
	for _, c := range name {
		if c >= '！' && c <= '～' {
			c -= '！' - '!' // full-width
		}
		if c < utf8.RuneSelf && (unicode.IsLetter(c) || unicode.IsDigit(c)) {
			run = append(run, byte(c))
			continue
		}
		if numberIn(string(run)) {
			return true
		}
		run = run[:0]
	}
	return numberIn(string(run))
}

func numberIn(run string) bool {
	for i := 0; i+numberLength <= len(run); i++ {
		if isCitizen(run[i : i+numberLength]) {
			return true
		}
	}
	if len(run) == numberLength {
		_, err := identity.ParseCreditCode(run)
		return err == nil
	}
	return len(run) == oldLength && isCitizen(run)
}

func isCitizen(s string) bool {
	_, err := identity.ParseCitizen(s)
	return err == nil
}
