package national

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// findings gathers all that is wrong with a list.
type findings struct{ all []error }

// at notes what is wrong with a cell of a row; no column: with the row.
func (f *findings) at(t Table, line int, column string, what, mend exchange.Text) {
	zh, en := fmt.Sprintf("%s 第 %d 行", t.Name, line), fmt.Sprintf("%s line %d", t.Name, line)
	if column != "" {
		zh, en = zh+"“"+column+"”", en+", column "+column
	}
	f.all = append(f.all, &exchange.Problem{Code: "YM-CAT-0604", Kind: exchange.Invalid, What: text(zh+"："+what.ZH, en+": "+what.EN), Mend: mend})
}

func (f *findings) err() error { return errors.Join(f.all...) }

// sheet is a table whose columns are known.
type sheet struct {
	Table
	codes Codes
	place map[string]int // the list's column → where
	*findings
}

// open finds the columns. Those that the list does not have are left alone.
func (f *findings) open(t Table, fields []field, codes Codes) sheet {
	s := sheet{t, codes, map[string]int{}, f}
	for i, header := range t.Columns {
		header = strings.TrimSpace(header)
		if ours, renamed := codes.Columns[header]; renamed {
			header = ours
		}
		if _, twice := s.place[header]; !twice {
			s.place[header] = i
		}
	}
	for _, field := range fields {
		if _, there := s.place[field.name]; !there && !field.optional {
			mend := text("补上这一列；来源叫别的名字的，在 --codes 的 columns 里写明", "add the column; where the source has another name for it, say so under columns in --codes")
			if near := exchange.Nearest(field.name, s.unread(fields)); near != "" {
				mend = text(fmt.Sprintf("是不是“%s”？在 --codes 的 columns 里写 %s: %s", near, near, field.name), fmt.Sprintf("is it %s? Write '%s: %s' under columns in --codes", near, near, field.name))
			}
			f.all = append(f.all, &exchange.Problem{Code: "YM-CAT-0603", Kind: exchange.Invalid, Mend: mend,
				What: text(fmt.Sprintf("%s 没有“%s”这一列", t.Name, field.name), fmt.Sprintf("%s has no column %s", t.Name, field.name))})
		}
	}
	return s
}

// unread are the headers that are none of the list's columns.
func (s sheet) unread(fields []field) []string {
	return slices.DeleteFunc(slices.Clone(s.Columns), func(header string) bool {
		return slices.ContainsFunc(fields, func(f field) bool { return f.name == strings.TrimSpace(header) })
	})
}

// line is a row that is being read.
type line struct {
	sheet
	Row
}

// raw is a cell as the source writes it, out of the armour that keeps a spreadsheet's hands off it.
func (l line) raw(column string) string {
	at, there := l.place[column]
	if !there || at >= len(l.Cells) {
		return ""
	}
	cell := strings.TrimSpace(l.Cells[at])
	if inner, armoured := strings.CutPrefix(cell, `="`); armoured && strings.HasSuffix(inner, `"`) {
		return strings.TrimSuffix(inner, `"`)
	}
	if len(cell) > 1 && cell[0] == '\'' && computed(cell[1:]) {
		return cell[1:]
	}
	return cell
}

// word is a cell in the list's words.
func (l line) word(column string) string { return l.codes.ours(column, l.raw(column)) }

// need is a cell that must not be empty.
func (l line) need(column string) string {
	word := l.word(column)
	if word == "" {
		l.wrong(column, text("是空的", "is empty"), text("填写"+column, "fill it in"))
	}
	return word
}

func (l line) wrong(column string, what, mend exchange.Text) {
	l.at(l.Table, l.Line, column, what, mend)
}

// noWord refuses what the list has no word for.
func (l line) noWord(column, word string, known []string) {
	if runes := []rune(word); len(runes) > 20 {
		word = string(runes[:20]) + "…"
	}
	choices := strings.Join(known, "、")
	l.wrong(column, text("不认识“"+word+"”", "does not know "+strconv.Quote(word)),
		text("可写："+choices+"；来源另有写法或代码的，在 --codes 的 values 里写 "+column+": {来源的写法: 清单的写法}",
			"write one of: "+choices+"; where the source writes codes of its own, say under values in --codes what they stand for"))
}

// ruined is a long number after a spreadsheet has had it.
var ruined = regexp.MustCompile(`^[0-9](\.[0-9]+)?[Ee]\+?[0-9]+$`)

// code is a cell with a national code.
func (l line) code(column string) string {
	word := l.word(column)
	if len(word) < 12 && ruined.MatchString(word) {
		l.wrong(column, text("被表格软件改成了科学计数，原来的编码已不在文件里", "was turned into a rounded number by a spreadsheet; the code is no longer in the file"),
			text("从来源重新导出；打开 CSV 时把编码列设为“文本”", "export it again; open CSV files with the code columns set to text"))
		return ""
	}
	return word
}

// CSV writes the table so that a spreadsheet leaves long numbers as they are and computes nothing.
func (t Table) CSV(to io.Writer) error {
	out := csv.NewWriter(to)
	out.UseCRLF = true
	rows := [][]string{t.Columns}
	for _, row := range t.Rows {
		cells := slices.Clone(row.Cells)
		for i, cell := range cells {
			if _, err := strconv.ParseFloat(cell, 64); err == nil && len(cell) >= 12 {
				cells[i] = `="` + cell + `"`
			} else if computed(cell) || cell != "" && cell[0] == '\'' {
				cells[i] = "'" + cell
			}
		}
		rows = append(rows, cells)
	}
	return out.WriteAll(rows)
}

// computed says whether a spreadsheet would take the cell for a formula.
func computed(cell string) bool { return cell != "" && strings.ContainsRune("=+-@'", rune(cell[0])) }
