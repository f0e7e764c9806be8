package ledger

import (
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/contract"
)

// Operations are how the log is read over HTTP. Numbers of people travel in bodies only: a token stands for them in addresses.
func Operations(s Serving) []contract.Operation {
	if s.Clock == nil {
		s.Clock = time.Now
	}
	const id, subject = "01KAQ6M3K8ZD2W7N5YB4T9XE1C", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	all := []contract.Operation{
		{ID: "getReceipt", Method: http.MethodGet, Path: "/v1/receipts/{id}", Do: s.as(s.receipt), Name: text("回执的证明", "proof of a receipt"),
			About: text("一条审计记录在日志中的证明：默认为 C2SP tlog-proof 文本；Accept: application/json 时连同记录一起给出。部门只见自己的，审计可见全部。",
				"The proof that an audit entry is in the log: text in the form of C2SP tlog-proof, or with the entry where Accept: application/json asks for it. Departments see their own, auditors all."),
			Parameters: []contract.Parameter{{Name: "id", In: "path", About: text("回执编号", "the receipt's id"), Example: id}},
			Media:      "text/plain, application/json", Answer: Receipt{ID: id, Time: at, Index: 7, Hash: subject, Entry: "{…}", Proof: "c2sp.org/tlog-proof@v1\n…"}, Refusals: []error{NoSuchEntry()}},
		{ID: "searchEntries", Method: http.MethodGet, Path: "/v1/audit/entries", Do: s.as(s.entries), Name: text("查询审计记录", "search entries"),
			About: text("由新到旧，一次一页。监察人员查本部门，审计查全部。", "The newest first, a page at a time. Supervisors search their department, auditors everything."),
			Parameters: []contract.Parameter{
				{Name: "from", In: "query", Format: "date-time", About: text("从此时起", "from this moment on"), Example: "2026-11-01T00:00:00+08:00"},
				{Name: "to", In: "query", Format: "date-time", About: text("到此时为止（不含）", "up to this moment, which is out"), Example: "2026-12-01T00:00:00+08:00"},
				{Name: "department", In: "query", About: text("部门代码", "a department's code"), Example: "scjg"},
				{Name: "clerk", In: "query", About: text("工号；须同时写明部门", "a staff code; the department must be named too"), Example: "w3-017"},
				{Name: "item", In: "query", About: text("事项代码", "an item's code"), Example: "food-licence-new"},
				{Name: "case", In: "query", About: text("收件号", "a case number"), Example: "LL-2026-1123-0041"},
				{Name: "decision", In: "query", About: text("回答了还是拒绝了", "whether it was answered or refused"), Example: "answered", OneOf: []string{string(audit.Answered), string(audit.Refused)}},
				{Name: "kind", In: "query", About: text("类别", "the kind"), Example: "query", OneOf: []string{kindQuery, string(audit.Rejection), string(audit.Access), string(audit.Act)}},
			},
			Parts:  usualPage,
			Answer: Page{Entries: []Logged{{Index: 7, Raw: jsontext.Value(`{"id":"` + id + `"}`)}}}, Refusals: []error{badFilter(text("有不认识的条件", "a condition is not known")), denied()}},
		{ID: "readLog", Method: http.MethodGet, Path: LogPath + "{path...}", Do: s.as(s.file), Name: text("日志文件", "files of the log"),
			About:      text("日志本身，C2SP tlog-tiles 格式：checkpoint、tile/…。审计可用。", "The log itself in the form of C2SP tlog-tiles: checkpoint, tile/…. For auditors."),
			Parameters: []contract.Parameter{{Name: "path", In: "path", About: text("文件，可含斜杠", "a file; it may have slashes"), Example: "checkpoint"}},
			Media:      "application/octet-stream, text/plain", Answer: "…", Refusals: []error{denied(), noSuchFile()}},
		{ID: "getSubject", Method: http.MethodPost, Path: "/v1/subjects", Do: s.as(s.subject), Name: text("号码换标记", "token of a holder"),
			About: text("日志中代表一个人或单位的标记。号码只写在正文里。留下审计记录，本人看得到；一个账号每小时、每天可查的人和单位有上限。",
				"The token that stands for a person or company in the log. Numbers travel in bodies only. It leaves an audit entry, which they see; an account may look up so many an hour and a day."),
			Asked: subjectRequest{"924302810000003187"}, Answer: subjectAnswer{subject}, Refusals: append([]error{denied()}, s.Refusals...)},
		{ID: "listAccesses", Method: http.MethodGet, Path: "/v1/subjects/{subject}/accesses", Do: s.as(s.accesses), Name: text("谁看过我的数据", "who looked at my data"),
			About:      text("由新到旧，一次一页。谁查了这张表，也留下记录，与换取标记合计限额。", "The newest first, a page at a time. That somebody read this list leaves an entry too, and counts with the tokens that were asked for."),
			Parameters: []contract.Parameter{{Name: "subject", In: "path", About: text("标记", "the token"), Example: subject}}, Parts: usualPage,
			Answer:   AccessPage{Accesses: []Access{{ID: id, Time: at, Kind: kindQuery, Department: "xzsp", Item: "food-licence-new", Decision: audit.Answered, Types: []Seen{{"business-licence", exchange.Held}}}}},
			Refusals: append([]error{denied(), badFilter(text("主体标记的写法不对", "the subject's token is not well formed"))}, s.Refusals...)},
	}
	for i := range all {
		all[i].Group = contract.Audit
	}
	return all
}
