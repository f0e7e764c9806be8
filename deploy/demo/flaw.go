package demo

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// Flaw is a way in which a row is spoilt.
type Flaw string

// The ways. Numbers of 15 digits, wide digits, a small x, spaces and Excel's armour are no flaws: they are read.
const (
	WrongCheck Flaw = "wrong-check-digit" // a typing error in a citizen number or credit code
	Rounded    Flaw = "rounded-by-excel"  // a citizen number that Excel took for a quantity: …000
	NoSuchDay  Flaw = "impossible-date"
	Stranger   Flaw = "unknown-status" // a status code that nobody described
	CutOff     Flaw = "cut-off-bytes"  // half a character at the end of a cell
	Missing    Flaw = "missing-value"
	Ragged     Flaw = "wrong-columns" // one column too few
)

// half stands for the first half of a character until the row is encoded.
const half = '\x00'

// spoil damages the row in one way that its columns allow.
func spoil(r *rand.Rand, reg *register, p *paper) Flaw {
	ways := []Flaw{Ragged}
	for _, w := range []struct {
		role role
		flaw Flaw
	}{{number, WrongCheck}, {number, Rounded}, {date, NoSuchDay}, {state, Stranger}, {free, CutOff}, {needed, Missing}} {
		if len(reg.at(w.role)) > 0 {
			ways = append(ways, w.flaw)
		}
	}
	flaw := pick(r, ways)
	if flaw == Rounded && !rounded(&p.cells[reg.at(number)[0]]) {
		flaw = WrongCheck
	}
	switch flaw {
	case Rounded:
		p.Named = slices.Delete(slices.Clone(p.Named), 0, 1)
	case WrongCheck:
		at := r.IntN(len(reg.at(number)))
		mistype(&p.cells[reg.at(number)[at]])
		p.Named = without(p.Named, at, len(reg.at(number)))
	case NoSuchDay:
		p.cells[pick(r, reg.at(date))] = pick(r, []string{"2019-02-30", "2021-13-05", "20210431", "0000-00-00"})
	case Stranger:
		p.cells[pick(r, reg.at(state))] = pick(r, []string{"9", "待核", "ZT07"})
	case CutOff:
		p.cells[pick(r, reg.at(free))] += string(half)
	case Missing:
		p.cells[pick(r, reg.at(needed))] = ""
	case Ragged:
		p.cells = p.cells[:len(p.cells)-1]
	}
	return flaw
}

// without leaves out the holder whose number stands in the column that was spoilt: where one cell has all numbers, the last.
func without(holders []exchange.Holder, at, columns int) []exchange.Holder {
	if columns == 1 {
		at = len(holders) - 1
	}
	return slices.Delete(slices.Clone(holders), at, at+1)
}

// at has the columns of the role.
func (r *register) at(role role) []int {
	var found []int
	for i, column := range r.columns {
		if column.role == role {
			found = append(found, i)
		}
	}
	return found
}

// rounded does to a citizen number what Excel does: fifteen digits count, the rest are zeros. It leaves alone what
// Excel would take for text, and what would still pass its check.
func rounded(cell *string) bool {
	n := *cell
	if len(n) != 18 || strings.Trim(n, "0123456789") != "" || identity.CitizenCheck(n[:15]+"00") == '0' {
		return false
	}
	*cell = n[:15] + "000"
	return true
}

// mistype changes the last digit of the cell so that nothing valid comes of it. A number of 15 digits has no check: it
// loses a digit.
func mistype(cell *string) {
	runes := []rune(strings.TrimSpace(*cell))
	if len(runes) == 15 {
		*cell = string(runes[:14])
		return
	}
	for i := len(runes) - 1; i >= 0; i-- {
		for _, zero := range []rune{'0', '０'} {
			if d := runes[i] - zero; d >= 0 && d <= 9 {
				*cell = wrongDigit(runes, i, zero, d)
				return
			}
		}
	}
}

// wrongDigit puts another digit at that place. One citizen number in some 340 is a credit code as well once a digit
// is wrong, so the next digit is tried then.
func wrongDigit(runes []rune, at int, zero, digit rune) string {
	for add := rune(3); ; add++ {
		runes[at] = zero + (digit+add)%10
		numbers := strings.Split(string(runes), "、")
		if _, err := identity.ParseHolder(numbers[len(numbers)-1]); err != nil {
			return string(runes)
		}
	}
}
