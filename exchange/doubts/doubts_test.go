package doubts

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/journal"
	"github.com/onedoor/yimen/exchange/journal/journaltest"
)

// world is a book over a topic, an index of one record and an audit log of some answers.
type world struct {
	*testing.T
	*Book
	topic   *journaltest.Topic
	written dated // the TextsTopic
	gone    bool  // the record is ordered to be forgotten
	metrics *prometheus.Registry
	turns   []exchange.Turn // of the record
	given   []Reliance
	acts    []string
	now     time.Time
}

var (
	licence = exchange.RecordID{1, 2, 3}
	clerk   = Person{Department: "xzsp", Name: "xzsp/0017"}
	other   = Person{Department: "xzsp", Name: "xzsp/0018"}
	monitor = Person{Department: "xzsp", Name: "xzsp/0001", Supervisor: true}
	keeper  = Person{Department: "scjg", Name: "scjg/0021", Sharing: true}
	desk    = Person{Department: "scjg", Name: "scjg/0022"} // of the keeper, and not its head of sharing
	hall    = Person{Department: "gaj", Name: "gaj/0003", Sharing: true}
	admin   = Person{Department: "dsj", Name: "dsj/0001", Authority: true}
)

// dated is a topic whose broker dates messages.
type dated struct {
	*journaltest.Topic
	now func() time.Time
}

func (d dated) Append(ctx context.Context, topic string, messages []exchange.Message) error {
	for i := range messages {
		messages[i].Time = d.now()
	}
	return d.Topic.Append(ctx, topic, messages)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, topic: journaltest.NewTopic(), now: time.Date(2026, 11, 23, 10, 0, 0, 0, exchange.China), turns: []exchange.Turn{{Version: 5}}}
	w.written = dated{journaltest.NewTopic(), func() time.Time { return w.now }}
	rested := func(receipt string, who exchange.Department, code, of string, version exchange.Version) {
		w.given = append(w.given, Reliance{Receipt: receipt, Time: w.now, Department: who, Clerk: code, Case: of, Evidence: "business-licence", Version: version})
	}
	rested("R1", "xzsp", "0017", "LL-1", 7)
	rested("R2", "xzsp", "0017", "LL-1", 5)
	rested("R3", "xzsp", "0018", "LL-2", 7)
	rested("R4", "gaj", "0003", "HJ-9", 7)
	rested("R5", "gaj", "0003", "HJ-10", 9) // of what is the correction below
	w.Book = w.book()
	return w
}

func (w *world) book() *Book {
	w.Helper()
	w.metrics = prometheus.NewRegistry()
	j, err := journal.New(journal.Config{Topic: Topic, Topics: w.topic, Keys: journaltest.NewKeys(0)})
	if err != nil {
		w.Fatal(err)
	}
	b, err := New(Config{Topics: w.written, Forgotten: func(exchange.EvidenceType, exchange.RecordID) bool { return w.gone }, Rest: time.Hour, Journal: j, Index: w, Answers: w, Clock: func() time.Time { return w.now }, Metrics: w.metrics,
		Secret: func(context.Context) ([]byte, error) { return bytes.Repeat([]byte("s"), 32), nil },
		Keeper: func(exchange.EvidenceType) (exchange.Department, bool) { return "scjg", true },
		Fields: func(exchange.EvidenceType) []string { return []string{"address", "name"} },
		Audit: func(_ context.Context, who, act, target string) error {
			w.acts = append(w.acts, who+" "+act)
			return nil
		}})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { j.Run(ctx) })
	texts := b.texts // a test may put others in their place
	running.Go(func() { texts.run(ctx) })
	w.Cleanup(func() { cancel(); running.Wait() })
	if err := errors.Join(j.Settled(ctx), b.Settled(ctx)); err != nil {
		w.Fatal(err)
	}
	return b
}

func (w *world) History(context.Context, exchange.EvidenceType, exchange.RecordID) ([]exchange.Turn, error) {
	return w.turns, nil
}

func (w *world) Rested(_ context.Context, receipt string, id exchange.RecordID) (Reliance, bool, error) {
	i := slices.IndexFunc(w.given, func(r Reliance) bool { return r.Receipt == receipt })
	if i < 0 || id != licence {
		return Reliance{}, false, nil
	}
	return w.given[i], true, nil
}

func (w *world) Relied(context.Context, exchange.RecordID) ([]Reliance, error) { return w.given, nil }

const said = "住所与原件不符，应为张三丰路 8 号"

func raising(change ...func(*Raising)) Raising {
	r := Raising{Receipt: "R1", Record: licence.String(), Fields: []string{"address"}, Reason: said}
	for _, c := range change {
		c(&r)
	}
	return r
}

func (w *world) raise() Standing {
	w.Helper()
	s, err := w.Raise(w.Context(), clerk, raising())
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w *world) does(who Person, s Standing, act Act, reason string) Standing {
	w.Helper()
	s, err := w.Decide(w.Context(), who, s.ID, Decision{act, s.Version, reason})
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w *world) list(who Person) []Standing {
	w.Helper()
	all, err := w.show(w.Context(), who, w.known(who))
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// TestCorrected takes a doubt from a clerk's finding to the keeper's correction, which nobody here reports.
func TestCorrected(t *testing.T) {
	w := newWorld(t)
	s := w.raise()
	if s.Status != Raised || s.Doubted != 7 || s.Reason != said || s.Clock == nil || s.Clock.Article != 26 || s.Clock.Due != "2026-12-07" {
		t.Errorf("raised: %+v", s)
	}
	s = w.does(keeper, s, Accept, "已在业务系统更正")
	if s.Status != Accepted || s.Newer != 0 || s.Clock == nil || s.Answer == "" || s.Receipt != "" {
		t.Errorf("accepted: %+v", s)
	}
	w.turns = append(w.turns, exchange.Turn{Version: 9, Logged: w.now.Add(time.Hour)})
	s = w.list(clerk)[0]
	if s.Status != Corrected || s.Newer != 9 || s.Published != w.now.Add(time.Hour) || s.Clock != nil {
		t.Errorf("corrected: %+v", s)
	}
	if want := "xzsp/0017 doubt-raise,scjg/0021 doubt-accept"; strings.Join(w.acts, ",") != want {
		t.Errorf("audit log: %v", w.acts)
	}
	anew := w.book()
	is, err := anew.show(t.Context(), clerk, anew.known(clerk)) // folded anew, it is the same
	if err != nil || len(is) != 1 || fmt.Sprintf("%+v", is[0]) != fmt.Sprintf("%+v", s) {
		t.Errorf("folded anew: %+v %v; was %+v", is, err, s)
	}
}

// TestOverdue: ten working days after it was raised a doubt is overdue, accepted or not; it is urgent and counted.
func TestOverdue(t *testing.T) {
	w := newWorld(t)
	s := w.raise()
	w.now = w.now.AddDate(0, 0, 7)
	later, err := w.Raise(t.Context(), other, raising(func(r *Raising) { r.Receipt = "R2" })) // about an older version
	if err != nil {
		t.Fatal(err)
	}
	counts := func(open, overdue int) {
		t.Helper()
		want := fmt.Sprintf(`
# HELP yimen_doubts_open Doubts that are not answered, or accepted and not corrected.
# TYPE yimen_doubts_open gauge
yimen_doubts_open{keeper="scjg"} %d
# HELP yimen_doubts_overdue Those of the open doubts that are older than ten working days.
# TYPE yimen_doubts_overdue gauge
yimen_doubts_overdue{keeper="scjg"} %d
`, open, overdue)
		if err := testutil.GatherAndCompare(w.metrics, strings.NewReader(want), "yimen_doubts_open", "yimen_doubts_overdue"); err != nil {
			t.Error(err)
		}
	}
	counts(2, 0)
	w.does(keeper, s, Accept, "")
	w.now = time.Date(2026, 12, 8, 9, 0, 0, 0, exchange.China)
	all := w.list(keeper)
	slices.SortFunc(all, func(a, b Standing) int { return a.Urgency() - b.Urgency() })
	if len(all) != 2 || all[0].ID != s.ID || !all[0].Clock.Overdue || all[1].Clock.Overdue {
		t.Errorf("%+v", all)
	}
	counts(2, 1)
	w.does(keeper, later, Reject, "与登记一致")
	counts(1, 1)
}

// TestListedInParts: a list comes in as many parts as are asked for, oldest first, and holds nobody else's.
func TestListedInParts(t *testing.T) {
	w := newWorld(t)
	first := w.raise()
	w.now = w.now.Add(time.Minute)
	second, err := w.Raise(t.Context(), other, raising(func(r *Raising) { r.Receipt = "R2" }))
	if err != nil {
		t.Fatal(err)
	}
	who := clerk
	d := Desk{Book: w.Book, Person: func(*http.Request) (Person, error) { return who, nil }}
	walk := func() (ids []string) {
		for cursor := ""; len(ids) < 5; {
			got, err := d.list(httptest.NewRequest(http.MethodGet, "/v1/doubts?limit=1"+cursor, nil))
			if err != nil {
				t.Fatal(err)
			}
			part := got.(contract.Part)
			for _, s := range part.Answer.(Listing).Doubts {
				ids = append(ids, s.ID)
			}
			if cursor = "&cursor=" + part.Last; part.Last == "" {
				break
			}
		}
		return ids
	}
	if got := walk(); !slices.Equal(got, []string{first.ID, second.ID}) {
		t.Errorf("listed %v, raised %s and %s", got, first.ID, second.ID)
	}
	if who = hall; len(walk()) != 0 {
		t.Error("another department's list has them")
	}
	if _, err := d.list(httptest.NewRequest(http.MethodGet, "/v1/doubts?limit=0", nil)); code(err) != "YM-API-0107" {
		t.Errorf("a part of none: %v", err)
	}
}

// TestFirstActCounts lets the keeper answer what was withdrawn meanwhile.
func TestFirstActCounts(t *testing.T) {
	w := newWorld(t)
	s := w.raise()
	if w.does(clerk, s, Withdraw, "").Status != Withdrawn {
		t.Error("not withdrawn")
	}
	if _, err := w.Decide(t.Context(), keeper, s.ID, Decision{Accept, s.Version, ""}); code(err) != "YM-DBT-0105" {
		t.Error(err)
	}
}

// TestWhoSees: the department that doubts and the keeper's head of sharing see what was written, the authority that there is a doubt.
func TestWhoSees(t *testing.T) {
	w := newWorld(t)
	s := w.raise()
	for name, c := range map[string]struct {
		who             Person
		sees, read, own bool
	}{
		"the clerk":            {clerk, true, true, true},
		"a colleague":          {other, true, true, true},
		"the keeper":           {keeper, true, true, false},
		"the keeper's desk":    {desk, false, false, false},
		"another department":   {hall, false, false, false},
		"the authority":        {admin, true, false, false},
		"a clerk of nowhere":   {Person{}, false, false, false},
		"its own head, elsewh": {Person{Department: "dsj", Name: "dsj/2", Sharing: true, Supervisor: true}, false, false, false},
	} {
		all := w.list(c.who)
		if (len(all) == 1) != c.sees || c.sees && ((all[0].Reason == said) != c.read || (all[0].Receipt == "R1") != c.own) {
			t.Errorf("%s: %+v", name, all)
		}
		_, err := w.Reach(t.Context(), c.who, s.ID)
		if (err == nil) != c.sees || err != nil && code(err) != "YM-DBT-0101" {
			t.Errorf("%s asks for its reach: %v", name, err)
		}
	}
	w.turns = nil // the record is to be forgotten
	if s := w.list(clerk)[0]; !s.Forgotten || s.Reason != "" || s.Clock != nil {
		t.Errorf("forgotten: %+v", s)
	}
}

// TestReach: who relied on the record before it was corrected, as far as each needs to know.
func TestReach(t *testing.T) {
	w := newWorld(t)
	s := w.raise()
	w.turns = append(w.turns, exchange.Turn{Version: 9, Logged: w.now})
	both := []Count{{"gaj", 1, 1}, {"xzsp", 3, 2}}
	for name, c := range map[string]struct {
		who    Person
		counts []Count
		named  string
	}{
		"the clerk":      {clerk, both[1:], "R1 R2"},
		"a colleague":    {other, both[1:], "R3"},
		"the supervisor": {monitor, both[1:], "R1 R2 R3"},
		"the keeper":     {keeper, both, ""},
		"the authority":  {admin, both, ""},
	} {
		reach, err := w.Reach(t.Context(), c.who, s.ID)
		var named []string
		for _, r := range reach.Reliances {
			named = append(named, r.Receipt)
		}
		if err != nil || reach.Before != 9 || !slices.Equal(reach.Departments, c.counts) || strings.Join(named, " ") != c.named {
			t.Errorf("%s: %+v %v", name, reach, err)
		}
	}
}

// TestRefusals: who may not, and what cannot be in doubt.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	s := w.raise()
	raise := func(who Person, change func(*Raising)) func() error {
		return func() error { _, err := w.Raise(t.Context(), who, raising(change)); return err }
	}
	decide := func(who Person, act Act, reason string) func() error {
		return func() error { _, err := w.Decide(t.Context(), who, s.ID, Decision{act, 1, reason}); return err }
	}
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"no such answer":               {raise(clerk, func(r *Raising) { r.Receipt = "R9" }), "YM-DBT-0103"},
		"another department's answer":  {raise(clerk, func(r *Raising) { r.Receipt = "R4" }), "YM-DBT-0103"},
		"another record":               {raise(clerk, func(r *Raising) { r.Record = strings.Repeat("0", 32) }), "YM-DBT-0103"},
		"no record":                    {raise(clerk, func(r *Raising) { r.Record = "licence" }), "YM-DBT-0103"},
		"no fields":                    {raise(clerk, func(r *Raising) { r.Fields = nil }), "YM-DBT-0102"},
		"unknown field":                {raise(clerk, func(r *Raising) { r.Fields = []string{"adress"} }), "YM-DBT-0102"},
		"no reason":                    {raise(clerk, func(r *Raising) { r.Reason = " " }), "YM-DBT-0102"},
		"a citizen number as a reason": {raise(clerk, func(r *Raising) { r.Reason = "应为11010519491231002X" }), "YM-DBT-0102"},
		"too long":                     {raise(clerk, func(r *Raising) { r.Reason = strings.Repeat("字", 301) }), "YM-DBT-0102"},
		"raised twice":                 {raise(other, func(r *Raising) { r.Receipt = "R3" }), "YM-DBT-0104"},
		"the asker accepts":            {decide(clerk, Accept, ""), "YM-DBT-0108"},
		"the authority rejects":        {decide(admin, Reject, "x"), "YM-DBT-0108"},
		"the keeper's desk accepts":    {decide(desk, Accept, ""), "YM-DBT-0101"},
		"rejected without a reason":    {decide(keeper, Reject, " "), "YM-DBT-0107"},
		"a citizen number as answer":   {decide(keeper, Accept, "11010519491231002X"), "YM-DBT-0107"},
		"a colleague withdraws":        {decide(other, Withdraw, ""), "YM-DBT-0110"},
		"the keeper withdraws":         {decide(keeper, Withdraw, ""), "YM-DBT-0110"},
		"raised by decision":           {decide(clerk, Raise, "x"), "YM-DBT-0111"},
	} {
		if err := c.do(); code(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if len(w.acts) != 1 || len(w.topic.All()) != 1 {
		t.Errorf("what was refused left traces: %v", w.acts)
	}
}

// TestGapsAreToldAtOnce, and what was typed is not repeated.
func TestGapsAreToldAtOnce(t *testing.T) {
	w := newWorld(t)
	_, err := w.Raise(t.Context(), clerk, raising(func(r *Raising) { r.Reason, r.Fields = "", []string{"张三", "nmae"} }))
	var p *exchange.Problem
	if !errors.As(err, &p) || strings.Count(p.Why.ZH, "；") != 2 || strings.Contains(err.Error(), "张三") || !strings.Contains(err.Error(), "name") {
		t.Error(err)
	}
}

// TestKeeperDoubtsItself: whoever raised a doubt about the own department's record does not answer it.
func TestKeeperDoubtsItself(t *testing.T) {
	w := newWorld(t)
	w.given[0].Department = "scjg"
	s, err := w.Raise(t.Context(), keeper, raising())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Decide(t.Context(), keeper, s.ID, Decision{Accept, 1, ""}); code(err) != "YM-DBT-0109" {
		t.Error(err)
	}
}

// TestNothingWrittenInPlain: what clerk and keeper wrote stands nowhere on the topic, and opens in its own place only.
func TestNothingWrittenInPlain(t *testing.T) {
	w := newWorld(t)
	s := w.raise()
	const reply = "更正为李四光路"
	w.does(keeper, s, Accept, reply)
	messages, texts := w.topic.All(), w.written.All()
	if len(messages) != 2 || len(texts) != 2 {
		t.Fatal(len(messages), len(texts))
	}
	for _, m := range slices.Concat(messages, texts) {
		for _, h := range append(m.Headers, exchange.Header{Value: m.Key}, exchange.Header{Value: m.Value}) {
			if bytes.Contains(h.Value, []byte("张三丰")) || bytes.Contains(h.Value, []byte("李四光")) {
				t.Errorf("in plain: %s", h.Value)
			}
		}
	}
	first, err := parseEntry(messages[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	seal, err := w.sealer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(texts[0].Value); first.Sealed != nil || !bytes.Equal(first.Text, sum[:]) || string(texts[0].Key) != textKey(s.ID, first.ID) {
		t.Errorf("%+v does not name %+v", first, texts[0])
	}
	if got, err := (written{doubt: s.ID, entry: first.ID}).open(texts[0].Value, seal); err != nil || got != said {
		t.Errorf("%q %v", got, err)
	}
	if got, err := (written{doubt: "d-another", entry: first.ID}).open(texts[0].Value, seal); err == nil {
		t.Errorf("moved, it opens: %q", got)
	}
}

// TestNoActWithoutAuditEntry: where the audit log fails nothing is done.
func TestNoActWithoutAuditEntry(t *testing.T) {
	w := newWorld(t)
	w.cfg.Audit = func(context.Context, string, string, string) error { return errors.New("away") }
	if _, err := w.Raise(t.Context(), clerk, raising()); err == nil || len(w.topic.All()) != 0 {
		t.Errorf("%v, %d entries", err, len(w.topic.All()))
	}
}

func code(err error) string {
	var p *exchange.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}
