package demo

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// typed is a number as hands and programs of departments leave it in a cell: mostly clean, now and then with wide
// digits, a small x, a space behind, or in the old form of 15 digits. Every one of them can be read.
func typed(r *rand.Rand, number string) string {
	switch at := r.IntN(1000); {
	case at < 10:
		return number + " "
	case at < 30:
		return strings.ToLower(number)
	case at < 36:
		return wide(number)
	}
	return number
}

// old is the number in the form of before 1999: without the century and the check digit. People born since 2000
// never had one.
func old(number string) string {
	if number[6:8] != "19" {
		return number
	}
	return number[:6] + number[8:17]
}

// wide is the text in full-width digits and letters.
func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r + 0xfee0
		}
		return r
	}, s)
}

// armoured is how programs keep Excel from taking a number for a quantity.
func armoured(s string) string { return `="` + s + `"` }

// capital is an amount in ten thousands of yuan in one of the forms found in registers of companies.
func capital(r *rand.Rand) string {
	amount := pick(r, []int{3, 10, 20, 30, 50, 50, 99, 100, 100, 200, 300, 500, 500, 800, 1000, 1200, 2000, 5000, 12000})
	plain := strconv.Itoa(amount)
	switch at := r.IntN(100); {
	case at < 40:
		return plain + "万人民币"
	case at < 70:
		return thousands(plain) + "(万元人民币)"
	case at < 82:
		return plain + ".9999(万元人民币)"
	case at < 92:
		return plain + "(万)"
	case at < 96:
		return thousands(plain+"0000") + "元"
	}
	return "N/A"
}

// thousands puts commas into a whole number.
func thousands(digits string) string {
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// number of so many digits for the index; each index has its own.
func serial(index, width int) string {
	s := strconv.Itoa(index + 1)
	if len(s) < width {
		s = strings.Repeat("0", width-len(s)) + s
	}
	return s
}

func holdersOf(people ...*citizen) []exchange.Holder {
	holders := make([]exchange.Holder, len(people))
	for i, p := range people {
		holders[i] = p.holder()
	}
	return holders
}
