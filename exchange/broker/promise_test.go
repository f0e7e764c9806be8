package broker

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// auditorFunc is an audit log in one function.
type auditorFunc func(context.Context, audit.Entry) (audit.Receipt, error)

func (auditorFunc) Stamp(_ context.Context, e *audit.Entry) error {
	e.ID = "01ARYZ6S41"
	return nil
}

func (f auditorFunc) Append(ctx context.Context, e audit.Entry) (audit.Receipt, error) {
	return f(ctx, e)
}

// Whatever kills the audit entry kills the answer, be it an answer or a refusal.
func TestNoAnswerWithoutAuditEntry(t *testing.T) {
	down := errors.New("no leader")
	for name, auditor := range map[string]Auditor{
		"broker down": auditorFunc(func(context.Context, audit.Entry) (audit.Receipt, error) { return audit.Receipt{}, down }),
		"entry written, ack lost": auditorFunc(func(context.Context, audit.Entry) (audit.Receipt, error) {
			return audit.Receipt{ID: "01ARYZ6S41", Offset: 7}, down
		}),
		"entry refused": auditorFunc(func(context.Context, audit.Entry) (audit.Receipt, error) {
			return audit.Receipt{}, &exchange.Problem{Code: "YM-QRY-0102", Kind: exchange.Invalid, Err: down}
		}),
		"silent": auditorFunc(func(ctx context.Context, _ audit.Entry) (audit.Receipt, error) {
			<-ctx.Done()
			return audit.Receipt{}, fmt.Errorf("%w: %w", down, ctx.Err())
		}),
	} {
		for _, department := range []exchange.Department{"xzsp", "mzj"} {
			t.Run(name+" "+string(department), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newStage(t)
					s.cfg.Audit = auditor
					q := query()
					q.Caller.Department = department
					start := time.Now()
					c, err := s.Query(t.Context(), q)
					if exchange.KindOf(err) != exchange.Unavailable || !errors.Is(err, down) {
						t.Errorf("error %v", err)
					}
					if c.Answers != nil || c.ID != "" || c.Receipt != (audit.Receipt{}) {
						t.Errorf("something was answered: %+v", c)
					}
					if took := time.Since(start); took > 5*time.Second {
						t.Errorf("took %v", took)
					}
				})
			})
		}
	}
}

func TestAuditTopicSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.topic.hang = true
		if c, err := s.Query(t.Context(), query()); exchange.KindOf(err) != exchange.Unavailable || c.Answers != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestCallerGone(t *testing.T) {
	s := newStage(t)
	s.topic.hang = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c, err := s.Query(ctx, query()); !errors.Is(err, context.Canceled) || c.Answers != nil {
		t.Errorf("%+v, %v", c, err)
	}
}

// The entry is durable before the answer exists: the auditor sees everything the answer will say.
func TestAuditComesFirst(t *testing.T) {
	s := newStage(t)
	before := s.cfg.Audit
	var entered bool
	s.cfg.Audit = auditorFunc(func(ctx context.Context, e audit.Entry) (audit.Receipt, error) {
		entered = true
		if s.holdings.calls != 1 || len(e.Materials) != 6 {
			t.Errorf("audited before it was decided: %+v", e)
		}
		return before.Append(ctx, e)
	})
	if _, err := s.Query(t.Context(), query()); err != nil || !entered {
		t.Errorf("%v, entered %v", err, entered)
	}
}

// A number is planted in every place a query and a record have; it must come out nowhere but where it was granted.
func TestCanary(t *testing.T) {
	for name, prepare := range map[string]func(*stage, *Query){
		"answered":      func(*stage, *Query) {},
		"refused":       func(_ *stage, q *Query) { q.Caller.Department = "mzj" },
		"as case":       func(_ *stage, q *Query) { q.Case = number },
		"as item":       func(_ *stage, q *Query) { q.Item = number },
		"as clerk":      func(_ *stage, q *Query) { q.Caller.Clerk = number },
		"as department": func(_ *stage, q *Query) { q.Caller.Department = number },
		"wrong kind":    func(_ *stage, q *Query) { q.Item = "enterprise-change" },
		"index down":    func(s *stage, q *Query) { s.holdings.err = fmt.Errorf("read %v", q.Applicant) },
		"audit down":    func(s *stage, q *Query) { s.topic.err = errors.New("no leader") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			q := query()
			prepare(s, &q)
			c, err := s.Query(t.Context(), q)
			families, gatherErr := s.metrics.Gather()
			if gatherErr != nil {
				t.Fatal(gatherErr)
			}
			shown, jsonErr := json.Marshal(c)
			if jsonErr != nil {
				t.Fatal(jsonErr)
			}
			places := map[string]string{"error": fmt.Sprintf("%v %+v %#v", err, err, err), "metrics": fmt.Sprint(families), "answer": string(shown), "log": ""}
			if p, ok := errors.AsType[*exchange.Problem](err); ok {
				places["error"] += p.In(exchange.ZH) + p.In(exchange.EN)
			}
			for _, m := range s.topic.msgs {
				places["log"] += fmt.Sprintf("%s %s %v", m.Key, m.Value, m.Headers)
			}
			forms := map[string]string{"plain": number, "birth date": number[6:14], "hex": hex.EncodeToString([]byte(number)),
				"base64": base64.RawStdEncoding.EncodeToString([]byte(number)), "reversed": "710010109911820034"}
			for place, content := range places {
				for form, canary := range forms {
					if strings.Contains(content, canary) {
						t.Errorf("%s number in the %s", form, place)
					}
				}
				if place == "log" && (strings.Contains(content, "***") || strings.Contains(content, "醴陵")) {
					t.Errorf("masked number or payload in the log: %s", content)
				}
			}
		})
	}
}
