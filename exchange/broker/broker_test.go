package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/catalogue"
)

const number = "430281199001010017"

// fakeHoldings gives the same for everybody and remembers what it was asked.
type fakeHoldings struct {
	found exchange.Found
	err   error
	asked []exchange.EvidenceType
	calls int
}

func (f *fakeHoldings) Find(_ context.Context, _ exchange.Holder, types []exchange.EvidenceType) (exchange.Found, error) {
	f.calls++
	f.asked = types
	return f.found, f.err
}

// fakeTopic is the topic behind a real audit log.
type fakeTopic struct {
	mu   sync.Mutex
	msgs []exchange.Message
	err  error
	hang bool
}

func (f *fakeTopic) Append(ctx context.Context, _ string, msgs []exchange.Message) error {
	if f.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.msgs = append(f.msgs, msgs...)
	}
	return f.err
}

// stage is a broker with everything around it.
type stage struct {
	*Broker
	holdings *fakeHoldings
	topic    *fakeTopic
	metrics  *prometheus.Registry
}

const grants = `
- {department: xzsp, evidence: business-licence, item: food-licence-individual, fields: [name], basis: {zh: 法}, from: 2026-01-01, until: 2026-12-31}
- {department: xzsp, evidence: health-certificate, item: food-licence-individual, basis: {zh: 法}, from: 2026-01-01, until: 2026-12-31}
- {department: rsj, evidence: health-certificate, item: food-licence-individual, basis: {zh: 法}, from: 2025-01-01, until: 2025-12-31}
`

// city is read once: a catalogue never changes.
var city = sync.OnceValues(func() (*catalogue.Catalogue, error) {
	return catalogue.Load(catalogue.Builtin(), fstest.MapFS{"grants.yaml": {Data: []byte(grants)}})
})

func newStage(t *testing.T) *stage {
	t.Helper()
	c, err := city()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{holdings: &fakeHoldings{}, topic: &fakeTopic{}, metrics: prometheus.NewPedanticRegistry()}
	log, err := audit.New(audit.Config{Appender: s.topic, Keys: auditKeys, Clock: func() time.Time { return now }, Metrics: s.metrics})
	if err != nil {
		t.Fatal(err)
	}
	s.Broker, err = New(Config{Catalogue: c, Holdings: s.holdings, Audit: log, Clock: func() time.Time { return now }, Metrics: s.metrics})
	if err != nil {
		t.Fatal(err)
	}
	s.holdings.found = exchange.Found{
		Records: []exchange.Record{{Type: "business-licence", ID: exchange.RecordID{1}, Version: 3, Keeper: "scjg", Adapter: "scjg/licences",
			Status: exchange.Valid, AsOf: fresh, Holders: []exchange.Holder{citizen},
			Payload: []byte(`{"name":"醴陵小吃","holderCode":"` + number + `"}`)}},
		Sources: []exchange.Source{
			{Coverage: exchange.Coverage{Adapter: "scjg/licences", Type: "business-licence", CompleteUpTo: fresh}, Folded: true},
			{Coverage: exchange.Coverage{Adapter: "wjw/health", Type: "health-certificate", CompleteUpTo: fresh}, Folded: true},
		},
		Inputs: exchange.InputsOf(map[string]map[int]int64{"evidence.business-licence": {0: 12}}),
	}
	return s
}

func query() Query {
	return Query{Case: "LL-2026-1123-0041", Item: "food-licence-individual", Applicant: citizen, Caller: Caller{"xzsp", "w3-017"}}
}

func (s *stage) entry(t *testing.T) audit.Entry {
	t.Helper()
	if len(s.topic.msgs) != 1 {
		t.Fatalf("%d audit entries", len(s.topic.msgs))
	}
	var e audit.Entry
	if err := json.Unmarshal(s.topic.msgs[0].Value, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestQuery(t *testing.T) {
	s := newStage(t)
	c, err := s.Query(t.Context(), query())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range c.Answers {
		got = append(got, fmt.Sprintf("%s %s/%s", a.Material, a.Outcome, a.Reason))
	}
	want := "application-form supply/applicant_made, business-licence held/, premises supply/no_grant, floor-plan supply/applicant_made, " +
		"safety-rules supply/applicant_made, health-certificate supply/not_held"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
	if c.ID != c.Receipt.ID || c.ID == "" || !c.Time.Equal(now) || c.Case != "LL-2026-1123-0041" || c.ItemName.EN == "" || !strings.Contains(c.Applicant, "****") {
		t.Errorf("conclusion %+v", c)
	}
	if fmt.Sprint(s.holdings.asked) != "[business-licence health-certificate]" {
		t.Errorf("looked up %v: only what is granted may be", s.holdings.asked)
	}
	e := s.entry(t)
	if e.ID != c.ID || e.Decision != audit.Answered || e.Department != "xzsp" || e.Clerk != "w3-017" || e.Case != c.Case || e.Item != c.Item ||
		len(e.Subject) != 64 || e.Catalogue != s.cfg.Catalogue.Version() || !e.Evaluated.Equal(now) || e.Inputs.Next("evidence.business-licence")[0] != 12 {
		t.Errorf("entry %+v", e)
	}
	if m := e.Materials[1]; len(e.Materials) != 6 || m.Outcome != exchange.Held || m.Evidence[0].Record != (exchange.RecordID{1}).String() || m.Evidence[0].Version != 3 {
		t.Errorf("materials %+v", e.Materials)
	}
}

func TestDepartmentOfTheItemWithoutGrant(t *testing.T) {
	s := newStage(t)
	q := query()
	q.Caller.Department = "scjg" // decides on the item, but nothing was granted to it
	c, err := s.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range c.Answers {
		if a.Reason != exchange.NoGrant && a.Reason != exchange.ApplicantMade {
			t.Errorf("%s %s/%s", a.Material, a.Outcome, a.Reason)
		}
	}
	if s.holdings.calls != 0 {
		t.Error("looked up without any grant")
	}
	s.entry(t)
}

func TestRefusalsAreAudited(t *testing.T) {
	for name, department := range map[string]exchange.Department{
		"no business with it": "mzj", "its grant is over": "rsj", "only keeps what is needed": "wjw", "not in the catalogue": "nobody",
	} {
		s := newStage(t)
		q := query()
		q.Caller.Department = department
		c, err := s.Query(t.Context(), q)
		if exchange.KindOf(err) != exchange.Denied || c.ID != "" {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		if e := s.entry(t); e.Decision != audit.Refused || e.Refusal != "not_permitted" || e.Department != department || len(e.Subject) != 64 || e.Materials != nil {
			t.Errorf("%s: entry %+v", name, e)
		}
		if s.holdings.calls != 0 {
			t.Errorf("%s: looked up all the same", name)
		}
	}
}

func TestInvalidQueries(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(*Query)
		code  string
		kind  exchange.Kind
	}{
		"no case":         {func(q *Query) { q.Case = "" }, "YM-QRY-0101", exchange.Invalid},
		"number as case":  {func(q *Query) { q.Case = "x" + number }, "YM-QRY-0101", exchange.Invalid},
		"no clerk":        {func(q *Query) { q.Caller.Clerk = "" }, "YM-QRY-0102", exchange.Invalid},
		"number as clerk": {func(q *Query) { q.Caller.Clerk = number }, "YM-QRY-0102", exchange.Invalid},
		"no department":   {func(q *Query) { q.Caller.Department = "" }, "YM-QRY-0103", exchange.Unauthorised},
		"no item":         {func(q *Query) { q.Item = "" }, "YM-QRY-0111", exchange.NotFound},
		"item misspelt":   {func(q *Query) { q.Item = "food-licence-individua" }, "YM-QRY-0111", exchange.NotFound},
		"number as item":  {func(q *Query) { q.Item = number }, "YM-QRY-0111", exchange.NotFound},
		"no applicant":    {func(q *Query) { q.Applicant = exchange.Holder{} }, "YM-QRY-0112", exchange.Invalid},
		"kind unknown":    {func(q *Query) { q.Applicant.Kind = "dog" }, "YM-QRY-0112", exchange.Invalid},
		"company, persons": {func(q *Query) {
			q.Applicant = exchange.Holder{Kind: exchange.Organisation, Number: "91430281000000019C"}
		}, "YM-QRY-0113", exchange.Invalid},
		"person, companies": {func(q *Query) { q.Item = "enterprise-change" }, "YM-QRY-0113", exchange.Invalid},
	} {
		s := newStage(t)
		q := query()
		tc.spoil(&q)
		c, err := s.Query(t.Context(), q)
		p, ok := errors.AsType[*exchange.Problem](err)
		if !ok || p.Code != tc.code || p.Kind != tc.kind || c.ID != "" || p.Mend.ZH == "" || p.Mend.EN == "" {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		if s.holdings.calls != 0 || len(s.topic.msgs) != 0 {
			t.Errorf("%s: went on", name)
		}
		if strings.Contains(fmt.Sprint(err), number) {
			t.Errorf("%s: the error repeats the number", name)
		}
	}
	s := newStage(t)
	q := query()
	q.Item = "food-licence-individua"
	if _, err := s.Query(t.Context(), q); !strings.Contains(err.Error(), "did you mean food-licence-individual?") {
		t.Errorf("no suggestion: %v", err)
	}
}

func TestIndexDown(t *testing.T) {
	s := newStage(t)
	s.holdings.err = errors.New("read block: input/output error")
	c, err := s.Query(t.Context(), query())
	if exchange.KindOf(err) != exchange.Unavailable || c.ID != "" || !errors.Is(err, s.holdings.err) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestMetrics(t *testing.T) {
	s := newStage(t)
	ask := func(change func(*Query)) {
		q := query()
		change(&q)
		_, _ = s.Query(t.Context(), q) // the outcomes are what the metrics are read for
	}
	ask(func(*Query) {})
	ask(func(q *Query) { q.Caller.Department = "mzj" })
	ask(func(q *Query) { q.Item = "no-such-item" })
	s.topic.err = errors.New("no leader")
	ask(func(*Query) {})
	families, err := s.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	want := map[string]float64{
		"yimen_query_duration_seconds food-licence-individual answered":    1,
		"yimen_query_duration_seconds food-licence-individual refused":     1,
		"yimen_query_duration_seconds food-licence-individual unavailable": 1,
		"yimen_query_duration_seconds  invalid":                            1,
		"yimen_query_materials_total held":                                 1,
		"yimen_query_materials_total supply":                               5,
		"yimen_audit_append_failures_total":                                1,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestNewRefuses(t *testing.T) {
	s := newStage(t)
	full := s.cfg
	for name, spoil := range map[string]func(*Config){
		"no catalogue": func(c *Config) { c.Catalogue = nil }, "no holdings": func(c *Config) { c.Holdings = nil },
		"no audit": func(c *Config) { c.Audit = nil }, "metrics twice": func(*Config) {},
	} {
		cfg := full
		spoil(&cfg)
		if b, err := New(cfg); err == nil || b != nil {
			t.Errorf("%s: accepted", name)
		}
	}
	full.Metrics, full.Clock = nil, nil
	if _, err := New(full); err != nil {
		t.Errorf("without metrics and clock: %v", err)
	}
}

func BenchmarkQuery(b *testing.B) {
	c, err := city()
	if err != nil {
		b.Fatal(err)
	}
	log, err := audit.New(audit.Config{Appender: &fakeTopic{}, Keys: auditKeys})
	if err != nil {
		b.Fatal(err)
	}
	broker, err := New(Config{Catalogue: c, Holdings: &fakeHoldings{}, Audit: log})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := broker.Query(b.Context(), query()); err != nil {
			b.Fatal(err)
		}
	}
}

func auditKeys(context.Context) (audit.Keys, error) {
	return audit.Keys{Token: bytes.Repeat([]byte{1}, 32)}, nil
}

// A query for one type looks up that type alone, says nothing of others, and the log says that no more was wanted.
func TestOnlyOneType(t *testing.T) {
	s := newStage(t)
	q := query()
	q.Only = "health-certificate"
	conclusion, err := s.Query(t.Context(), q)
	if err != nil || len(conclusion.Answers) != 1 || len(s.holdings.asked) != 1 || s.holdings.asked[0] != q.Only {
		t.Fatalf("%+v, looked up %v: %v", conclusion.Answers, s.holdings.asked, err)
	}
	entry, err := audit.Parse(s.topic.msgs[0].Key, s.topic.msgs[0].Value)
	if err != nil || entry.Only != q.Only || len(entry.Materials) != 1 {
		t.Errorf("entry %+v: %v", entry, err)
	}
	again, err := Again(t.Context(), s.cfg.Catalogue, s.holdings, q, now)
	if err != nil || len(again) != 1 || again[0].Material != conclusion.Answers[0].Material {
		t.Errorf("given again: %+v, %v", again, err)
	}
	for _, strange := range []exchange.EvidenceType{"marriage-certificate", number} {
		q.Only = strange
		if _, err := s.Query(t.Context(), q); exchange.KindOf(err) != exchange.Invalid || strings.Contains(fmt.Sprint(err), number) {
			t.Errorf("a type that the item does not ask for: %v", err)
		}
	}
}
