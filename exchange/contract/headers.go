package contract

import (
	"maps"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// headers are those of an answer that say more than its body; nil: none do.
func (o Operation) headers() map[string]*huma.Param {
	all := map[string]*huma.Param{}
	if o.Repeats > 0 {
		all[headerReplayed] = replayedHeader
	}
	if o.Parts > 0 {
		all["Link"] = linkHeader
	}
	if o.Quotas != nil {
		maps.Copy(all, quotaHeaders)
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// headersOf are those of a refusal; nil: it has none of its own.
func (o Operation) headersOf(status int) map[string]*huma.Param {
	if status != http.StatusTooManyRequests || o.Quotas == nil {
		return refused[status]
	}
	all := maps.Clone(refused[status])
	maps.Copy(all, quotaHeaders)
	return all
}

// refused are the headers that come with a refusal, by its status.
var refused = map[int]map[string]*huma.Param{
	http.StatusTooManyRequests:    {"Retry-After": {Description: both(text("多少秒后再试；没有则等待无用", "seconds until it may be tried again; absent where waiting does not help")), Schema: &huma.Schema{Type: huma.TypeInteger}}},
	http.StatusServiceUnavailable: {"Retry-After": {Description: both(text("多少秒后再试", "seconds until it may be tried again")), Schema: &huma.Schema{Type: huma.TypeInteger}}},
	http.StatusUnauthorized:       {"WWW-Authenticate": {Description: "Bearer", Schema: &huma.Schema{Type: huma.TypeString}}},
}

var replayedHeader = &huma.Param{Description: both(text("true：这是先前的答复，没有再次处理", "true: this is the answer given before, nothing was done again")), Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"true"}}}

var linkHeader = &huma.Param{Description: both(text(`下一页，如 </v1/items?cursor=…>; rel="next"（RFC 8288），路径相对于平台地址；没有则是最后一页`,
	`the next page, such as </v1/items?cursor=…>; rel="next" (RFC 8288), a path below the exchange's address; absent with the last one`)), Schema: &huma.Schema{Type: huma.TypeString}}

var quotaHeaders = map[string]*huma.Param{
	headerPolicy: {Schema: &huma.Schema{Type: huma.TypeString}, Description: both(text("本账号的限额（IETF 草案 ratelimit-headers-10）：q 上限，w 秒数，qu 计的是什么（subjects：不同申请人；没有则是请求）。部门和办件的上限不在其中",
		"the account's own limits (IETF draft ratelimit-headers-10): q how many in w seconds, qu of what (subjects: different applicants; requests where it is absent). Those of departments and cases are not told"))},
	headerLeft: {Schema: &huma.Schema{Type: huma.TypeString}, Description: both(text(`本账号还剩多少：r 剩余，t 秒后重新计数，如 "queries_hour";r=178;t=2400`,
		`what the account has left: r of it, counted anew in t seconds, such as "queries_hour";r=178;t=2400`))},
}
