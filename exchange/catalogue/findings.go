package catalogue

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/onedoor/yimen/exchange"
)

// findings gathers everything that is wrong with a catalogue, so that one reading tells it all.
type findings struct{ all []finding }

type finding struct {
	file    string
	line    int
	problem *exchange.Problem
}

// add notes a finding; line 0 means the file as a whole.
func (f *findings) add(code, file string, line int, what, mend exchange.Text) {
	place := file
	if line > 0 {
		place = fmt.Sprintf("%s:%d", file, line)
	}
	what = exchange.Text{ZH: place + "：" + what.ZH, EN: place + ": " + what.EN}
	f.all = append(f.all, finding{file, line, &exchange.Problem{Code: code, Kind: exchange.Invalid, What: what, Mend: mend}})
}

// err joins the findings in the order of files and lines, nil where there are none.
func (f *findings) err() error {
	slices.SortStableFunc(f.all, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	var all []error
	for _, one := range f.all {
		all = append(all, one.problem)
	}
	return errors.Join(all...)
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

// suggestion is the mending text for a word that is not among the known ones.
func suggestion(word string, known []string) exchange.Text {
	if near := exchange.Nearest(word, known); near != "" {
		return text("是不是 "+near+"？", "did you mean "+near+"?")
	}
	return text("查对拼写，或先登记它", "check the spelling, or enter it first")
}
