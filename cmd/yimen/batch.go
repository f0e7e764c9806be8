package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/exchange/wire"
)

func (s *session) batchVerb() verb {
	var server, mode, on string
	var token *secret
	return verb{
		use:   "batch ITEM FILE",
		short: both("批量核验：一个事项、许多申请人", "ask for one service item and many applicants"),
		long: both(`FILE 是 UTF-8 的 CSV，表头为 case,applicant：收件号和申请人号码，每行一位；- 表示标准输入。每一位都是一次核验：各留回执，各计一次限额。
达到限额、没有权限或平台不可用时停下，其余的没有查询：把它们存成另一个文件再来。`,
			`FILE is a CSV in UTF-8 with the header case,applicant: a case number and an applicant's number in each row; - is standard input. Each is a query with a receipt of its own, and counts as one.
A limit, a missing permission or an exchange that is not available ends it, and the others were not asked for: put them into another file and come again.`),
		example: "yimen batch food-licence-new subjects.csv --token @clerk.token\nyimen batch food-licence-new - --mode predicates --token @clerk.token -o json < subjects.csv",
		min:     2, max: 2, lists: true,
		flags: func(f *pflag.FlagSet) {
			token = s.callerFlags(f, &server, both("调用令牌 `TOKEN`", "the caller's token `TOKEN`"))
			f.StringVar(&mode, "mode", "", s.t("答多少 `MODE`：full、predicates", "how much is told, `MODE`: full or predicates"))
			f.StringVar(&on, "on", "", s.t("按哪天有效 `DAY`；省略即今天", "the `DAY` on which records must be valid; without, today"))
		},
		run: func(ctx context.Context, args []string) error {
			subjects, err := s.subjectsIn(ctx, args[1])
			if err != nil {
				return err
			}
			client, err := s.window(ctx, server, token)
			if err != nil {
				return err
			}
			rows, stopped, err := s.askInBatches(ctx, client, api.BatchRequest{Item: exchange.Item(args[0]), Mode: broker.Mode(mode), On: exchange.Date(on)}, subjects)
			if err != nil && len(rows) == 0 {
				return err
			}
			return errors.Join(s.batchRows().print(s, rows), howItEnded(err, stopped, rows))
		},
	}
}

// subjectsIn reads who is asked for. What is wrong is told by its line, without repeating it.
func (s *session) subjectsIn(ctx context.Context, file string) ([]api.Subject, error) {
	from := io.Reader(stoppable(ctx, os.Stdin))
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fileProblem(file, err)
		}
		defer f.Close()
		from = f
	}
	return readSubjects(from)
}

// readSubjects reads the rows behind the header case,applicant.
func readSubjects(from io.Reader) ([]api.Subject, error) {
	r := bufio.NewReader(from)
	if mark, _ := r.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = r.Discard(3)
	}
	rows := csv.NewReader(r)
	rows.FieldsPerRecord, rows.ReuseRecord = 2, true
	head, err := rows.Read()
	if err != nil || !slices.Equal(head, []string{"case", "applicant"}) {
		return nil, badSubjects(1, both("表头不是 case,applicant", "the header is not case,applicant"))
	}
	var all []api.Subject
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		line, _ := rows.FieldPos(0)
		switch {
		case err != nil:
			var wrong *csv.ParseError
			if errors.As(err, &wrong) {
				line = wrong.Line
			}
			return nil, badSubjects(line, both("不是两列的 CSV", "it is no CSV of two columns"))
		case row[0] == "":
			return nil, badSubjects(line, both("缺少收件号", "the case number is missing"))
		}
		if _, err := identity.ParseHolder(row[1]); err != nil {
			return nil, badSubjects(line, both("申请人号码不对", "the applicant's number is none"))
		}
		all = append(all, api.Subject{Case: row[0], Applicant: row[1]})
	}
	if len(all) == 0 {
		return nil, badSubjects(2, both("没有申请人", "there is no applicant"))
	}
	return all, nil
}

func badSubjects(line int, why exchange.Text) error {
	return &exchange.Problem{Code: "YM-CLI-0309", Kind: exchange.Invalid, What: both(fmt.Sprintf("第 %d 行无法使用，一位都没有查询", line), fmt.Sprintf("line %d cannot be used, and nobody was asked for", line)), Why: why,
		Mend: both("写成 case,applicant 两列的 UTF-8 CSV，号码按文本保存", "make it a CSV in UTF-8 with the columns case,applicant, numbers kept as text")}
}

// batchRow is what came of one subject.
type batchRow struct {
	Case       string             `json:"case"`
	Applicant  string             `json:"applicant"` // masked
	Conclusion *broker.Conclusion `json:"conclusion,omitempty"`
	Problem    *wire.Details      `json:"problem,omitempty"`
}

// askInBatches asks for all, as many at a time as a batch has, until something ends it.
func (s *session) askInBatches(ctx context.Context, client *api.Client, asked api.BatchRequest, subjects []api.Subject) (rows []batchRow, stopped *wire.Details, err error) {
	told := s.progress(int64(len(subjects)))
	for part := range slices.Chunk(subjects, api.MaxBatch) {
		asked.Subjects = part
		answer, err := client.Batch(ctx, asked)
		if err != nil {
			return rows, nil, err
		}
		for i, r := range answer.Results {
			rows = append(rows, batchRow{part[i].Case, identity.Mask(part[i].Applicant), r.Conclusion, r.Problem})
		}
		told.at(int64(len(rows)), 0)
		if answer.Stopped != nil {
			return rows, answer.Stopped, nil
		}
	}
	return rows, nil, nil
}

// howItEnded is how a batch ended: by an error, by what stands in the way of all, or with some that could not be answered.
func howItEnded(err error, stopped *wire.Details, rows []batchRow) error {
	switch {
	case err != nil:
		return err
	case stopped != nil:
		return &exchange.Problem{Code: stopped.Code, Kind: stopped.Kind, What: stopped.What, Why: stopped.Why, Mend: stopped.How}
	case slices.ContainsFunc(rows, func(r batchRow) bool { return r.Problem != nil }):
		return exitFailed
	}
	return nil
}

func (s *session) batchRows() list[batchRow] {
	return list[batchRow]{
		name: func(r batchRow) string { return r.Case },
		columns: []column[batchRow]{
			{head: both("收件号", "CASE"), cell: func(r batchRow) string { return plain(r.Case) }},
			{head: both("申请人", "APPLICANT"), cell: func(r batchRow) string { return r.Applicant }},
			{head: both("结论", "ANSWER"), cell: func(r batchRow) string {
				if r.Problem != nil {
					return r.Problem.Code + " " + plain(r.Problem.What.In(s.lang))
				}
				return exchange.Summary(r.Conclusion.Answers).In(s.lang)
			}},
			{head: both("回执", "RECEIPT"), wide: true, cell: func(r batchRow) string {
				if r.Conclusion == nil {
					return ""
				}
				return r.Conclusion.ID
			}},
		},
	}
}
