package node

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/items"
	"github.com/onedoor/yimen/exchange/replay"
)

const adjusted = `item: food-licence-new
name: {zh: 食品经营许可（新办）}
department: scjg
applicant: org
materials:
  - {material: plan, name: {zh: 平面图}, basis: {zh: 食品经营许可和备案管理办法第十三条}, necessity: required, made_by: applicant}
`

// TestAdjustedItemCountsFromItsDay: an item that was drafted, reviewed and published for tomorrow is asked by from tomorrow on, on a node that
// runs over midnight and on one that starts then; what was answered before is given again as it was.
func TestAdjustedItemCountsFromItsDay(t *testing.T) {
	cfg := settings(t)
	put(t, cfg.Callers, "- {department: xzsp, clerk: '0017', token_sha256: "+door.TokenHash(token)+"}\n"+
		"- {department: scjg, clerk: '0021', token_sha256: "+door.TokenHash("drafter")+", items: true}\n"+
		"- {department: scjg, clerk: '0007', token_sha256: "+door.TokenHash("reviewer")+", items: true}\n")
	night := time.Date(2026, 11, 23, 23, 59, 30, 0, exchange.China)
	var later atomic.Int64
	around := surroundings()
	around.Clock = func() time.Time { return night.Add(time.Duration(later.Load())) }
	run := func() *Node {
		t.Helper()
		n, err := Start(t.Context(), cfg, around)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close() })
		return n
	}
	n := run()
	as := func(token string) *api.Client {
		return &api.Client{Base: n.URL(), Token: token, Clock: around.Clock}
	}
	materials := func() (names []string, receipt string) {
		t.Helper()
		c, err := as(token).Query(t.Context(), api.QueryRequest{Case: "LL-2026-1123-0041", Item: "food-licence-new", Applicant: company})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range c.Answers {
			names = append(names, a.Material)
		}
		return names, c.Receipt.ID
	}
	act := func(who string, d items.Doing) {
		t.Helper()
		var s items.Standing
		if err := as(who).Call(t.Context(), http.MethodPost, "/v1/items/food-licence-new/acts", d, &s); err != nil {
			t.Fatal(err)
		}
	}
	before, first := materials()
	tomorrow := exchange.DateOf(night.Add(time.Minute))
	act("drafter", items.Doing{Act: items.Draft, Source: adjusted})
	act("reviewer", items.Doing{Act: items.Review, Replaces: 1})
	act("reviewer", items.Doing{Act: items.Publish, Replaces: 2, From: tomorrow})
	today, second := materials()
	if !slices.Equal(today, before) || len(before) < 2 {
		t.Errorf("today's materials %v, before %v", today, before)
	}
	later.Store(int64(time.Minute))
	from, third := materials()
	if !slices.Equal(from, []string{"plan"}) {
		t.Errorf("from its day on it asks for %v", from)
	}
	var shown catalogue.Service
	if err := as(token).Call(t.Context(), http.MethodGet, "/v1/items/food-licence-new", nil, &shown); err != nil || len(shown.Materials) != 1 || shown.Edition == nil || *shown.Edition != (catalogue.Edition{Number: 1, From: tomorrow}) {
		t.Errorf("shown %+v, %v", shown, err)
	}
	stop(t, n)
	n = run()
	if again, _ := materials(); !slices.Equal(again, from) {
		t.Errorf("after a restart it asks for %v", again)
	}
	for _, id := range []string{first, second, third} { // each under the item of its day
		if err := n.await(t.Context(), func() (bool, error) { // the ledger follows the log
			_, err := n.Ledger.Entry(t.Context(), id)
			return err == nil, nil
		}); err != nil {
			t.Fatal(err)
		}
		var again replay.Result
		if err := as(token).Call(t.Context(), http.MethodPost, "/v1/replays", ReplayRequest{Entry: id, Applicant: company}, &again); err != nil || again.Verdict != replay.Same || !again.Bytes {
			t.Errorf("given again: %+v, %v", again, err)
		}
	}
}
