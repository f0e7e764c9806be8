package api

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/contract"
)

// operations are what this package serves itself.
func (s *server) operations() []contract.Operation {
	return []contract.Operation{
		{ID: "query", Method: http.MethodPost, Path: "/v1/queries", Group: contract.Queries, Do: s.query, Repeats: repeatQueries, Quotas: s.quotas,
			Name: text("核验", "query"),
			About: text("一件事项、一位申请人，逐项说明哪些材料政府已有。拒绝和回答都在审计日志中留下一条记录；没有记录就没有结论。暂查不到（unknown）绝不等于没有。",
				"For one service item and one applicant, says of each material whether it must be brought. Answers and refusals alike leave an entry in the audit log, and without an entry there is no answer. unknown never means that there is none."),
			Parameters: nonceHeaders, Asked: exampleQuery, Answer: exampleConclusion(),
			Refusals: []error{
				badBody(text("缺少 case", "case missing or empty")), badNonce(text("缺少、重复或写法不对", "they are missing, stand twice or are not well formed")), noSuchItem(""),
				&exchange.Problem{Code: "YM-LIM-0101", Kind: exchange.Conflict, What: text("这个请求已经用过一次，没有再次处理", "this request was used before and not carried out again"),
					Mend: text("要再查一次，发送带新随机数的新请求", "to ask again, send a new request with a new nonce")},
				&exchange.Problem{Code: "YM-LIM-0201", Kind: exchange.Limited, What: text("查询达到上限，没有处理", "a limit was reached, so the query was not carried out"),
					Mend: text("到下一小时或第二天再查", "ask again in the next hour or on the next day")},
			}},
		{ID: "batch", Method: http.MethodPost, Path: "/v1/batches", Group: contract.Queries, Do: s.batch, Quotas: s.quotas, MaxBody: maxBatchBody,
			Name: text("批量核验", "query for many"),
			About: text("一件事项、最多 1000 位申请人，各有收件号。每一位都是一次核验：各留一条审计记录、各计一次限额。结果按次序；达到限额、没有权限或平台不可用时停止，其后的没有查询，见 stopped。",
				"One item for up to 1000 applicants, each with a case. Each is a query with its own audit entry, and counts as one. Results come in their order; a limit, a missing permission or an exchange that is not available ends it, and those behind were not asked for: see stopped."),
			Parameters: nonceHeaders, Asked: BatchRequest{Item: exampleQuery.Item, Subjects: []Subject{{Case: exampleQuery.Case, Applicant: exampleQuery.Applicant}}},
			Answer:   BatchAnswer{Results: []BatchResult{{Conclusion: new(exampleConclusion())}}},
			Refusals: []error{contract.BadBody(text("缺少 item，或 subjects 不是 1 至 1000 个", "item is missing, or subjects are not 1 to 1000"), batchForm), noSuchItem("food-licence-new")}},
		{ID: "listItems", Method: http.MethodGet, Path: "/v1/items", Group: contract.Items, Open: true, Do: s.items,
			Name: text("列出事项", "list service items"), About: text("今天有效的全部事项及其材料，按代码排列。edition 是第几版、自哪天起生效；没有的，为该市文件所载。",
				"All service items in force today with their materials, by code. edition is its number and the day from which it counts; without one it is as the city's files have it."), Parts: contract.MaxPart,
			Answer: []catalogue.Service{exampleService}},
		{ID: "getItem", Method: http.MethodGet, Path: "/v1/items/{code}", Group: contract.Items, Open: true, Do: s.item,
			Name: text("一个事项", "one service item"), About: text("一个事项今天有效的一版及其材料。", "A service item as it is in force today, with its materials."),
			Parameters: []contract.Parameter{{Name: "code", In: "path", About: text("事项代码", "the item's code"), Example: "food-licence-new"}},
			Answer:     exampleService, Refusals: []error{noSuchItem("food-licence-new")}},
		{ID: "live", Method: http.MethodGet, Path: "/livez", Group: contract.Health, Open: true, Handler: http.HandlerFunc(livez), Media: "text/plain",
			Name: text("是否在运行", "whether it runs"), About: text("进程在运行。", "The process runs."), Answer: "ok\n"},
		{ID: "ready", Method: http.MethodGet, Path: "/readyz", Group: contract.Health, Open: true, Handler: http.HandlerFunc(s.readyz), Media: "text/plain",
			Name: text("是否就绪", "whether it is ready"), About: text("能否回答核验；?verbose 逐项说明。未就绪时为 503，正文同样是文字。", "Whether queries can be answered; ?verbose tells of each check. 503, in plain text too, while they cannot."), Answer: "ok\n"},
		{ID: "metrics", Method: http.MethodGet, Path: "/metrics", Group: contract.Health, Open: true, Media: "text/plain",
			Handler: promhttp.HandlerFor(s.cfg.Metrics, promhttp.HandlerOpts{EnableOpenMetrics: true}),
			Name:    text("指标", "metrics"), About: text("Prometheus 格式；按 Accept 给出 OpenMetrics，其中延迟直方图的样例带 trace_id。", "In the format of Prometheus, or OpenMetrics where Accept asks for it: there the histogram of latency has exemplars with a trace_id."), Answer: "# TYPE yimen_query_duration_seconds histogram\n"},
	}
}

// served are the document itself, the page that shows it, and the one that leads there.
func served(document, page []byte) []contract.Operation {
	return []contract.Operation{
		{Method: http.MethodGet, Path: "/{$}", Handler: http.HandlerFunc(index)},
		{Method: http.MethodGet, Path: "/openapi.json", Do: func(*http.Request) (any, error) {
			return contract.Content{Type: "application/json; charset=utf-8", Body: document}, nil
		}},
		{Method: http.MethodGet, Path: "/docs", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
			w.Write(page) // a client that is gone needs no answer
		})},
	}
}

var nonceHeaders = []contract.Parameter{
	{Name: headerNonce, In: "header", Pattern: nonceForm.String(), Example: "q3Zk9xT2mB7wLr5e",
		About: text("每次请求新的随机数；用证书的须有", "a new random number with each request; required of whoever shows a certificate")},
	{Name: headerTime, In: "header", Format: "date-time", Example: "2026-11-23T10:00:00+08:00",
		About: text("现在的时间，与随机数同时给出；相差不超过 5 分钟", "the present time, along with the number; it may be five minutes off")},
}

// The examples: a made-up company asks for a food licence.
var (
	exampleQuery = QueryRequest{Case: "LL-2026-1123-0041", Item: "food-licence-new", Applicant: "924302810000003187"}

	exampleService = catalogue.Service{Code: "food-licence-new", Name: text("食品经营许可（新办）", "food business licence (new)"), Department: "scjg",
		Materials: []catalogue.Material{{Code: "business-licence", Name: text("营业执照", "business licence"),
			Basis: text("《食品经营许可和备案管理办法》第十二条", "Measures on food business licences, art. 12"), Alternatives: []catalogue.Alternative{{{Evidence: "business-licence"}}}}},
		Edition: &catalogue.Edition{Number: 2, From: "2026-12-01"}}

	exampleTime = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
)

func exampleConclusion() broker.Conclusion {
	c := broker.Conclusion{ID: "01KAQ6M3K8ZD2W7N5YB4T9XE1C", Time: exampleTime, Case: exampleQuery.Case, Item: exampleQuery.Item,
		ItemName: exampleService.Name, Applicant: "9243**********3187",
		Answers: []exchange.Answer{{Material: "business-licence", Name: text("营业执照", "business licence"), Basis: exampleService.Materials[0].Basis, Outcome: exchange.Held,
			Evidence: []exchange.Evidence{{Type: "business-licence", Outcome: exchange.Held, Keeper: "scjg", AsOf: exampleTime, Record: "8f14e45fceea167a5a36dedd4bea2543", Version: 3,
				Until: "2029-02-28", Fields: []byte(`{"name":"示例饮食店"}`)}}}}}
	c.Receipt.ID, c.Receipt.Time, c.Receipt.Offset = c.ID, exampleTime, 7
	c.Receipt.Hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	return c
}
