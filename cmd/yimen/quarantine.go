package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
)

func (s *session) quarantineVerbs() verb {
	return verb{
		use:   "quarantine",
		short: both("隔离区：没能发布的行，原因和改法", "quarantine: rows that could not be published, why, and how to mend them"),
		verbs: []verb{s.quarantineList(), s.quarantineExport()},
	}
}

// quarantinedRow is a row of `quarantine list`. The values stay out: the list is for screens that others see.
type quarantinedRow struct {
	Adapter exchange.Adapter `json:"adapter"`
	Line    int              `json:"line"`
	Column  string           `json:"column"`
	Code    string           `json:"code"`
	What    string           `json:"what"`
	Mend    string           `json:"mend"`
	Since   string           `json:"since"`
}

func (s *session) quarantineList() verb {
	var data string
	return verb{
		use:     "list [ADAPTER]",
		short:   both("列出隔离区中的行", "list the rows in quarantine"),
		example: "yimen quarantine list --data /var/lib/yimen\nyimen quarantine list scjg/licences -o json",
		max:     1, lists: true,
		flags:    func(f *pflag.FlagSet) { s.dataFlag(f, &data) },
		complete: anyOf(func() ([]string, error) { return adapterNames(data) }),
		run: func(_ context.Context, args []string) error {
			rows, err := s.quarantined(data, args)
			if err != nil {
				return err
			}
			if err := s.quarantineRows().print(s, rows); err != nil || len(rows) > 0 {
				return err
			}
			s.remark("隔离区是空的\n", "quarantine is empty\n")
			return nil
		},
	}
}

func (s *session) quarantined(data string, args []string) ([]quarantinedRow, error) {
	names, err := adapterNames(data)
	if err != nil {
		return nil, err
	}
	if len(args) == 1 {
		names = args
	}
	rows := []quarantinedRow{}
	for _, name := range names {
		in, err := readQuarantine(data, name)
		if err != nil {
			return nil, err
		}
		for _, q := range in {
			for _, f := range q.Faults {
				rows = append(rows, quarantinedRow{Adapter: exchange.Adapter(name), Line: q.Line, Column: f.Column, Code: f.Code,
					What: f.What.In(s.lang), Mend: f.Mend.In(s.lang), Since: q.Since.In(exchange.China).Format("2006-01-02 15:04:05")})
			}
		}
	}
	return rows, nil
}

func readQuarantine(data, name string) ([]*adapters.Quarantined, error) {
	names, err := adapterNames(data)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, name) {
		return nil, missing("0404", both("适配器", "adapter"), name, names, "yimen adapter status --data "+quoted(data))
	}
	adapter := exchange.Adapter(name)
	key, err := departmentKey(data, adapter.Department())
	if err != nil {
		return nil, err
	}
	return adapters.ReadQuarantine(stateDir(data, adapter), key)
}

func adapterNames(data string) ([]string, error) {
	all, err := statuses(data)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, a := range all {
		names = append(names, string(a.Adapter))
	}
	return names, nil
}

func (s *session) quarantineRows() list[quarantinedRow] {
	told := map[string]bool{} // the remedies said already: a thousand rows may have one mistake
	return list[quarantinedRow]{
		name: func(q quarantinedRow) string { return fmt.Sprintf("%s:%d", q.Adapter, q.Line) },
		columns: []column[quarantinedRow]{
			{head: both("适配器", "ADAPTER"), cell: func(q quarantinedRow) string { return string(q.Adapter) }},
			{head: both("行", "LINE"), cell: func(q quarantinedRow) string { return strconv.Itoa(q.Line) }},
			{head: both("代码", "CODE"), cell: func(q quarantinedRow) string { return q.Code }},
			{head: both("原因", "WHAT"), cell: func(q quarantinedRow) string { return q.What }},
			{head: both("改法", "MEND"), wide: true, cell: func(q quarantinedRow) string { return q.Mend }},
			{head: both("自", "SINCE"), wide: true, cell: func(q quarantinedRow) string { return q.Since }},
		},
		note: func(q quarantinedRow) string {
			if s.format == asWide || told[q.Mend] {
				return ""
			}
			told[q.Mend] = true
			return q.Mend
		},
	}
}

func (s *session) quarantineExport() verb {
	var data string
	return verb{
		use:   "export ADAPTER",
		short: both("把隔离的行按数据源自己的列导出为 CSV，附原因和改法", "export the rows as CSV in the source's own columns, with reason and remedy"),
		long: both("导出的内容含个人信息，只交给数据所属部门改正。表格软件会改动的长数字写成 =\"…\"，会被当作公式的内容前加单引号。",
			"The export holds personal data: it is for the department that owns them. Long numbers, which spreadsheets would round, are written as =\"…\"; what they would run as a formula gets a leading apostrophe."),
		example: "yimen quarantine export scjg/licences --data /var/lib/yimen > fix-these.csv",
		min:     1, max: 1,
		flags:    func(f *pflag.FlagSet) { s.dataFlag(f, &data) },
		complete: anyOf(func() ([]string, error) { return adapterNames(data) }),
		run: func(_ context.Context, args []string) error {
			rows, err := readQuarantine(data, args[0])
			if err != nil {
				return err
			}
			return s.writeQuarantine(s.out, rows)
		},
	}
}

// byteOrderMark makes spreadsheets read the file as UTF-8.
const byteOrderMark = "\ufeff"

func (s *session) writeQuarantine(w io.Writer, rows []*adapters.Quarantined) error {
	if len(rows) == 0 {
		fmt.Fprintln(s.talk, s.t("隔离区是空的", "quarantine is empty"))
		return nil
	}
	io.WriteString(w, byteOrderMark) // an error shows at the end
	out := csv.NewWriter(w)
	out.Write(append(append([]string{}, rows[0].Columns...), s.t("行号", "line"), s.t("原因代码", "code"), s.t("原因", "what"), s.t("改法", "mend")))
	for _, q := range rows {
		record := make([]string, len(rows[0].Columns))
		for i := range min(len(record), len(q.Values)) {
			record[i] = forSpreadsheet(q.Values[i])
		}
		var codes, what, mend []string
		for _, f := range q.Faults {
			codes, what, mend = append(codes, f.Code), append(what, f.What.In(s.lang)), append(mend, f.Mend.In(s.lang))
		}
		out.Write(append(record, strconv.Itoa(q.Line), strings.Join(codes, " "), strings.Join(what, "；"), strings.Join(mend, "；")))
	}
	out.Flush()
	return out.Error()
}

// roundedFrom is from how many digits on spreadsheets keep only fifteen, or show an exponent.
const roundedFrom = 12

// forSpreadsheet protects a value from the program that will open it. The mapping takes both protections off again.
func forSpreadsheet(value string) string {
	digits := strings.TrimRight(value, "Xx")
	if len(value) >= roundedFrom && strings.Trim(digits, "0123456789") == "" {
		return `="` + value + `"`
	}
	if inner, ok := strings.CutPrefix(value, `="`); ok && len(inner) > 1 && strings.Trim(inner[:len(inner)-1], "0123456789Xx") == "" && inner[len(inner)-1] == '"' {
		return value // the source protects it in the same way
	}
	if value != "" && strings.ContainsRune("=+@\t\r", rune(value[0])) {
		return "'" + value
	}
	return value
}
