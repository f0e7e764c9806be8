package identity

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/onedoor/yimen/exchange"
)

// Citizen is a citizen number (公民身份号码, GB 11643) that passed every check. It prints masked.
type Citizen struct {
	number string
	old    bool
}

// ParseCitizen reads a citizen number: 18 characters with a known province, a birth date that exists and lies in the
// years 1840 to 2099, and a correct check digit. Whether the date has come yet is the caller's to say, who has the time.
//
// The old form of 15 digits, still found in archives, is converted by one rule: its two-digit year is 19yy, and the
// check digit is computed. FromOldForm says so, because nothing in 15 digits tells a slip of the pen.
func ParseCitizen(s string) (Citizen, error) {
	n, err := normalise(s, citizenNumber)
	if err != nil {
		return Citizen{}, err
	}
	return citizen(n)
}

// ContainsCitizen says whether a citizen number of 18 characters stands anywhere in s.
func ContainsCitizen(s string) bool {
	digits := 0 // how many stand in a row before i
	for i := range len(s) {
		if digits >= 17 {
			if _, err := ParseCitizen(s[i-17 : i+1]); err == nil {
				return true
			}
		}
		if isDigit(s[i]) {
			digits++
		} else {
			digits = 0
		}
	}
	return false
}

// citizen checks a normalised number.
func citizen(n string) (Citizen, error) {
	old := len(n) == 15
	if !old && len(n) != 18 {
		return Citizen{}, wrongLength(citizenNumber, n, exchange.Text{
			ZH: "公民身份号码为 18 位（旧号 15 位）", EN: "a citizen number has 18 (the old form 15)"})
	}
	for i := range len(n) {
		if !isDigit(n[i]) && (i != 17 || n[i] != 'X') {
			return Citizen{}, notADigit(citizenNumber, n[i], i+1)
		}
	}
	if old {
		n = n[:6] + "19" + n[6:]
		n += string(rune(CitizenCheck(n)))
	}
	switch {
	case !citizenProvince(n):
		return Citizen{}, unknownProvince(citizenNumber)
	case !birthDateExists(n):
		return Citizen{}, noSuchBirthDate(old)
	case n[17] != CitizenCheck(n[:17]):
		return Citizen{}, wrongCheck("YM-ID-0113", citizenNumber, n)
	}
	return Citizen{n, old}, nil
}

// Number is the number in 18 characters, a capital X where the check digit is ten.
func (c Citizen) Number() string { return c.number }

// FromOldForm says whether it was read from the form of 15 digits.
func (c Citizen) FromOldForm() bool { return c.old }

// Division is the place of first registration, not of residence. It may have been abolished since.
func (c Citizen) Division() Division { return Division(c.number[:6]) }

// Born is the date of birth.
func (c Citizen) Born() exchange.Date {
	return exchange.Date(c.number[6:10] + "-" + c.number[10:12] + "-" + c.number[12:14])
}

// Female says whether the number is one of a woman: the 17th digit is even.
func (c Citizen) Female() bool { return c.number[16]%2 == 0 }

// Holder is the person whose number it is.
func (c Citizen) Holder() exchange.Holder {
	return exchange.Holder{Kind: exchange.Person, Number: c.number}
}

// String shows the number masked.
func (c Citizen) String() string { return c.Holder().String() }

// Format keeps every formatting verb from printing the number.
func (c Citizen) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// citizenProvince says whether the number begins with a known province. Besides those of GB/T 2260 there is 83, which
// the residence permits of people from Taiwan use.
func citizenProvince(n string) bool { return provinceKnown(n) || n[:2] == "83" }

// birthDateExists says whether the digits 7 to 14 are a day of the years 1840 to 2099.
func birthDateExists(n string) bool {
	year, month, day := decimal(n[6:10]), decimal(n[10:12]), decimal(n[12:14])
	if year < 1840 || year > 2099 || month < 1 || month > 12 || day < 1 {
		return false
	}
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() == day
}

// decimal is the value of a few digits.
func decimal(digits string) int {
	value := 0
	for i := range len(digits) {
		value = value*10 + int(digits[i]-'0')
	}
	return value
}

// MentionsCitizen says whether a citizen number stands in s, or s is one of the old form: what people type may hold one, and some of it is
// kept for ever.
func MentionsCitizen(s string) bool {
	digits := 0
	for i := range len(s) {
		if isDigit(s[i]) || s[i] >= utf8.RuneSelf { // digits are typed in full width too
			digits++
		}
	}
	if digits < 15 { // what nearly every case number has; to parse costs more
		return false
	}
	for i := 0; i+18 <= len(s); i++ {
		if _, err := ParseCitizen(s[i : i+18]); err == nil {
			return true
		}
	}
	_, err := ParseCitizen(s)
	return err == nil
}

// Keepable says whether a text that people typed may be kept for ever: no more than 300 characters, and no citizen number among them. Names it
// cannot tell.
func Keepable(s string) bool {
	return utf8.RuneCountInString(s) <= 300 && utf8.ValidString(s) && !MentionsCitizen(s)
}
