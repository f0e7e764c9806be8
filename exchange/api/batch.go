package api

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/wire"
)

// MaxBatch is how many subjects a batch may have.
const MaxBatch = 1000

const (
	maxBatchBody  = 1 << 20
	batchAtOnce   = 16               // queries of a batch that are under way
	batchPatience = 20 * time.Second // then no further query is begun: the connection is cut at 30 s
)

// BatchRequest is the body of POST /v1/batches: one item for many subjects. Each is a query like any other, with its own case, audit entry and
// receipt, and counts as one.
type BatchRequest struct {
	Item       exchange.Item       `json:"item" minLength:"1"`
	Department exchange.Department `json:"department,omitzero"`
	On         exchange.Date       `json:"on,omitzero"`
	Mode       broker.Mode         `json:"mode,omitzero" enum:"full,verify,predicates"`
	Subjects   []Subject           `json:"subjects" minItems:"1" maxItems:"1000"`
}

// Subject is one applicant of a batch; its members are those of QueryRequest.
type Subject struct {
	Case      string         `json:"case" minLength:"1"`
	Applicant string         `json:"applicant" minLength:"1"`
	Facts     map[string]any `json:"facts,omitzero"`
	Stated    broker.Stated  `json:"stated,omitzero"`
	Chosen    broker.Chosen  `json:"chosen,omitzero"`
	Parties   Parties        `json:"parties,omitzero"`
}

// BatchAnswer is the answer of POST /v1/batches. Results are of the subjects in their order, as far as it went: what stands in the way of all
// (a limit, no permission, no audit log) ends it, and the subjects behind the last result were not asked for.
type BatchAnswer struct {
	Results []BatchResult `json:"results"`
	Stopped *wire.Details `json:"stopped,omitempty"` // why there are fewer results than subjects
}

// BatchResult is the conclusion of a subject, or why there is none.
type BatchResult struct {
	Conclusion *broker.Conclusion `json:"conclusion,omitempty"`
	Problem    *wire.Details      `json:"problem,omitempty"`
}

// spelt is a BatchAnswer whose conclusions are written already: the bytes that the entries commit to.
type spelt struct {
	Results []speltResult `json:"results"`
	Stopped *wire.Details `json:"stopped,omitempty"`
}

type speltResult struct {
	Conclusion jsontext.Value `json:"conclusion,omitempty"`
	Problem    *wire.Details  `json:"problem,omitempty"`
}

func (s *server) batch(r *http.Request) (any, error) {
	caller, err := s.cfg.Door.Caller(r)
	if err != nil {
		return nil, err
	}
	nonce, err := s.nonce(r, caller)
	if err != nil {
		return nil, err
	}
	asked, err := contract.Read[BatchRequest](r, batchForm)
	if err != nil {
		return nil, err
	}
	switch {
	case asked.Item == "", len(asked.Subjects) == 0, len(asked.Subjects) > MaxBatch:
		return nil, contract.BadBody(text("缺少 item，或 subjects 不是 1 至 1000 个", "item is missing, or subjects are not 1 to 1000"), batchForm)
	case asked.Department != "" && asked.Department != caller.Department:
		return nil, s.cfg.Door.Reject(r, caller, door.OtherDepartment())
	}
	if _, known := s.cfg.Catalogue().Service(asked.Item); !known {
		return nil, noSuchItem(s.cfg.Catalogue().Nearest(string(asked.Item)))
	}
	return s.askAll(r, caller, nonce, &asked), nil
}

var batchForm = text(`正文应为 {"item":"事项代码","subjects":[{"case":"收件号","applicant":"身份证号或统一社会信用代码"},…]}`,
	`send {"item":"item code","subjects":[{"case":"case number","applicant":"citizen number or credit code"},…]}`)

// askAll asks for the subjects in their order, some at once, until one fails for a reason that all have.
func (s *server) askAll(r *http.Request, caller door.Caller, nonce string, asked *BatchRequest) spelt {
	ctx, cancel := context.WithTimeout(r.Context(), batchPatience)
	defer cancel()
	results := make([]speltResult, len(asked.Subjects))
	var stopped atomic.Pointer[wire.Details]
	var panicked atomic.Pointer[any] // goes on where requests' panics are dealt with
	var group errgroup.Group
	group.SetLimit(batchAtOnce)
	begun := 0
	for i := range asked.Subjects {
		if stopped.Load() != nil || ctx.Err() != nil {
			break
		}
		begun++
		group.Go(func() error {
			defer func() {
				if p := recover(); p != nil {
					panicked.CompareAndSwap(nil, &p)
				}
			}()
			body, err := s.conclude(r.Context(), caller, nonceOf(nonce, i), asked.query(&asked.Subjects[i]))
			if err == nil {
				results[i].Conclusion = body
				return nil
			}
			if exchange.KindOf(err) == exchange.Internal {
				s.cfg.Log.ErrorContext(r.Context(), "a query of a batch failed", "error", err)
			}
			told := contract.Told(r, err)
			results[i].Problem = &told
			if ofAll(err) {
				stopped.CompareAndSwap(nil, &told)
			}
			return nil
		})
	}
	_ = group.Wait() // none errs
	if p := panicked.Load(); p != nil {
		panic(*p)
	}
	answer := spelt{Results: results[:begun], Stopped: stopped.Load()}
	if answer.Stopped == nil && begun < len(results) {
		told := contract.Told(r, batchTooSlow())
		answer.Stopped = &told
	}
	return answer
}

// nonceOf numbers the queries of a batch: a copy of the batch is found out by any of them.
func nonceOf(nonce string, i int) string {
	if nonce == "" {
		return ""
	}
	return nonce + "." + strconv.Itoa(i)
}

// ofAll says whether what failed for one subject fails for all.
func ofAll(err error) bool {
	switch exchange.KindOf(err) {
	case exchange.Invalid, exchange.NotFound:
		return false
	}
	return true
}

// query is one of the queries that a batch is.
func (b *BatchRequest) query(of *Subject) *QueryRequest {
	return &QueryRequest{Case: of.Case, Item: b.Item, Applicant: of.Applicant, Facts: of.Facts, Stated: of.Stated, Chosen: of.Chosen, On: b.On, Parties: of.Parties, Mode: b.Mode}
}

func batchTooSlow() error {
	return &exchange.Problem{Code: "YM-API-0504", Kind: exchange.Unavailable, What: text("没有在时限内问完", "there was no time for the rest"),
		Why:  text("一批最多用 20 秒", "a batch takes 20 seconds at most"),
		Mend: text("把其余的再发一批", "send the rest in another batch")}
}
