package contract

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/onedoor/yimen/exchange"
)

// Part (一页) is what an Operation that lists in parts answers with. Where more follows, the answer's header Link (RFC 8288) leads
// to it, rel="next": bodies are the same with parts and without.
type Part struct {
	Answer any
	Last   string // names the last element of the part, of letters, digits and . _ : -; empty: nothing follows
}

// Span says which part of a list is asked for.
type Span struct {
	Limit int    // 1 to MaxPart
	After string // the Last of the part before; empty: from the beginning
}

// MaxPart is how many elements a part has at most.
const MaxPart = 1000

const (
	limitName  = "limit"
	cursorName = "cursor"
)

var cursorForm = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,200}$`)

// SpanOf reads which part a request asks for, of usual elements where it does not say how many.
func SpanOf(r *http.Request, usual int) (Span, error) {
	asked := r.URL.Query()
	span := Span{Limit: usual}
	if limits, stated := asked[limitName]; stated {
		n, err := strconv.Atoi(limits[0])
		if err != nil || len(limits) > 1 || n < 1 || n > MaxPart {
			return Span{}, badSpan()
		}
		span.Limit = n
	}
	if cursors, stated := asked[cursorName]; stated {
		if len(cursors) > 1 || !cursorForm.MatchString(cursors[0]) {
			return Span{}, badSpan()
		}
		span.After = cursors[0]
	}
	return span, nil
}

// Cut gives the part that a request asks for of a list that is at hand, MaxPart elements where it does not say how many. key names
// an element for ever and gives the order: what comes or goes between two requests neither hides nor repeats another.
func Cut[T any](r *http.Request, all []T, key func(T) string) (part []T, last string, err error) {
	span, err := SpanOf(r, MaxPart)
	if err != nil {
		return nil, "", err
	}
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	from, met := slices.BinarySearchFunc(all, span.After, func(e T, after string) int { return strings.Compare(key(e), after) })
	if met {
		from++
	}
	if part = all[from:]; len(part) > span.Limit {
		part = part[:span.Limit]
		last = key(part[span.Limit-1])
	}
	return append([]T{}, part...), last, nil
}

// ByAge names an element of a list for Cut where the older comes first.
func ByAge(made time.Time, id string) string {
	return made.UTC().Format("20060102T150405.000000000Z") + ":" + id
}

// link leads from a request to the part after the one it got.
func link(r *http.Request, last string) string {
	asked := r.URL.Query()
	asked.Set(cursorName, last)
	return "<" + (&url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: asked.Encode()}).String() + `>; rel="next"`
}

// partParameters describe how a part is asked for.
func (o Operation) partParameters() []*huma.Param {
	least, most := 1.0, float64(MaxPart)
	return []*huma.Param{
		{Name: limitName, In: "query", Example: 100, Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: &least, Maximum: &most, Default: o.Parts},
			Description: both(text("一页最多几条", "how many there are on a page at most"))},
		{Name: cursorName, In: "query", Schema: &huma.Schema{Type: huma.TypeString, Pattern: cursorForm.String()},
			Description: both(text("从何处继续：不必自己写，照答复的 Link 头（rel=\"next\"）请求即可；没有该头便是最后一页",
				"where to go on: do not make it up, ask for what the answer's header Link names (rel=\"next\"); without that header it was the last page"))},
	}
}

func badSpan() error {
	return &exchange.Problem{Code: "YM-API-0107", Kind: exchange.Invalid, What: text("limit 或 cursor 不可用", "limit or cursor cannot be used"),
		Mend: text("limit 写 1 至 "+strconv.Itoa(MaxPart)+" 的整数；cursor 照抄上一页的 Link 头，不要改动", "limit is a number from 1 to "+strconv.Itoa(MaxPart)+"; take cursor as the Link header of the page before has it")}
}
