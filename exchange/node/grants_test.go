package node

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/grants"
	"github.com/onedoor/yimen/exchange/replay"
)

// TestRevokedGrantCountsAtOnce revokes, asks for anew and suspends a grant on a running node. The clerk asks over one connection, which
// stays open all the time; each act counts within a second.
func TestRevokedGrantCountsAtOnce(t *testing.T) {
	cfg := settings(t)
	put(t, cfg.Callers, "- {department: xzsp, clerk: '0017', token_sha256: "+door.TokenHash(token)+"}\n"+
		"- {department: xzsp, clerk: '0018', token_sha256: "+door.TokenHash("asker")+", grants: true}\n"+
		"- {department: scjg, clerk: '0021', token_sha256: "+door.TokenHash("keeper")+", grants: true}\n"+
		"- {department: scjg, clerk: '0001', token_sha256: "+door.TokenHash("admin")+", admin: true}\n")
	n := start(t, cfg)
	publish(t, n, 1)
	as := func(token string) *api.Client {
		transport := &http.Transport{MaxConnsPerHost: 1}
		t.Cleanup(transport.CloseIdleConnections)
		return &api.Client{Base: n.URL(), Token: token, HTTP: &http.Client{Transport: transport, Timeout: 10 * time.Second}, Clock: n.around.Clock}
	}
	clerk, asker, keeper, admin := as(token), as("asker"), as("keeper"), as("admin")
	receipt := ""
	licence := func() string {
		t.Helper()
		c, err := clerk.Query(t.Context(), api.QueryRequest{Case: "LL-2026-1123-0041", Item: "food-licence-new", Applicant: company})
		if err != nil {
			t.Fatal(err)
		}
		receipt = c.Receipt.ID
		for _, a := range c.Answers {
			if a.Material == "business-licence" {
				return string(a.Evidence[0].Outcome) + "/" + string(a.Evidence[0].Reason)
			}
		}
		t.Fatalf("no answer in %+v", c)
		return ""
	}
	within := func(act, want string) {
		t.Helper()
		for began := time.Now(); licence() != want; {
			if time.Since(began) > time.Second {
				t.Fatalf("a second after %s it is still %s, want %s", act, licence(), want)
			}
		}
	}
	decide := func(c *api.Client, id string, d grants.Decision) grants.Standing {
		t.Helper()
		g, err := c.DecideGrant(t.Context(), id, d)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	held, none := licence(), string(exchange.Supply)+"/"+string(exchange.NoGrant)
	if held == none {
		t.Fatal("nothing was granted from the beginning")
	}

	var city grants.Standing
	for g, err := range keeper.Grants(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if g.Terms.Evidence == "business-licence" && g.Terms.Item == "food-licence-new" && g.Terms.Department == "xzsp" {
			city = g
		}
	}
	decide(keeper, city.ID, grants.Decision{Act: grants.Revoke, Replaces: city.Version, Reason: "用途不符"})
	within("the revocation", none)

	g, err := asker.RequestGrant(t.Context(), grants.Application{Evidence: "business-licence", Item: "food-licence-new", Fields: []string{"name"},
		Basis: exchange.Text{ZH: "食品安全法第三十五条"}, From: "2026-11-01", Until: "2026-12-31"})
	if err != nil {
		t.Fatal(err)
	}
	within("the request", none)
	g = decide(keeper, g.ID, grants.Decision{Act: grants.Approve, Replaces: g.Version})
	within("the approval", held)
	approved := receipt
	g = decide(admin, g.ID, grants.Decision{Act: grants.Suspend, Replaces: g.Version, Reason: "核查"})
	within("the suspension", none)

	for _, id := range []string{approved, receipt} { // each under the grants of its moment
		var again replay.Result
		if err := n.await(t.Context(), func() (bool, error) { // the ledger follows the log
			_, err := n.Ledger.Entry(t.Context(), id)
			return err == nil, nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := clerk.Call(t.Context(), http.MethodPost, "/v1/replays", ReplayRequest{Entry: id, Applicant: company}, &again); err != nil {
			t.Fatal(err)
		}
		if again.Verdict != replay.Same || !again.Bytes {
			t.Errorf("given again: %+v", again)
		}
	}

	if _, err := asker.DecideGrant(t.Context(), g.ID, grants.Decision{Act: grants.Resume, Replaces: g.Version}); err == nil || !strings.Contains(err.Error(), "YM-GRT-0110") {
		t.Errorf("the asker resumes it: %v", err)
	}
	v, err := asker.CheckGrant(t.Context(), grants.Question{Item: "food-licence-new", Evidence: "business-licence"})
	if err != nil || v.Allowed || len(v.Why) != 2 {
		t.Errorf("%+v %v", v, err)
	}
}
