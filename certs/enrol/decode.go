package enrol

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
)

// maxBody bounds a request's body; a certificate request takes a few hundred bytes.
const maxBody = 64 << 10

// decode reads a body of one JSON object.
func decode(r *http.Request, into any) error {
	if err := checkContent(r.Header); err != nil {
		return err
	}
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return badBody(text("超过 64 KiB", "it is larger than 64 KiB"))
	case err != nil:
		return badBody(text("没有完整到达", "it did not arrive whole"))
	}
	return parse(body, into)
}

// checkContent refuses what says that it is no JSON. curl names the type of forms whatever it sends.
func checkContent(h http.Header) error {
	stated := h.Get("Content-Type")
	if stated == "" {
		return nil
	}
	media, parameters, err := mime.ParseMediaType(stated)
	charset, has := parameters["charset"]
	if err == nil && (media == "application/json" || media == "application/x-www-form-urlencoded") && (!has || strings.EqualFold(charset, "utf-8")) {
		return nil
	}
	return badBody(text("Content-Type 不是 UTF-8 的 application/json", "its Content-Type is not application/json in UTF-8"))
}

// parse reads strictly: unknown members, members twice or in other letter case, and trailing bytes are refused.
func parse(body []byte, into any) error {
	if len(body) == 0 {
		return badBody(text("正文为空", "it is empty"))
	}
	if err := json.Unmarshal(body, into, json.RejectUnknownMembers(true)); err != nil {
		return badBody(whyNot(err))
	}
	return nil
}

// whyNot says where a body went wrong without repeating any of it: a token may stand there.
func whyNot(err error) exchange.Text {
	var syntax *jsontext.SyntacticError
	var meaning *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		at := strconv.FormatInt(syntax.ByteOffset, 10)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return text("第 "+at+" 字节处的字段重复", "the member at byte "+at+" stands twice")
		}
		return text("第 "+at+" 字节处不是合法的 JSON", "it is not sound JSON at byte "+at)
	case errors.As(err, &meaning):
		at := strconv.FormatInt(meaning.ByteOffset, 10)
		if errors.Is(err, json.ErrUnknownName) {
			return text("第 "+at+" 字节处的字段不认识（区分大小写）", "the member at byte "+at+" is unknown (letter case counts)")
		}
		return text("第 "+at+" 字节处的值类型不符", "the value at byte "+at+" is of another type")
	}
	return text("不是合法的 JSON", "it is not sound JSON")
}
