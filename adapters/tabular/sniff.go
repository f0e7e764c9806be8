package tabular

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/onedoor/yimen/exchange"
)

// sampleSize is how much of a file is looked at before it is read.
const sampleSize = 1 << 20

// sniff refuses a file that is plainly not what the dialect declares, before any mojibake of it is published. It never
// changes how the file is read.
func (s *Source) sniff(f io.Reader) error {
	buffer := make([]byte, sampleSize)
	n, err := io.ReadFull(f, buffer)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return s.unreadable(err)
	}
	sample := buffer[:n]
	if p := s.signature(sample); p != nil {
		return p
	}
	var seen tally
	rest := seen.count(sample, n < sampleSize)
	if s.dialect.Encoding == "utf-8" {
		if seen.unlikeUTF8() {
			return s.notUTF8()
		}
		return nil
	}
	// A file that is UTF-8 decodes as GB 18030 without many errors, so all of it is looked at, until it is sure not to be.
	for !seen.surelyNotUTF8() {
		kept := copy(buffer, rest)
		n, err := f.Read(buffer[kept:])
		if err != nil && err != io.EOF {
			return s.unreadable(err)
		}
		rest = seen.count(buffer[:kept+n], err == io.EOF)
		if err == io.EOF {
			break
		}
	}
	if seen.likeUTF8() {
		return s.isUTF8()
	}
	return nil
}

// signature refuses files that say themselves what they are.
func (s *Source) signature(sample []byte) error {
	begins := func(mark string) bool { return bytes.HasPrefix(sample, []byte(mark)) }
	gb := s.dialect.Encoding == "gb18030"
	switch {
	case begins("\xff\xfe"), begins("\xfe\xff"), bytes.Count(sample, []byte{0}) > len(sample)/8:
		return s.isUTF16()
	case begins("PK\x03\x04"), begins("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
		return s.isWorkbook()
	case gb && begins(markUTF8):
		return s.isUTF8()
	case !gb && begins(markGB18030):
		return s.notUTF8()
	}
	return nil
}

// tally counts what a text would be as UTF-8.
type tally struct {
	han     int // common ideographs
	multi   int // characters of several bytes, ideographs included
	invalid int // bytes that are no UTF-8
}

// count gives back what may be the beginning of a character.
func (t *tally) count(b []byte, last bool) (rest []byte) {
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			b = b[1:]
			continue
		}
		if !last && !utf8.FullRune(b) {
			return b
		}
		r, size := utf8.DecodeRune(b)
		switch {
		case size == 1:
			t.invalid++
		case r >= 0x4e00 && r <= 0x9fff:
			t.han++
			t.multi++
		default:
			t.multi++
		}
		b = b[size:]
	}
	return nil
}

// likeUTF8 says that so much Chinese is hardly read out of anything else by chance. A few wrong bytes do not change that.
func (t *tally) likeUTF8() bool { return t.han >= 2 && t.han > 4*t.invalid }

func (t *tally) unlikeUTF8() bool { return t.invalid >= 2 && t.invalid > t.multi }

func (t *tally) surelyNotUTF8() bool { return t.invalid > 256 && t.invalid > t.han }

func (s *Source) refuse(code string, what, why, mend exchange.Text) *exchange.Problem {
	return &exchange.Problem{Code: code, Kind: exchange.Invalid, Why: why, Mend: mend,
		What: exchange.Text{ZH: s.file() + "：" + what.ZH, EN: s.file() + ": " + what.EN}}
}

func (s *Source) isUTF8() error {
	return s.refuse("YM-ENC-0201", text("文件是 UTF-8，而清单声明为 gb18030", "the file is UTF-8, but declared as gb18030"),
		text("按 gb18030 读出来会是乱码", "read as gb18030 it would be gibberish"),
		text("在清单中写 dialect: {encoding: utf-8}", "write dialect: {encoding: utf-8} in the manifest"))
}

func (s *Source) notUTF8() error {
	return s.refuse("YM-ENC-0202", text("文件不是 UTF-8，而清单声明为 utf-8", "the file is not UTF-8, but declared as utf-8"),
		text("其中多数汉字不是有效的 UTF-8", "most of its characters are not valid UTF-8"),
		text("在清单中写 dialect: {encoding: gb18030}（GBK、GB2312、ANSI 同），或另存为 UTF-8", "write dialect: {encoding: gb18030} in the manifest (for GBK, GB2312 and ANSI as well), or export as UTF-8"))
}

func (s *Source) isUTF16() error {
	return s.refuse("YM-ENC-0203", text("文件是 UTF-16", "the file is UTF-16"), text("Excel 的“Unicode 文本”就是 UTF-16", "Excel's Unicode text is UTF-16"),
		text("另存为“CSV UTF-8”，并在清单中写 dialect: {encoding: utf-8}", "save it as CSV UTF-8, and write dialect: {encoding: utf-8} in the manifest"))
}

func (s *Source) isWorkbook() error {
	return s.refuse("YM-ENC-0204", text("文件是 Excel 工作簿，不是 CSV", "the file is an Excel workbook, not CSV"), exchange.Text{},
		text("在 Excel 中另存为“CSV UTF-8”，改扩展名不起作用", "save it as CSV UTF-8 in Excel; renaming it does not help"))
}
