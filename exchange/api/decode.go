package api

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

// maxBody bounds a request's body; a query takes a few hundred bytes.
const maxBody = 64 << 10

func readQuery(r *http.Request) (QueryRequest, error) {
	if err := checkContent(r.Header); err != nil {
		return QueryRequest{}, err
	}
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return QueryRequest{}, refusal{badBody(text("超过 64 KiB", "it is larger than 64 KiB")), http.StatusRequestEntityTooLarge, ""}
	case err != nil:
		return QueryRequest{}, badBody(text("没有完整到达", "it did not arrive whole"))
	}
	return parseQuery(body)
}

// checkContent refuses what says that it is no JSON. Who says nothing is believed, and so is the type of forms, because
// "curl -d" names that one whatever it sends; a token is no cookie, so a foreign page's form cannot make use of it.
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
	return refusal{badBody(text("Content-Type 不是 UTF-8 的 application/json", "its Content-Type is not application/json in UTF-8")), http.StatusUnsupportedMediaType, ""}
}

// parseQuery reads a body strictly: unknown members, members twice or in other letter case, and trailing bytes are refused.
func parseQuery(body []byte) (QueryRequest, error) {
	var asked QueryRequest
	if len(body) == 0 {
		return asked, badBody(text("正文为空", "it is empty"))
	}
	if err := json.Unmarshal(body, &asked, json.RejectUnknownMembers(true)); err != nil {
		return QueryRequest{}, badBody(whyNot(err))
	}
	var lacking []string
	for _, member := range []struct{ name, value string }{{"case", asked.Case}, {"item", string(asked.Item)}, {"applicant", asked.Applicant}} {
		if member.value == "" {
			lacking = append(lacking, member.name)
		}
	}
	if len(lacking) > 0 {
		names := strings.Join(lacking, ", ")
		return QueryRequest{}, badBody(text("缺少 "+names, names+" missing or empty"))
	}
	return asked, nil
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
	}
	return text("第 "+at+" 字节处的值应为字符串", "the value at byte "+at+" must be a string")
}
