package contract

import (
	"cmp"
	stdjson "encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/wire"
)

const problemMedia = "application/problem+json"

// Document is the OpenAPI 3.1 document of the operations, the same bytes for the same operations. Schemas follow from the
// types of the examples.
func Document(operations []Operation) ([]byte, error) {
	d := draft{huma.NewMapRegistry("#/components/schemas/", namer())}
	d.RegisterTypeAlias(reflect.TypeFor[jsontext.Value](), reflect.TypeFor[stdjson.RawMessage]()) // any JSON, which huma takes for bytes
	d.RegisterTypeAlias(reflect.TypeFor[exchange.RecordID](), reflect.TypeFor[recordID]())
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{Title: "一门 Yimen", Version: "1",
			Description: both(text("政府部门间的证照共享：一件事项、一位申请人，哪些材料政府已有。证件号码只写在正文里，绝不写进地址。拒绝以 RFC 9457 说明，中英文。请求所带的 traceparent（W3C Trace Context）传到日志、审计主题和答复（traceresponse）；tracestate 不传。",
				"Evidence shared between departments: for one service item and one applicant, what government already holds. Numbers of people travel in bodies only, never in addresses. Refusals are problem details of RFC 9457, in Chinese and English. A request's traceparent (W3C Trace Context) goes on to logs, the audit topic and the answer (traceresponse); tracestate does not."))},
		Components: &huma.Components{Schemas: d.Registry, SecuritySchemes: map[string]*huma.SecurityScheme{
			"token":       {Type: "http", Scheme: "bearer", Description: both(text("令牌：登录服务签发，或在 callers 文件中", "a token, of the login service or of the callers file"))},
			"certificate": {Type: "mutualTLS", Description: both(text("城市签发的证书；须另带 Yimen-Nonce 和 Yimen-Time", "a certificate of the city; Yimen-Nonce and Yimen-Time must come with it"))}}},
	}
	for _, group := range groups {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: string(group.Group), Description: both(group.Text)})
	}
	for _, o := range operations {
		doc.AddOperation(d.operation(o))
	}
	d.loosen(operations)
	body, err := doc.MarshalJSON()
	if err != nil {
		return nil, err
	}
	pretty := jsontext.Value(body)
	if err := pretty.Canonicalize(jsontext.CanonicalizeRawInts(false)); err != nil {
		return nil, err
	}
	if err := pretty.Indent(jsontext.WithIndent("  ")); err != nil {
		return nil, err
	}
	return append(pretty, '\n'), nil
}

// groups are the chapters, in their order.
var groups = []struct {
	Group
	exchange.Text
}{
	{Queries, text("核验", "queries: which materials need not be brought")},
	{National, text("国家电子证照共享服务接口（GB/T 36906 的写法）", "the national e-licence sharing interface, as of GB/T 36906")},
	{Items, text("事项与材料", "service items and their materials")},
	{Grants, text("共享授权：申请、决定、核对", "grants: asking for them, deciding on them, checking them")},
	{Notices, text("订阅与通知", "subscriptions and notices")},
	{Doubts, text("疑义：提出、答复、影响范围", "doubts: raising them, answering them, who relied on what is in doubt")},
	{Audit, text("审计：回执、查询记录、谁看过我的数据", "audit: receipts, entries, who looked at my data")},
	{Limits, text("限额与暂停", "limits and suspensions")},
	{Erasures, text("删除", "orders to forget")},
	{Joining, text("入网与身份", "joining, and the identities of departments")},
	{Health, text("运行状态与接口说明", "health, and this description")},
}

// recordID stands for exchange.RecordID in schemas, which would say of it that it is some text.
type recordID string

func (recordID) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9A-Fa-f]{32}$"}
}

// draft is a document while it is written.
type draft struct{ huma.Registry }

func (d draft) operation(o Operation) *huma.Operation {
	op := &huma.Operation{OperationID: o.ID, Method: o.Method, Tags: []string{string(o.Group)}, Summary: o.Name.ZH + " · " + o.Name.EN, Description: both(o.About), Path: path(o.Path)}
	if !o.Open && !o.Foreign {
		op.Security = []map[string][]string{{"token": {}}, {"certificate": {}}}
	}
	for _, p := range o.Parameters {
		op.Parameters = append(op.Parameters, p.param())
	}
	if o.Repeats > 0 {
		op.Parameters = append(op.Parameters, o.keyParameter().param())
		o.Refusals = append(slices.Clip(o.Refusals), badKey(), otherBody())
	}
	if o.Parts > 0 {
		op.Parameters = append(op.Parameters, o.partParameters()...)
		o.Refusals = append(slices.Clip(o.Refusals), badSpan())
	}
	if o.Asked != nil {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": d.media(o.Asked)}}
	}
	op.Responses = map[string]*huma.Response{"200": {Description: both(text("成功", "done")), Content: d.answers(o), Headers: o.headers()}}
	d.refusals(o, op.Responses)
	return op
}

// path is a pattern of http.ServeMux as OpenAPI has it.
func path(pattern string) string {
	return strings.ReplaceAll(strings.TrimSuffix(pattern, "{$}"), "...}", "}")
}

// answers are what an operation answers with, by media type.
func (d draft) answers(o Operation) map[string]*huma.MediaType {
	all := map[string]*huma.MediaType{}
	for media := range strings.SplitSeq(cmp.Or(o.Media, "application/json"), ", ") {
		all[media] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		if _, written := o.Answer.(string); written || media == "application/json" {
			all[media] = d.media(o.Answer)
		}
	}
	return all
}

// media is a body by its example.
func (d draft) media(example any) *huma.MediaType {
	if written, ok := example.(string); ok {
		return &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}, Example: written}
	}
	body, err := json.Marshal(example, json.Deterministic(true))
	if err != nil {
		panic(err) // an example that cannot be written is wrong in the code
	}
	return &huma.MediaType{Schema: d.schema(reflect.TypeOf(example)), Example: stdjson.RawMessage(body)}
}

func (d draft) schema(t reflect.Type) *huma.Schema { return d.Schema(t, true, "") }

// refusals describes what an operation refuses, by status, with what it may say as examples.
func (d draft) refusals(o Operation, into map[string]*huma.Response) {
	statuses := map[int]bool{http.StatusInternalServerError: true}
	if !o.Open && !o.Foreign {
		statuses[http.StatusUnauthorized], statuses[http.StatusForbidden], statuses[http.StatusServiceUnavailable] = true, true, true
		statuses[http.StatusBadRequest] = true // headers can be wrong with any
	}
	if len(o.Parameters) > 0 {
		statuses[http.StatusUnprocessableEntity] = true
	}
	if o.Asked != nil && !o.Foreign {
		statuses[http.StatusUnprocessableEntity] = true
		statuses[http.StatusBadRequest], statuses[http.StatusRequestEntityTooLarge], statuses[http.StatusUnsupportedMediaType] = true, true, true
	}
	examples := map[int]map[string]*huma.Example{}
	for _, err := range o.Refusals {
		p, status := statusOf(meant(err))
		statuses[status] = true
		if examples[status] == nil {
			examples[status] = map[string]*huma.Example{}
		}
		body, err := json.Marshal(details(p, status, exchange.ZH))
		if err != nil {
			panic(err)
		}
		examples[status][p.Code] = &huma.Example{Summary: p.What.ZH + " · " + p.What.EN, Value: stdjson.RawMessage(body)}
	}
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		into[strconv.Itoa(status)] = &huma.Response{Description: both(meanings[status]), Headers: o.headersOf(status),
			Content: map[string]*huma.MediaType{problemMedia: {Schema: d.schema(reflect.TypeFor[wire.Details]()), Examples: examples[status]}}}
	}
}

var meanings = map[int]exchange.Text{
	http.StatusBadRequest:            text("请求不对：改正后再发", "the request is wrong: mend it, do not retry"),
	http.StatusUnauthorized:          text("不知道是谁：缺少令牌或证书，或已失效", "who asks is not known: log in, or renew the certificate"),
	http.StatusForbidden:             text("无权", "who asks may not do this"),
	http.StatusNotFound:              text("没有", "there is none"),
	http.StatusConflict:              text("与已有的冲突，或这个请求已用过", "somebody was first, or the request was used before"),
	http.StatusRequestEntityTooLarge: text("正文过大", "the body is too large"),
	http.StatusUnsupportedMediaType:  text("正文不是 UTF-8 的 JSON", "the body is not JSON in UTF-8"),
	http.StatusUnprocessableEntity:   text("写法对，内容不可用", "it is well formed, and cannot be used"),
	http.StatusTooManyRequests:       text("达到限额，或已被暂停", "a limit was reached, or who asks is suspended"),
	http.StatusInternalServerError:   text("内部错误", "internal error"),
	http.StatusServiceUnavailable:    text("暂时无法回答：稍后重试", "it cannot be answered now: retry later"),
}

func (p Parameter) param() *huma.Param {
	schema := &huma.Schema{Type: huma.TypeString, Format: p.Format, Pattern: p.Pattern}
	var example any = p.Example
	if p.Format == huma.TypeInteger {
		schema.Type, schema.Format, example = huma.TypeInteger, "", stdjson.RawMessage(p.Example)
	}
	for _, value := range p.OneOf {
		schema.Enum = append(schema.Enum, value)
	}
	return &huma.Param{Name: p.Name, In: p.In, Required: p.In == "path", Description: both(p.About), Schema: schema, Example: example}
}

// loosen leaves strictness to what is asked: an answer may get more members in a later version, and its lists are never null.
func (d draft) loosen(operations []Operation) {
	strict := map[*huma.Schema]bool{}
	for _, o := range operations {
		if o.Asked != nil {
			d.walk(d.schema(reflect.TypeOf(o.Asked)), strict)
		}
	}
	for _, schema := range d.Map() {
		if schema.Type == huma.TypeObject && !strict[schema] && schema.AdditionalProperties == false {
			schema.AdditionalProperties = nil
		}
		for _, property := range schema.Properties {
			property.Nullable = false
		}
	}
}

// walk marks a schema and all that it refers to.
func (d draft) walk(schema *huma.Schema, marked map[*huma.Schema]bool) {
	if schema == nil {
		return
	}
	if schema.Ref != "" {
		schema = d.SchemaFromRef(schema.Ref)
	}
	if marked[schema] {
		return
	}
	marked[schema] = true
	d.walk(schema.Items, marked)
	for _, property := range schema.Properties {
		d.walk(property, marked)
	}
}

// namer names a schema after its type, and after its package too where another type has that name already.
func namer() func(reflect.Type, string) string {
	taken := map[string]reflect.Type{}
	return func(t reflect.Type, hint string) string {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		name := huma.DefaultSchemaNamer(t, hint)
		if t == reflect.TypeFor[wire.Details]() {
			name = "Problem"
		}
		if t.Kind() != reflect.Struct {
			return name
		}
		if other, is := taken[name]; is && other != t {
			from := t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]
			name = strings.ToUpper(from[:1]) + from[1:] + name
		}
		taken[name] = t
		return name
	}
}

// both is a text in both languages, Chinese first.
func both(t exchange.Text) string { return t.ZH + "\n\n" + t.EN }
