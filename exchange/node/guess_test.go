package node

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/replay"
)

// TestGuessesAtReplaysAreStopped: whoever tries numbers against an entry is suspended, with an alarm, and is then not told any more whether
// one is right; the applicant and the party of the entry see each try among the accesses to their own data.
func TestGuessesAtReplaysAreStopped(t *testing.T) {
	cfg := settings(t)
	put(t, cfg.Callers, "- {department: xzsp, clerk: '0017', token_sha256: "+door.TokenHash(token)+"}\n"+
		"- {department: gaj, clerk: '0001', token_sha256: "+door.TokenHash("auditor")+", auditor: true}\n")
	n := start(t, cfg)
	as := func(token string) *api.Client { return &api.Client{Base: n.URL(), Token: token, Clock: n.around.Clock} }
	const stranger = "110101199003074477"
	applicant, spouse := exchange.Holder{Kind: exchange.Person, Number: "11010519491231002X"}, exchange.Holder{Kind: exchange.Person, Number: "440524188001010014"}
	parties := api.Parties{exchange.Spouse: spouse.Number}
	c, err := as(token).Query(t.Context(), api.QueryRequest{Case: "LL-2026-1123-0041", Item: "household-spouse-move", Applicant: applicant.Number, Parties: parties})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.await(t.Context(), func() (bool, error) { // the ledger follows the log
		_, err := n.Ledger.Entry(t.Context(), c.Receipt.ID)
		return err == nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	try := func(who, number string, with api.Parties, want string) {
		t.Helper()
		var again replay.Result
		err := as(who).Call(t.Context(), http.MethodPost, "/v1/replays", ReplayRequest{Entry: c.Receipt.ID, Applicant: number, Parties: with}, &again)
		if got := string(again.Verdict); err == nil && got != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s gets %q, %v; want %s", who, got, err, want)
		}
	}
	try("auditor", applicant.Number, parties, "same") // who knows it may look
	for range 7 {
		try("auditor", stranger, parties, "YM-RPL-0102")
	}
	try("auditor", applicant.Number, api.Parties{exchange.Spouse: stranger}, "YM-RPL-0105")
	try("auditor", applicant.Number, nil, "YM-RPL-0105")
	stated := ReplayRequest{Entry: c.Receipt.ID, Applicant: applicant.Number, Parties: parties, Facts: map[string]any{"reason": "x"}}
	if err := as("auditor").Call(t.Context(), http.MethodPost, "/v1/replays", stated, new(replay.Result)); err == nil || !strings.Contains(err.Error(), "YM-RPL-0104") {
		t.Errorf("a statement that nobody made: %v", err)
	}
	for _, number := range []string{stranger, applicant.Number} {
		try("auditor", number, parties, "YM-LIM-0202")
	}
	try(token, applicant.Number, parties, "same") // somebody else is not held up

	want := map[string]int{"gaj answered": 1, "gaj refused": 12, "xzsp answered": 1}
	for _, who := range []exchange.Holder{applicant, spouse} {
		subject, err := n.audit.Token(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		var seen map[string]int
		soon, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := n.await(soon, func() (bool, error) {
			page, err := n.Ledger.Accesses(t.Context(), subject, n.around.Clock(), "")
			seen = map[string]int{}
			for _, a := range page.Accesses {
				if a.Kind == string(audit.Act) && a.Item == "household-spouse-move" {
					seen[fmt.Sprintf("%s %s", a.Department, a.Decision)]++
				}
			}
			return maps.Equal(seen, want), err
		}); err != nil {
			t.Errorf("among the accesses are %v (%v), want %v", seen, err, want)
		}
	}
	if err := testutil.GatherAndCompare(onlyRule{n.Metrics, "guesses"}, strings.NewReader(`
# HELP yimen_limits_alarms_total Alarms, by the rule that was broken: once a day for each clerk or department. Each node tells of what it sees.
# TYPE yimen_limits_alarms_total counter
yimen_limits_alarms_total{rule="guesses"} 1
`), "yimen_limits_alarms_total"); err != nil {
		t.Error(err)
	}
}

// onlyRule gathers of a metric of limits what is about one rule.
type onlyRule struct {
	prometheus.Gatherer
	rule string
}

func (o onlyRule) Gather() ([]*dto.MetricFamily, error) {
	all, err := o.Gatherer.Gather()
	for _, family := range all {
		if family.GetName() == "yimen_limits_alarms_total" {
			family.Metric = slices.DeleteFunc(family.Metric, func(m *dto.Metric) bool { return m.Label[0].GetValue() != o.rule })
		}
	}
	return all, err
}
