package contract

import (
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
)

// Read reads a request's body strictly: unknown members, members twice or in other letter case, and trailing bytes are refused.
// Its errors say where a body went wrong and repeat none of it. mend says what to send instead.
func Read[T any](r *http.Request, mend exchange.Text) (T, error) {
	return read[T](r, mend, true)
}

// ReadOpen reads as Read does, but passes over members that are not known: those of a convention which others own and add to.
func ReadOpen[T any](r *http.Request, mend exchange.Text) (T, error) { return read[T](r, mend, false) }

func read[T any](r *http.Request, mend exchange.Text, strict bool) (T, error) {
	var asked, none T
	if err := checkContent(r.Header, mend); err != nil {
		return none, err
	}
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return none, refusal{badBody(tooLargeFor(tooLarge.Limit), mend), http.StatusRequestEntityTooLarge, ""}
	case err != nil:
		return none, BadBody(text("没有完整到达", "it did not arrive whole"), mend)
	case len(body) == 0:
		return none, BadBody(text("正文为空", "it is empty"), mend)
	}
	if err := json.Unmarshal(body, &asked, json.RejectUnknownMembers(strict), asDocumented); err != nil {
		return none, BadBody(whyNot(err), mend)
	}
	return asked, nil
}

func tooLargeFor(limit int64) exchange.Text {
	kib := strconv.FormatInt(limit>>10, 10)
	return text("超过 "+kib+" KiB", "it is larger than "+kib+" KiB")
}

// asDocumented reads as the document says: null is no text and no flag, and 24.0 is an integer too.
var asDocumented = json.WithUnmarshalers(json.JoinUnmarshalers(json.UnmarshalFromFunc(wholeNumber),
	json.UnmarshalFromFunc(func(d *jsontext.Decoder, _ *string) error { return notNull(d) }),
	json.UnmarshalFromFunc(func(d *jsontext.Decoder, _ *bool) error { return notNull(d) })))

func notNull(d *jsontext.Decoder) error {
	if d.PeekKind() == 'n' {
		return errNull
	}
	return errors.ErrUnsupported
}

// wholeNumber reads what JSON Schema calls an integer.
func wholeNumber(d *jsontext.Decoder, into *int) error {
	if d.PeekKind() != '0' {
		return errors.ErrUnsupported
	}
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	whole, err := strconv.Atoi(string(value))
	if err != nil {
		var f float64
		if f, err = strconv.ParseFloat(string(value), 64); err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return errNotWhole
		}
		whole = int(f)
	}
	*into = whole
	return nil
}

var (
	errNotWhole = errors.New("no whole number")
	errNull     = errors.New("null where a text or a flag belongs")
)

// BadBody is the refusal of a body; mend says what to send instead.
func BadBody(why, mend exchange.Text) error {
	return refusal{badBody(why, mend), http.StatusBadRequest, ""}
}

func badBody(why, mend exchange.Text) *exchange.Problem {
	return &exchange.Problem{Code: "YM-API-0101", Kind: exchange.Invalid, Why: why, Mend: mend,
		What: text("请求正文无法读取", "the request's body cannot be read")}
}

// checkContent refuses what says that it is no JSON. Who says nothing is believed, and so is the type of forms, because
// "curl -d" names that one whatever it sends; a token is no cookie, so a foreign page's form cannot make use of it.
func checkContent(h http.Header, mend exchange.Text) error {
	stated := h.Get("Content-Type")
	if stated == "" || stated == "application/json" {
		return nil
	}
	media, parameters, err := mime.ParseMediaType(stated)
	charset, has := parameters["charset"]
	if err == nil && (media == "application/json" || media == "application/x-www-form-urlencoded") && (!has || strings.EqualFold(charset, "utf-8")) {
		return nil
	}
	why := text("Content-Type 不是 UTF-8 的 application/json", "its Content-Type is not application/json in UTF-8")
	return refusal{badBody(why, mend), http.StatusUnsupportedMediaType, ""}
}

// whyNot says where a body went wrong without repeating any of it: a number may stand in the wrong place.
func whyNot(err error) exchange.Text {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		at := strconv.FormatInt(syntax.ByteOffset, 10)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return text("第 "+at+" 字节处的字段重复", "the member at byte "+at+" stands twice")
		}
		return text("第 "+at+" 字节处不是合法的 JSON", "it is not sound JSON at byte "+at)
	}
	var meaning *json.SemanticError
	if !errors.As(err, &meaning) {
		return text("不是合法的 JSON", "it is not sound JSON")
	}
	at := strconv.FormatInt(meaning.ByteOffset, 10)
	switch {
	case errors.Is(err, json.ErrUnknownName):
		return text("第 "+at+" 字节处的字段不认识（区分大小写）", "the member at byte "+at+" is unknown (letter case counts)")
	case meaning.JSONPointer == "":
		return text("应为一个 JSON 对象", "it must be one JSON object")
	case meaning.GoType != nil && meaning.GoType.Kind().String() == "string":
		return text("第 "+at+" 字节处的值应为字符串", "the value at byte "+at+" must be a string")
	}
	return text("第 "+at+" 字节处的值类型不对", "the value at byte "+at+" is of the wrong type")
}
