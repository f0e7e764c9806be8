package tabular

import (
	"fmt"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

func text(zh, en string, args ...any) exchange.Text {
	if len(args) == 0 {
		return exchange.Text{ZH: zh, EN: en}
	}
	return exchange.Text{ZH: fmt.Sprintf(zh, args...), EN: fmt.Sprintf(en, args...)}
}

var writeAndRename = text("导出程序应先写到临时文件名，写完再改名为正式文件名；稍后会自动重读", "have the export write to a temporary name and rename it when done; the file is read again by itself")

func (s *Source) missing() error {
	return &exchange.Problem{Code: "YM-SRC-0101", Kind: exchange.NotFound, What: text("没有文件 %s", "there is no file %s", s.path),
		Mend: text("请核对清单中的 source.path（相对于清单所在文件夹），以及导出是否已运行", "check source.path in the manifest (relative to its folder), and whether the export has run")}
}

func (s *Source) unreadable(err error) error {
	return &exchange.Problem{Code: "YM-SRC-0102", Kind: exchange.Unavailable, What: text("无法读取 %s", "cannot read %s", s.path), Err: err,
		Mend: text("请核对文件权限与磁盘", "check the file's permissions and the disk")}
}

func (s *Source) notAFile() error {
	return s.refuse("YM-SRC-0103", text("不是普通文件", "is not a plain file"), exchange.Text{}, text("source.path 应指向一个 CSV 文件", "let source.path name a CSV file"))
}

func (s *Source) changed() error {
	p := s.refuse("YM-SRC-0104", text("文件在读取期间被改写", "the file changed while it was read"), text("读到的可能只是一部分，因此不作数", "what was read may be a part of it, so it does not count"), writeAndRename)
	p.Kind = exchange.Unavailable
	return p
}

func (s *Source) empty() error {
	return s.refuse("YM-SRC-0105", text("文件是空的", "the file is empty"), text("空文件多半是导出失败，不能据此撤回全部记录", "an empty file is most likely a failed export, and no reason to withdraw every record"), writeAndRename)
}

func (s *Source) noRows() error {
	return s.refuse("YM-SRC-0106", text("文件只有表头，没有一行数据", "the file has a header and no rows"), text("数据源声明为完整，据此会撤回全部记录", "the source is declared complete, so every record would be withdrawn"),
		text("请核对导出；确实一条都没有的，先不要启用此适配器", "check the export; where there really are none, do not run this adapter yet"))
}

func (s *Source) unclosedQuote(opened, until int) error {
	return s.refuse("YM-SRC-0121", text("第 %d 行开始的引号没有正确结束（读到第 %d 行）", "a quote opened in line %d is not closed properly (read on to line %d)", opened, until),
		text("其后的行被当成同一格的内容，无法分清", "the lines after it were taken for the content of one cell"),
		text("格内的双引号应写成两个（\"\"）；若文件被截断，请重新导出", `write a double quote inside a cell twice (""); if the file was cut off, export it again`))
}

func (s *Source) swallowedRows(opened, until int) error {
	return s.refuse("YM-SRC-0122", text("第 %d 行的引号似乎吞掉了到第 %d 行为止的各行", "a quote in line %d seems to have swallowed the rows up to line %d", opened, until),
		text("这一格里的文字分行后正好是完整的行", "the text of that cell falls into lines that are whole rows"),
		text("格内的双引号应写成两个（\"\"）；文字本来如此的，请导出时去掉换行", `write a double quote inside a cell twice (""); where the text really is so, export it without line breaks`))
}

func (s *Source) rowTooLong(line int) error {
	return s.refuse("YM-SRC-0123", text("第 %d 行之后的一行超过 %d MiB", "the row after line %d is longer than %d MiB", line, maxRow>>20),
		text("多半是引号没有结束，或不是 CSV 文件", "most likely a quote is not closed, or this is no CSV"), text("请检查该处的双引号，或重新导出", "look at the double quotes there, or export the file again"))
}

// The problems of a header name only columns that the manifest names, and others by their place: where the header is missing,
// its names are somebody's data.

func (s *Source) badHeader(why error) error {
	what := text("表头不能识读", "the header cannot be read")
	if why != nil {
		what = text("表头不能识读：%s", "the header cannot be read: %s", why)
	}
	return s.refuse("YM-SRC-0111", what, exchange.Text{},
		text("第一行应是列名；请检查其中的引号和字符编码", "the first line must be the names of the columns; look at its quotes and its encoding"))
}

func (s *Source) namelessColumns(places []int) error {
	return s.refuse("YM-SRC-0112", text("表头第 %s 列没有名称", "columns %s have no name", list(places)), exchange.Text{},
		text("请给每一列命名，或导出时去掉多余的空列", "name every column, or export without the empty ones"))
}

func (s *Source) repeatedColumns(places []int) error {
	return s.refuse("YM-SRC-0113", text("表头第 %s 列与前面的列同名", "columns %s have the name of an earlier one", list(places)), exchange.Text{},
		text("各列名称不得重复，请在导出时改名", "give each column a name of its own in the export"))
}

func (s *Source) lackingColumns(names []string, found int) error {
	why := text("文件有 %d 列", "the file has %d columns", found)
	if found == 1 {
		why = text("文件只有一列，分隔符可能不是 dialect.delimiter 所声明的", "the file has one column: its delimiter may not be the one dialect.delimiter declares")
	}
	return s.refuse("YM-SRC-0114", text("表头缺少：%s", "the header lacks %s", strings.Join(names, "、")), why,
		text("请核对导出的列与清单中的列名；第一行须是表头", "compare the export's columns with the manifest's; the first line must be the header"))
}

func (s *Source) otherColumns(places []int) error {
	return s.refuse("YM-SRC-0115", text("表头第 %s 列与清单 dialect.columns 不符", "columns %s are not those of dialect.columns in the manifest", list(places)),
		text("列的增减或换位可能意味着导出变了", "columns that come, go or move may mean that the export changed"),
		text("确认含义未变后更新 dialect.columns；不在意其余列的，可不写 dialect.columns", "see whether they still mean the same and bring dialect.columns up to date; leave it out if other columns do not matter"))
}

func list(places []int) string {
	words := make([]string, len(places))
	for i, p := range places {
		words[i] = fmt.Sprint(p)
	}
	return strings.Join(words, ", ")
}

// damage is what is wrong with one row.
func damage(code string, line int, what, mend exchange.Text) *exchange.Problem {
	return &exchange.Problem{Code: code, Kind: exchange.Invalid, What: what, Why: text("第 %d 行", "line %d", line), Mend: mend}
}

func wrongColumns(line, have, want int) *exchange.Problem {
	return damage("YM-SRC-0131", line, text("有 %d 栏，表头有 %d 栏", "has %d values, but the header has %d", have, want),
		text("格内含分隔符或换行的，应整格加双引号", "put quotes around cells that hold the delimiter or a line break"))
}

func bareQuote(line, column int) *exchange.Problem {
	return damage("YM-SRC-0132", line, text("第 %d 个字节处的双引号位置不对", "has a double quote where none may stand, at byte %d", column),
		text("含双引号的格应整格加引号，格内的双引号写成两个；=\"…\" 也须如此", `put quotes around the cell and write those inside it twice; this goes for ="…" as well`))
}

// flawed says what is wrong with the characters of a cell. A private-use code is named, because the mend needs it.
func flawed(kind flaw, line int, column, code string) *exchange.Problem {
	switch kind {
	case destroyed:
		return damage("YM-ENC-0102", line, text("“%s”栏有替换符 U+FFFD", "column %s holds the replacement character U+FFFD", column),
			text("原字在到达这里之前已经丢失，请从原始数据重新导出该行", "the character was lost before it came here: export the row again from the original data"))
	case private:
		return damage("YM-ENC-0301", line, text("“%s”栏有私用区字符 %s", "column %s holds the private-use character %s", column, code),
			text("该字只在本部门字库中有意义：查明后写进清单 dialect.glyphs，例如 U+E000: 㼆", "it has a meaning in the department's own font only: find out which and write it into dialect.glyphs, such as U+E000: 㼆"))
	case control:
		return damage("YM-ENC-0104", line, text("“%s”栏有控制字符", "column %s holds a control character", column),
			text("请在数据源中清除该格的不可见字符", "clear the invisible characters of that cell in the source"))
	}
	return damage("YM-ENC-0101", line, text("“%s”栏有不代表任何字符的字节", "column %s holds bytes that no character stands for", column),
		text("多半是汉字被截断或编码混杂：请把该列加长，或从原始数据重新导出", "most likely a character was cut in half or encodings are mixed: make the column longer, or export the row again"))
}
