package rest

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/registry"
)

// wish is the body of a registration, a look-up or a test. Members that are not named here are ignored.
type wish struct {
	Schema     jsontext.Value       `json:"schema"`
	SchemaType string               `json:"schemaType"`
	References []registry.Reference `json:"references"`
	Metadata   *registry.Metadata   `json:"metadata"`
	RuleSet    jsontext.Value       `json:"ruleSet"`
	ID         int                  `json:"id"`
	Version    int                  `json:"version"`
}

// contentTypes are what a body may say it is. curl names that of forms whatever it sends; a caller is known by a token, not
// by a cookie, so a foreign page's form cannot make use of it.
var contentTypes = []string{registryJSON, "application/vnd.schemaregistry+json", plainJSON, "application/octet-stream", "application/x-www-form-urlencoded"}

// decode reads the body into a value.
func (c *call) decode(into any) error {
	if err := checkContent(c.r.Header.Get("Content-Type")); err != nil {
		return err
	}
	if coding := c.r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return refusal(415, exchange.Invalid, text("请求正文经过压缩", "the body is compressed"), exchange.Text{}, text("不要压缩", "send it as it is"))
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return refusal(42209, exchange.Invalid, text("请求正文超过 1 MiB", "the body is larger than 1 MiB"), exchange.Text{},
			text("拆分 Schema，用 references 引用", "split the schema, and name its parts in references"))
	case err != nil:
		return badBody(text("没有完整到达", "it did not arrive whole"))
	}
	return parse(body, into)
}

func checkContent(stated string) error {
	if stated == "" {
		return nil
	}
	media, parameters, err := mime.ParseMediaType(stated)
	charset, has := parameters["charset"]
	if err == nil && slices.Contains(contentTypes, media) && (!has || strings.EqualFold(charset, "utf-8")) {
		return nil
	}
	return refusal(415, exchange.Invalid, text("Content-Type 不可用", "HTTP 415 Unsupported Media Type"), exchange.Text{},
		text("用 "+registryJSON+"，UTF-8", "use "+registryJSON+" in UTF-8"))
}

// parse reads one JSON object. An error repeats nothing of it.
func parse(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return badBody(whyNot(err))
	}
	return nil
}

func whyNot(err error) exchange.Text {
	var meaning *json.SemanticError
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return text("有字段重复", "a member stands twice")
	}
	if errors.As(err, &meaning) && meaning.JSONPointer != "" {
		return text("字段 "+string(meaning.JSONPointer)+" 的类型不符", "the member "+string(meaning.JSONPointer)+" is of another type")
	}
	return text("不是一个 JSON 对象", "it is not one JSON object")
}

func badBody(why exchange.Text) error {
	return refusal(400, exchange.Invalid, text("请求正文无法读取", "the request's body cannot be read"), why,
		text(`例如 {"schema":"…","schemaType":"JSON"}`, `send one such as {"schema":"…","schemaType":"JSON"}`))
}

// candidate reads the body of a registration, a look-up or a test.
func (c *call) candidate() (registry.Candidate, error) {
	var w wish
	if err := c.decode(&w); err != nil {
		return registry.Candidate{}, err
	}
	found, err := w.candidate()
	found.Normalize = c.query.flag("normalize")
	return found, err
}

// candidate is what is wished for. Other kinds of schema are refused, and a body without schemaType means Avro.
func (w wish) candidate() (registry.Candidate, error) {
	if !strings.EqualFold(w.SchemaType, schemaType) {
		return registry.Candidate{}, wrongType(w.SchemaType)
	}
	schema, err := w.text()
	if err != nil {
		return registry.Candidate{}, err
	}
	if !empty(w.RuleSet) {
		return registry.Candidate{}, noRules()
	}
	references := make([]registry.Reference, len(w.References))
	for i, r := range w.References {
		if r.Subject, err = plainSubject(r.Subject); err != nil {
			return registry.Candidate{}, err
		}
		references[i] = r
	}
	if len(references) == 0 {
		references = nil
	}
	return registry.Candidate{Text: []byte(schema), References: references, Metadata: w.metadata(), ID: max(w.ID, 0), Version: max(w.Version, 0)}, nil
}

// text is the schema, which stands in the body as a string.
func (w wish) text() (schema string, err error) {
	if w.Schema != nil && w.Schema.Kind() != '"' && w.Schema.Kind() != 'n' {
		return "", refusal(42201, exchange.Invalid, text("schema 不是字符串", "the member schema is not a string"), exchange.Text{},
			text(`把 Schema 写成字符串：{"schema":"{\"type\":\"object\"}"}`, `write the schema as a string: {"schema":"{\"type\":\"object\"}"}`))
	}
	if w.Schema.Kind() == '"' {
		if err := json.Unmarshal(w.Schema, &schema); err != nil {
			return "", badBody(whyNot(err))
		}
	}
	if strings.TrimSpace(schema) == "" {
		return "", refusal(42201, exchange.Invalid, text("没有 Schema", "Empty schema"), exchange.Text{}, text("在 schema 字段中给出", "give it in the member schema"))
	}
	return schema, nil
}

// metadata is what is wished for, nil where it says nothing: an empty one must not make another schema of it.
func (w wish) metadata() *registry.Metadata {
	if m := w.Metadata; m != nil && len(m.Tags)+len(m.Properties)+len(m.Sensitive) > 0 {
		return m
	}
	return nil
}

// empty is whether a member says nothing: it is not there, or holds nothing but empty things.
func empty(v jsontext.Value) bool {
	var value any
	return v == nil || json.Unmarshal(v, &value) == nil && hollow(value)
}

func hollow(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, member := range v {
			if !hollow(member) {
				return false
			}
		}
		return true
	}
	return false
}

func wrongType(stated string) error {
	why := text("没有 schemaType，按约定表示 AVRO", "there is no schemaType, which means AVRO")
	if stated != "" {
		why = text("schemaType 不是 JSON", "the schemaType is not JSON")
	}
	return refusal(42201, exchange.Invalid, text("本登记处只保存 JSON Schema", "This registry holds JSON Schema only"), why,
		text(`写上 "schemaType":"JSON"`, `write "schemaType":"JSON"`))
}

// noRules refuses what Confluent's free registry drops without a word: a producer that trusts in a rule to encrypt a field
// would send it as it is.
func noRules() error {
	return refusal(42210, exchange.Invalid, text("本登记处不执行 ruleSet", "This registry carries out no ruleSet"),
		text("规则若被忽略，应加密的字段会以明文发出", "were it ignored, a field that a rule encrypts would be sent as it is"), text("去掉 ruleSet", "leave the ruleSet out"))
}
