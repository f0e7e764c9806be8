package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
)

// limits are what a text may be at most. Everything far beyond is a mistake or an attack.
type limits struct {
	bytes    int
	depth    int // objects and arrays within each other
	members  int // members of objects and elements of arrays, all together
	number   int // characters of one number
	exponent int // beyond it a few characters stand for numbers that fill the memory
}

// documentLimits are those of a record, which has a few kilobytes.
func documentLimits() limits {
	return limits{bytes: 1 << 20, depth: maxDepth, members: 10_000, number: 40, exponent: 400}
}

// schemaLimits are those of a schema: longer than a record, since it describes one, and with smaller numbers, since each
// number of a document is computed with them.
func schemaLimits() limits {
	return limits{bytes: 512 << 10, depth: 200, members: 20_000, number: 40, exponent: 308}
}

// maxDepth is how deep a document may be nested. The cost of a validation is bounded for documents of that depth.
const maxDepth = 64

// Decode is the document gate: it reads one JSON document into map[string]any, []any, string, json.Number, bool and
// nil, and refuses everything that two readers could understand differently or that costs far more to read than to
// write: bytes that are not UTF-8, a byte order mark, lone surrogates, the same key twice, text after the document,
// monstrous numbers, depth, width and size. The error is a *exchange.Problem and holds nothing of the document.
//
// Numbers keep their digits. The strings of the result share one copy of the document's text.
func Decode(doc []byte) (any, error) {
	v, _, err := decode(doc, documentLimits())
	return v, err
}

// decode gives, where there is an error, also the byte offset near which it is.
func decode(doc []byte, most limits) (v any, offset int, err error) {
	if len(doc) > most.bytes {
		return nil, 0, tooLarge(len(doc), most.bytes)
	}
	if bytes.HasPrefix(doc, []byte("\xef\xbb\xbf")) {
		return nil, 0, gateProblem("YM-DOC-0102", "文档以字节顺序标记（BOM）开头", "document begins with a byte order mark",
			"另存为不带 BOM 的 UTF-8", "save it as UTF-8 without a byte order mark")
	}
	g := gate{
		text:   string(doc),
		most:   most,
		tokens: jsontext.NewDecoder(bytes.NewBuffer(doc), jsontext.AllowDuplicateNames(true)), // the maps see duplicates
	}
	v, err = g.value(0)
	if err == nil {
		err = g.end()
	}
	if err != nil {
		return nil, int(g.tokens.InputOffset()), g.explain(err)
	}
	return v, 0, nil
}

// gate is one reading of one document.
type gate struct {
	text    string // the document; strings of the result are slices of it
	most    limits
	tokens  *jsontext.Decoder
	members int
}

func (g *gate) value(depth int) (any, error) {
	switch g.tokens.PeekKind() {
	case '{':
		return g.object(depth + 1)
	case '[':
		return g.array(depth + 1)
	}
	raw, err := g.scalar()
	if err != nil {
		return nil, err
	}
	switch raw[0] {
	case '"':
		return g.unquote(raw)
	case 't':
		return true, nil
	case 'f':
		return false, nil
	case 'n':
		return nil, nil
	}
	if g.monstrous(raw) {
		return nil, g.at("YM-DOC-0107", "数字过长或者指数过大", "number is too long or its exponent is too large",
			fmt.Sprintf("数字最多 %d 个字符，指数绝对值最大 %d；编号应写成字符串", g.most.number, g.most.exponent),
			fmt.Sprintf("a number has at most %d characters and an exponent of at most %d; write identifiers as strings", g.most.number, g.most.exponent))
	}
	return json.Number(raw), nil
}

func (g *gate) object(depth int) (any, error) {
	if err := g.open(depth); err != nil {
		return nil, err
	}
	size := 0
	if depth == 1 {
		size = 16 // a record has about that many fields; growing a map in steps costs more than the room
	}
	m := make(map[string]any, size)
	for g.tokens.PeekKind() == '"' {
		if err := g.count(); err != nil {
			return nil, err
		}
		raw, err := g.scalar()
		if err != nil {
			return nil, err
		}
		name, err := g.unquote(raw)
		if err != nil {
			return nil, err
		}
		before := len(m)
		v, err := g.value(depth)
		if err != nil {
			return nil, err
		}
		if m[name] = v; len(m) == before {
			return nil, g.at("YM-DOC-0106", "同一个对象里有重复的键", "an object has the same key twice",
				"每个键只写一次；注意转义写法（如 \\u0061 与 a）是同一个键", "write each key once; escaped spellings (\\u0061 for a) are the same key")
		}
	}
	_, err := g.tokens.ReadToken()
	return m, err
}

func (g *gate) array(depth int) (any, error) {
	if err := g.open(depth); err != nil {
		return nil, err
	}
	list := []any{}
	for {
		if kind := g.tokens.PeekKind(); kind == ']' || kind == jsontext.KindInvalid {
			_, err := g.tokens.ReadToken()
			return list, err
		}
		if err := g.count(); err != nil {
			return nil, err
		}
		v, err := g.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
}

// open reads the delimiter that begins an object or an array.
func (g *gate) open(depth int) error {
	if depth > g.most.depth {
		return g.at("YM-DOC-0108", "对象和数组嵌套过深", "objects and arrays are nested too deeply",
			fmt.Sprintf("嵌套最多 %d 层", g.most.depth), fmt.Sprintf("nest at most %d levels", g.most.depth))
	}
	_, err := g.tokens.ReadToken()
	return err
}

func (g *gate) count() error {
	if g.members++; g.members > g.most.members {
		return g.at("YM-DOC-0109", "文档的成员过多", "document has too many members",
			fmt.Sprintf("对象成员和数组元素合计最多 %d 个；一份文档只写一条记录", g.most.members),
			fmt.Sprintf("at most %d members and elements in all; a document holds one record", g.most.members))
	}
	return nil
}

// scalar is the text of the next string, number or literal, a slice of the document's one copy.
func (g *gate) scalar() (string, error) {
	raw, err := g.tokens.ReadValue()
	if err != nil {
		return "", err
	}
	end := int(g.tokens.InputOffset())
	return g.text[end-len(raw) : end], nil
}

func (g *gate) unquote(raw string) (string, error) {
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	s, err := jsontext.AppendUnquote(nil, raw)
	return string(s), err
}

// end makes sure that nothing but white space follows.
func (g *gate) end() error {
	if _, err := g.tokens.ReadToken(); errors.Is(err, io.EOF) {
		return nil
	}
	return g.at("YM-DOC-0105", "文档结束后还有内容", "text follows the end of the document",
		"一份文档只含一个 JSON 值；多条记录请分开", "a document is one JSON value; separate several records")
}

// monstrous says whether a number's text is too long or its exponent too large to compute with.
func (g *gate) monstrous(number string) bool {
	if len(number) > g.most.number {
		return true
	}
	e := strings.IndexAny(number, "eE")
	if e < 0 {
		return false
	}
	exponent, err := strconv.Atoi(number[e+1:])
	return err != nil || exponent > g.most.exponent || exponent < -g.most.exponent
}

// explain turns what the tokeniser refused into a problem; it keeps the reason and the place and drops the text,
// because the tokeniser quotes what it read.
func (g *gate) explain(err error) error {
	var known *exchange.Problem
	if errors.As(err, &known) {
		return known
	}
	var syntactic *jsontext.SyntacticError
	switch {
	case !utf8.ValidString(g.text):
		return gateProblem("YM-DOC-0103", "文档不是 UTF-8 编码", "document is not UTF-8",
			"多半是 GBK 或者 GB 18030；先转换成 UTF-8，或者在清单里写明来源编码", "it is probably GBK or GB 18030; convert it to UTF-8, or name the source's encoding in the manifest")
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return g.at("YM-DOC-0104", "文档不完整", "document ends too early",
			"检查文件是否被截断，括号和引号是否成对", "see whether the file was cut off and whether brackets and quotes are closed")
	case errors.As(err, &syntactic) && strings.Contains(err.Error(), "surrogate"):
		return g.at("YM-DOC-0110", "字符串里有不成对的代理项（\\ud800–\\udfff）", "a string has a lone surrogate (\\ud800 to \\udfff)",
			"生僻字直接写成 UTF-8 字符，或者写成成对的转义", "write rare characters as UTF-8, or as a pair of escapes")
	}
	return g.at("YM-DOC-0104", "文档不是合法的 JSON", "document is not JSON",
		"检查该处的引号、逗号和括号", "look at the quotes, commas and brackets there")
}

// at is a problem at the place that was read last.
func (g *gate) at(code, zh, en, mendZH, mendEN string) *exchange.Problem {
	p := gateProblem(code, zh, en, mendZH, mendEN)
	offset := g.tokens.InputOffset()
	p.Why = exchange.Text{ZH: fmt.Sprintf("在第 %d 字节附近", offset), EN: fmt.Sprintf("near byte %d", offset)}
	return p
}

func tooLarge(size, most int) *exchange.Problem {
	p := gateProblem("YM-DOC-0101", "文档过大", "document is too large",
		"扫描件和图片不要放进记录", "keep scans and pictures out of records")
	p.Why = exchange.Text{ZH: fmt.Sprintf("共 %d 字节，最多 %d 字节", size, most), EN: fmt.Sprintf("it has %d bytes, at most %d are allowed", size, most)}
	return p
}

func gateProblem(code, zh, en, mendZH, mendEN string) *exchange.Problem {
	return &exchange.Problem{Code: code, Kind: exchange.Invalid,
		What: exchange.Text{ZH: zh, EN: en}, Mend: exchange.Text{ZH: mendZH, EN: mendEN}}
}
