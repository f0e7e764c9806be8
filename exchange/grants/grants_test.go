package grants

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/journal"
	"github.com/onedoor/yimen/exchange/journal/journaltest"
	"github.com/onedoor/yimen/exchange/workdays"
)

// world is a book over a topic, with what it wrote into the audit log.
type world struct {
	*testing.T
	*member
	topic *journaltest.Topic
	acts  []string
	now   time.Time
}

// member is a node's book.
type member struct {
	*Book
	*journal.Journal
	current atomic.Pointer[catalogue.Catalogue]
}

// Current is the catalogue with the grants in force.
func (m *member) Current() *catalogue.Catalogue { return m.current.Load() }

const site = `
secret-file:
  name: {zh: 密档, en: Secret file}
  keeper: gaj
  stale_after: 72h
  sharing: not-shared
  sharing_basis: {zh: 保守国家秘密法第九条, en: "Secrets Law, art. 9"}
`

const starting = `
- {department: xzsp, evidence: food-licence, item: food-licence-change, fields: [name], basis: {zh: 食品经营许可和备案管理办法第十三条}, from: "2026-01-01", until: "2026-12-31"}
`

func newWorld(t *testing.T) *world {
	t.Helper()
	c, err := catalogue.Load(catalogue.Builtin(), fstest.MapFS{"evidence.yaml": {Data: []byte(site)}, "grants.yaml": {Data: []byte(starting)}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, topic: journaltest.NewTopic(), now: time.Date(2026, 11, 23, 10, 0, 0, 0, exchange.China)}
	w.member = w.book(c)
	return w
}

func (w *world) book(c *catalogue.Catalogue) *member {
	w.Helper()
	m := &member{}
	m.current.Store(c)
	var err error
	m.Journal, err = journal.New(journal.Config{Topic: catalogue.Topic, Topics: w.topic, Keys: journaltest.NewKeys(0), Moved: func(next int64) { m.current.Store(m.On(c, next)) }})
	if err != nil {
		w.Fatal(err)
	}
	m.Book, err = New(Config{City: c, Current: m.Current, Journal: m.Journal, Clock: func() time.Time { return w.now },
		Fields: func(exchange.EvidenceType) []string { return []string{"credit_code", "name", "valid_until"} },
		Shares: func(t exchange.EvidenceType) bool { return t != "business-licence" },
		Audit: func(_ context.Context, who, act, target string) error {
			w.acts = append(w.acts, who+" "+act)
			return nil
		}})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { m.Run(ctx) })
	w.Cleanup(func() { cancel(); running.Wait() })
	if err := m.Settled(ctx); err != nil {
		w.Fatal(err)
	}
	return m
}

var (
	asker  = Person{Department: "xzsp", Name: "xzsp/0017", Sharing: true}
	keeper = Person{Department: "scjg", Name: "scjg/0021", Sharing: true}
	admin  = Person{Department: "dsj", Name: "dsj/0001", Admin: true}
	terms  = catalogue.Grant{Evidence: "business-licence", Item: "food-licence-new", Fields: []string{"name", "credit_code"},
		Basis: text("食品安全法第三十五条", ""), From: "2026-11-01", Until: "2027-10-31"}
)

func (w *world) ask(g catalogue.Grant) Standing {
	w.Helper()
	s, err := w.Ask(w.Context(), asker, g)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w *world) does(who Person, g Standing, act Act) Standing {
	w.Helper()
	s, err := w.Decide(w.Context(), who, g.ID, Decision{act, g.Version, "理由"})
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w *world) permits() bool {
	_, ok := w.Current().Permit("xzsp", terms.Item, terms.Evidence, exchange.DateOf(w.now))
	return ok
}

// TestLife takes a grant from its request to its revocation; what is in force follows each act at once.
func TestLife(t *testing.T) {
	w := newWorld(t)
	g := w.ask(terms)
	if w.permits() || g.Clock == nil || *g.Clock != (workdays.Clock{Article: 21, Due: "2026-11-24"}) {
		t.Errorf("after the request: permitted %v, clock %+v", w.permits(), g.Clock)
	}
	g = w.does(keeper, g, Approve)
	if !w.permits() || w.Current().UpTo() != 2 || g.Clock == nil || g.Clock.Article != 22 || g.Clock.Due != "2026-12-21" {
		t.Errorf("after approval: permitted %v, clock %+v", w.permits(), g.Clock)
	}
	for _, step := range []struct {
		act     Act
		by      Person
		permits bool
	}{{Suspend, admin, false}, {Resume, keeper, true}, {Suspend, keeper, false}, {Revoke, keeper, false}} {
		if g = w.does(step.by, g, step.act); w.permits() != step.permits {
			t.Errorf("after %s: permitted %v", step.act, w.permits())
		}
	}
	if want := "xzsp/0017 grant-request,scjg/0021 grant-approve,dsj/0001 grant-suspend,scjg/0021 grant-resume,scjg/0021 grant-suspend,scjg/0021 grant-revoke"; strings.Join(w.acts, ",") != want {
		t.Errorf("audit log: %v", w.acts)
	}
	for upTo, want := range []int{1, 1, 2, 1, 2, 1, 1} { // the city's own is always there
		then, err := w.AsOf(t.Context(), w.Book.cfg.City, int64(upTo))
		if err != nil || len(then.Grants()) != want {
			t.Errorf("as of %d: %v %v, want %d", upTo, then.Grants(), err, want)
		}
	}
	again := w.book(w.Book.cfg.City) // folded anew, it is the same
	was, _ := w.List(admin)
	is, _ := again.List(admin)
	if len(is) != 2 || len(was) != 2 || is[1].Status != was[1].Status || again.Current().UpTo() != w.Current().UpTo() || len(again.Current().Grants()) != 1 {
		t.Errorf("folded anew: %+v; was %+v", is, was)
	}
}

// TestCityGrants suspends a grant of the city's YAML, which is version 0.
func TestCityGrants(t *testing.T) {
	w := newWorld(t)
	all, err := w.List(asker)
	if err != nil || len(all) != 1 || all[0].Status != Granted || all[0].Version != 0 {
		t.Fatalf("%+v %v", all, err)
	}
	if w.does(keeper, all[0], Suspend); len(w.Current().Grants()) != 0 {
		t.Error("the suspended grant is in force")
	}
}

// TestFirstReplacementCounts lets two keepers decide on the same version.
func TestFirstReplacementCounts(t *testing.T) {
	w := newWorld(t)
	g := w.ask(terms)
	w.does(keeper, g, Refuse)
	_, err := w.Decide(t.Context(), Person{Department: "scjg", Name: "scjg/0022", Sharing: true}, g.ID, Decision{Approve, g.Version, ""})
	if code(err) != "YM-GRT-0105" || w.permits() {
		t.Errorf("%v, permitted %v", err, w.permits())
	}
}

// TestRefusals: who may not, and what cannot be asked for.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	g := w.ask(terms)
	with := func(change func(*catalogue.Grant)) catalogue.Grant {
		g := terms
		change(&g)
		return g
	}
	decide := func(who Person, act Act, reason string) func() error {
		return func() error {
			_, err := w.Decide(t.Context(), who, g.ID, Decision{act, g.Version, reason})
			return err
		}
	}
	ask := func(who Person, g catalogue.Grant) func() error {
		return func() error { _, err := w.Ask(t.Context(), who, g); return err }
	}
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"no head of sharing asks":       {ask(Person{Department: "xzsp", Name: "xzsp/9"}, terms), "YM-GRT-0112"},
		"no basis":                      {ask(asker, with(func(g *catalogue.Grant) { g.Basis = text(" ", "law") })), "YM-GRT-0102"},
		"unknown field":                 {ask(asker, with(func(g *catalogue.Grant) { g.Fields = []string{"nmae"} })), "YM-GRT-0102"},
		"a citizen number as basis":     {ask(asker, with(func(g *catalogue.Grant) { g.Basis = text("见 11010519491231002X 的申请", "") })), "YM-GRT-0102"},
		"not shared":                    {ask(asker, with(func(g *catalogue.Grant) { g.Evidence = "secret-file" })), "YM-GRT-0103"},
		"asker approves":                {decide(asker, Approve, ""), "YM-GRT-0110"},
		"another department refuses":    {decide(Person{Department: "gaj", Name: "gaj/1", Sharing: true}, Refuse, "x"), "YM-GRT-0110"},
		"keeper's clerk approves":       {decide(Person{Department: "scjg", Name: "scjg/2"}, Approve, ""), "YM-GRT-0112"},
		"administrator approves":        {decide(admin, Approve, ""), "YM-GRT-0112"},
		"refused without a reason":      {decide(keeper, Refuse, " "), "YM-GRT-0107"},
		"a citizen number as reason":    {decide(keeper, Refuse, "11010519491231002X"), "YM-GRT-0107"},
		"keeper extends":                {decide(keeper, Extend, "x"), "YM-GRT-0113"},
		"request by decision":           {decide(keeper, Request, "x"), "YM-GRT-0114"},
		"resumed before it was granted": {decide(keeper, Resume, ""), "YM-GRT-0106"},
		"no such grant": {func() error {
			_, err := w.Decide(t.Context(), keeper, "g-nothing", Decision{Act: Approve})
			return err
		}, "YM-GRT-0101"},
		"listed by a clerk": {func() error { _, err := w.List(Person{Department: "xzsp"}); return err }, "YM-GRT-0112"},
	} {
		if err := c.do(); code(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	// The city's grant is in force on the same days.
	over := w.ask(with(func(g *catalogue.Grant) { g.Evidence, g.Item = "food-licence", "food-licence-change" }))
	if _, err := w.Decide(t.Context(), keeper, over.ID, Decision{Approve, over.Version, ""}); code(err) != "YM-GRT-0109" {
		t.Errorf("overlapping: %v", err)
	}
}

// TestGapsAreToldAtOnce sends a request that lacks everything.
func TestGapsAreToldAtOnce(t *testing.T) {
	w := newWorld(t)
	_, err := w.Ask(t.Context(), asker, catalogue.Grant{})
	var p *exchange.Problem
	if !errors.As(err, &p) || strings.Count(p.Why.ZH, "；") != 4 || len(w.acts) != 0 {
		t.Errorf("%v; audit log %v", err, w.acts)
	}
}

// TestNotShared refuses with the law.
func TestNotShared(t *testing.T) {
	w := newWorld(t)
	v := w.Check(Question{Department: "xzsp", Item: "food-licence-new", Evidence: "secret-file"})
	if v.Allowed || len(v.Why) != 1 || v.Why[0].ZH != "不予共享：保守国家秘密法第九条" {
		t.Errorf("%+v", v)
	}
}

// TestCheck asks what may be seen, and why not.
func TestCheck(t *testing.T) {
	w := newWorld(t)
	q := Question{Department: "xzsp", Item: terms.Item, Evidence: terms.Evidence, Fields: []string{"name", "valid_until"}}
	says := func(want string) {
		t.Helper()
		v := w.Check(q)
		if v.Allowed || len(v.Why) != 1 || !strings.Contains(v.Why[0].EN, want) {
			t.Errorf("%+v, want %q", v, want)
		}
	}
	says("no grant was ever asked for")
	g := w.ask(terms)
	says("waits for the keeper")
	g = w.does(keeper, g, Approve)
	says("does not include the field valid_until")
	q.Fields = q.Fields[:1]
	if v := w.Check(q); !v.Allowed || v.Grant != g.ID || v.Until != terms.Until || !slices.Equal(v.Fields, []string{"name"}) {
		t.Errorf("%+v", v)
	}
	w.now = time.Date(2027, 11, 1, 9, 0, 0, 0, exchange.China)
	says("ended on 2027-10-31")
	w.now = time.Date(2026, 11, 24, 9, 0, 0, 0, exchange.China)
	w.does(keeper, g, Revoke)
	says("is revoked: 理由")
}

func code(err error) string {
	var p *exchange.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}
