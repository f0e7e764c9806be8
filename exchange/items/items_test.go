package items

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/journal"
	"github.com/onedoor/yimen/exchange/journal/journaltest"
)

var (
	drafter  = Person{Department: "scjg", Name: "scjg/0021", Items: true}
	reviewer = Person{Department: "scjg", Name: "scjg/0007", Items: true}
	stranger = Person{Department: "gaj", Name: "gaj/0003", Items: true}
	clerk    = Person{Department: "scjg", Name: "scjg/0044"}
	admin    = Person{Department: "dsj", Name: "dsj/0001", Admin: true}
)

// world is a book over a topic, with what it wrote into the audit log.
type world struct {
	*testing.T
	*Book
	city  *catalogue.Catalogue
	topic *journaltest.Topic
	acts  []string
	now   time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	city, err := catalogue.Load(catalogue.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, city: city, topic: journaltest.NewTopic(), now: time.Date(2026, 11, 23, 10, 0, 0, 0, exchange.China)}
	w.Book = w.book()
	return w
}

func (w *world) book() *Book {
	w.Helper()
	j, err := journal.New(journal.Config{Topic: catalogue.Topic, Topics: w.topic, Keys: journaltest.NewKeys(0)})
	if err != nil {
		w.Fatal(err)
	}
	b, err := New(Config{City: w.city, Journal: j, Clock: func() time.Time { return w.now }, Audit: func(_ context.Context, who, act, target string) error {
		w.acts = append(w.acts, who+" "+act+" "+target)
		return nil
	}})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { j.Run(ctx) })
	w.Cleanup(func() { cancel(); running.Wait() })
	if err := j.Settled(ctx); err != nil {
		w.Fatal(err)
	}
	return b
}

// do does an act to the version there is, and gives the code of the refusal.
func (w *world) do(who Person, item exchange.Item, d Doing) string {
	w.Helper()
	if s, err := w.Standing(admin, item); err == nil {
		d.Replaces = s.Version
	}
	_, err := w.Do(w.Context(), who, item, d)
	return code(err)
}

func code(err error) string {
	var p *exchange.Problem
	switch {
	case err == nil:
		return ""
	case errors.As(err, &p):
		return p.Code
	}
	return err.Error()
}

// materials are how many an item has on a day, -1 where there is no such item.
func (w *world) materials(b *Book, item exchange.Item, day exchange.Date) int {
	c, _ := b.On(w.city, day)
	s, known := c.Service(item)
	if !known {
		return -1
	}
	return len(s.Materials)
}

const fresh = exchange.Item("food-licence-copy")

// written is an item with as many materials.
func written(item exchange.Item, department exchange.Department, materials int) string {
	all := "item: " + string(item) + "\nname: {zh: 补证}\ndepartment: " + string(department) + "\napplicant: org\nmaterials:\n"
	for i := range materials {
		all += "  - {material: m" + strings.Repeat("x", i) + ", name: {zh: 申请书}, basis: {zh: 办法第三十四条}, necessity: required, made_by: applicant}\n"
	}
	return all
}

// TestLife: a new item counts from its day, an adjustment from the next, and a withdrawal ends it; what was before stays as it was.
func TestLife(t *testing.T) {
	w := newWorld(t)
	steps := []struct {
		who  Person
		do   Doing
		want string
	}{
		{drafter, Doing{Act: Publish}, "YM-ITM-0202"},
		{drafter, Doing{Act: Draft, Source: written(fresh, "scjg", 1)}, ""},
		{drafter, Doing{Act: Review}, "YM-ITM-0201"},
		{reviewer, Doing{Act: Return}, "YM-ITM-0106"},
		{reviewer, Doing{Act: Return, Reason: "少一项材料"}, ""},
		{reviewer, Doing{Act: Review}, "YM-ITM-0202"},
		{drafter, Doing{Act: Draft, Source: written(fresh, "scjg", 2)}, ""},
		{drafter, Doing{Act: Publish}, "YM-ITM-0202"},
		{reviewer, Doing{Act: Review}, ""},
		{reviewer, Doing{Act: Publish, From: "2026-11-22"}, "YM-ITM-0107"},
		{reviewer, Doing{Act: Publish, From: "2026-12-01"}, ""},
		{reviewer, Doing{Act: Publish, From: "2026-12-02"}, "YM-ITM-0202"},
		{drafter, Doing{Act: Draft, Source: written(fresh, "scjg", 3)}, ""},
		{reviewer, Doing{Act: Review}, ""},
		{admin, Doing{Act: Publish, From: "2027-01-01"}, ""},
		{drafter, Doing{Act: Withdraw, From: "2027-02-01"}, "YM-ITM-0106"},
		{drafter, Doing{Act: Withdraw, From: "2027-02-01", Reason: "并入新证"}, ""},
		{drafter, Doing{Act: Withdraw, From: "2027-03-01", Reason: "并入新证"}, "YM-ITM-0202"},
	}
	for i, step := range steps {
		if got := w.do(step.who, fresh, step.do); got != step.want {
			t.Fatalf("step %d, %s: %q, want %q", i, step.do.Act, got, step.want)
		}
	}
	for _, b := range []*Book{w.Book, w.book()} { // folded anew, it is the same
		for day, want := range map[exchange.Date]int{"2026-11-30": -1, "2026-12-01": 2, "2026-12-31": 2, "2027-01-01": 3, "2027-01-31": 3, "2027-02-01": -1} {
			if got := w.materials(b, fresh, day); got != want {
				t.Errorf("on %s: %d materials, want %d", day, got, want)
			}
		}
		for day, want := range map[exchange.Date]exchange.Date{"2026-11-23": "2026-12-01", "2026-12-01": "2027-01-01", "2027-01-05": "2027-02-01", "2027-02-01": ""} {
			if _, turns := b.On(w.city, day); turns != want {
				t.Errorf("after %s it turns on %q, want %q", day, turns, want)
			}
		}
	}
	if len(w.acts) < 10 || w.acts[0] != "scjg/0021 item-publish food-licence-copy" {
		t.Errorf("audit log: %v", w.acts)
	}
}

// TestEditionsAreNumbered: an item in force says which edition it is; one that is as the city's files have it says none. Numbers follow the
// order of publishing, so that they stay when an earlier day is published later.
func TestEditionsAreNumbered(t *testing.T) {
	w := newWorld(t)
	for _, from := range []exchange.Date{"2027-01-01", "2026-12-01"} {
		for i, d := range []Doing{{Act: Draft, Source: written(fresh, "scjg", 1)}, {Act: Review}, {Act: Publish, From: from}} {
			if got := w.do([]Person{drafter, reviewer, reviewer}[i], fresh, d); got != "" {
				t.Fatal(got)
			}
		}
	}
	for day, want := range map[exchange.Date]catalogue.Edition{"2026-12-31": {Number: 2, From: "2026-12-01"}, "2027-01-01": {Number: 1, From: "2027-01-01"}} {
		c, _ := w.On(w.city, day)
		if s, known := c.Service(fresh); !known || s.Edition == nil || *s.Edition != want {
			t.Errorf("on %s: %+v, want %+v", day, s.Edition, want)
		}
		if s, known := c.Service("food-licence-new"); !known || s.Edition != nil {
			t.Errorf("what nobody acted upon is %+v", s.Edition)
		}
	}
	g, err := w.Standing(drafter, fresh)
	if err != nil || len(g.Editions) != 2 || g.Editions[0].Number != 2 || g.Editions[0].Service.Edition != nil {
		t.Errorf("%+v, %v", g, err)
	}
}

// TestAsOf: what an item was on a day by what was decided up to an offset can be had again, however it was changed since.
func TestAsOf(t *testing.T) {
	w := newWorld(t)
	change := func(materials int) {
		for _, step := range []struct {
			who Person
			do  Doing
		}{{drafter, Doing{Act: Draft, Source: written(fresh, "scjg", materials)}}, {reviewer, Doing{Act: Review}}, {reviewer, Doing{Act: Publish}}} {
			if got := w.do(step.who, fresh, step.do); got != "" {
				t.Fatal(got)
			}
		}
	}
	change(1)
	w.now = w.now.AddDate(0, 0, 7)
	change(2)
	change(3) // the later of two for one day counts
	for upTo, want := range []int{-1, -1, -1, 1, 1, 1, 2, 2, 2, 3} {
		c, _, err := w.AsOf(t.Context(), w.city, int64(upTo), "2026-11-30")
		if err != nil {
			t.Fatal(err)
		}
		got := -1
		if s, known := c.Service(fresh); known {
			got = len(s.Materials)
		}
		if got != want {
			t.Errorf("up to %d: %d materials, want %d", upTo, got, want)
		}
	}
}

// TestStartingItems: an item of the city's catalogue is adjusted and withdrawn like any other, and is as it was until then.
func TestStartingItems(t *testing.T) {
	w := newWorld(t)
	const item = exchange.Item("food-licence-new")
	before := w.materials(w.Book, item, "2026-11-23")
	s, _ := w.city.Service(item)
	owner := Person{Department: s.Department, Name: string(s.Department) + "/0001", Items: true}
	if got := w.do(owner, item, Doing{Act: Withdraw, From: "2027-01-01", Reason: "合并"}); got != "" {
		t.Fatal(got)
	}
	if got := w.materials(w.Book, item, "2026-12-31"); got != before {
		t.Errorf("before its last day: %d materials, want %d", got, before)
	}
	if got := w.materials(w.Book, item, "2027-01-01"); got != -1 {
		t.Errorf("withdrawn, it has %d materials", got)
	}
}

// TestNodesAgreeWhateverTheirFiles: what counts follows from the topic alone. A node whose files lack a department or an item folds the same
// versions; what it cannot read it leaves as its files have it.
func TestNodesAgreeWhateverTheirFiles(t *testing.T) {
	w := newWorld(t)
	for _, step := range []struct {
		who  Person
		item exchange.Item
		do   Doing
	}{
		{drafter, fresh, Doing{Act: Draft, Source: written(fresh, "scjg", 2)}}, {reviewer, fresh, Doing{Act: Review}}, {reviewer, fresh, Doing{Act: Publish}},
		{admin, "food-licence-new", Doing{Act: Withdraw, Reason: "合并"}},
	} {
		if got := w.do(step.who, step.item, step.do); got != "" {
			t.Fatal(got)
		}
	}
	poor, err := catalogue.Load(fstest.MapFS{"departments.yaml": {Data: []byte("dsj: {zh: 数据局}\n")}})
	if err != nil {
		t.Fatal(err)
	}
	rich := w.city
	w.city = poor
	other := w.book()
	w.city = rich
	mine, _ := w.List(admin)
	others, _ := other.List(admin)
	if len(mine) != 2 || len(others) != 2 {
		t.Fatalf("%d and %d items", len(mine), len(others))
	}
	for i := range mine {
		if mine[i].Version != others[i].Version || len(mine[i].Editions) != len(others[i].Editions) || mine[i].Item != others[i].Item {
			t.Errorf("%+v and %+v", mine[i], others[i])
		}
	}
	if on, _ := other.On(poor, "2026-12-01"); len(on.Services()) != 0 {
		t.Errorf("it shows what it cannot read: %v", on.Services())
	}
	if got := w.materials(w.Book, fresh, "2026-12-01"); got != 2 {
		t.Errorf("%d materials", got)
	}
}

// TestWhoMay: an item is of those who keep its department's items, before and after the change.
func TestWhoMay(t *testing.T) {
	w := newWorld(t)
	for name, row := range map[string]struct {
		who  Person
		item exchange.Item
		do   Doing
		want string
	}{
		"without the role":                 {clerk, fresh, Doing{Act: Draft, Source: written(fresh, "scjg", 1)}, "YM-ITM-0101"},
		"another department's new item":    {stranger, fresh, Doing{Act: Draft, Source: written(fresh, "scjg", 1)}, "YM-ITM-0102"},
		"taking another department's item": {stranger, "food-licence-new", Doing{Act: Draft, Source: written("food-licence-new", "gaj", 1)}, "YM-ITM-0102"},
		"withdrawing another's":            {stranger, "food-licence-new", Doing{Act: Withdraw, Reason: "x"}, "YM-ITM-0102"},
		"another code":                     {drafter, fresh, Doing{Act: Draft, Source: written("food-licence-other", "scjg", 1)}, "YM-ITM-0105"},
		"no such act":                      {drafter, fresh, Doing{Act: "burn"}, "YM-ITM-0104"},
		"a number in the draft":            {admin, fresh, Doing{Act: Draft, Source: written(fresh, "scjg", 1) + "# 11010519491231002X\n"}, "YM-ITM-0108"},
		"a number in the reason":           {admin, "food-licence-new", Doing{Act: Withdraw, Reason: "11010519491231002X 说的"}, "YM-ITM-0108"},
		"nothing there":                    {drafter, fresh, Doing{Act: Draft, Source: "[]"}, "YM-CAT-0104"},
	} {
		if got := w.do(row.who, row.item, row.do); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
	if len(w.acts) != 0 || len(w.topic.All()) != 0 {
		t.Errorf("something is left of what was refused: %v", w.acts)
	}
	if _, err := w.Standing(clerk, "food-licence-new"); code(err) != "YM-ITM-0101" {
		t.Errorf("a clerk sees drafts: %v", err)
	}
	if _, err := w.List(clerk); code(err) != "YM-ITM-0101" {
		t.Errorf("a clerk sees drafts: %v", err)
	}
}

// TestOfTwoTheFirstCounts: who acts upon what was changed meanwhile is told so.
func TestOfTwoTheFirstCounts(t *testing.T) {
	w := newWorld(t)
	other := w.book()
	draft := Doing{Act: Draft, Source: written(fresh, "scjg", 1)}
	if _, err := w.Do(t.Context(), drafter, fresh, draft); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Do(t.Context(), reviewer, fresh, draft); code(err) != "YM-ITM-0203" {
		t.Errorf("the second draft for the same version: %v", err)
	}
	all, err := other.List(admin)
	if err != nil || len(all) != 1 || all[0].Working.Drafted.By != drafter.Name {
		t.Errorf("%+v, %v", all, err)
	}
	if all, _ := other.List(stranger); len(all) != 0 {
		t.Errorf("another department sees %v", all)
	}
}

// TestListedInParts: a list comes in as many parts as are asked for, by code.
func TestListedInParts(t *testing.T) {
	w := newWorld(t)
	want := []string{"food-licence-a", "food-licence-b", "food-licence-c"}
	for _, item := range []exchange.Item{"food-licence-b", "food-licence-c", "food-licence-a"} {
		if got := w.do(drafter, item, Doing{Act: Draft, Source: written(item, "scjg", 1)}); got != "" {
			t.Fatal(got)
		}
	}
	d := Desk{Book: w.Book, Person: func(*http.Request) (Person, error) { return drafter, nil }}
	var got []string
	for cursor := ""; len(got) < 5; {
		answer, err := d.list(httptest.NewRequest(http.MethodGet, "/v1/item-editions?limit=2"+cursor, nil))
		if err != nil {
			t.Fatal(err)
		}
		part := answer.(contract.Part)
		for _, g := range part.Answer.(Listing).Items {
			got = append(got, string(g.Item))
		}
		if cursor = "&cursor=" + part.Last; part.Last == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	if _, err := d.list(httptest.NewRequest(http.MethodGet, "/v1/item-editions?limit=0", nil)); code(err) != "YM-API-0107" {
		t.Errorf("a part of none: %v", err)
	}
}

func FuzzEntry(f *testing.F) {
	f.Add([]byte(`{"format":1,"kind":"item","id":"A","at":"2026-11-23T02:00:00Z","by":"scjg/0021","item":"x","replaces":0,"act":"draft","source":"item: x"}`))
	f.Add([]byte(`{"kind":"grant"}`))
	city, err := catalogue.Load(catalogue.Builtin())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := parseEntry(value)
		if e == nil {
			return
		}
		if err != nil {
			t.Fatal("an entry and an error")
		}
		s := newState(city)
		if s.fold(e) == nil && s.items[e.Item].Version != 1 {
			t.Error("folded, and the version stayed")
		}
	})
}
