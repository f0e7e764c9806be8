package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/grants"
	"github.com/onedoor/yimen/exchange/workdays"
)

// grantsUp serves two grants, one of them overdue, and says how to reach it. What is decided changes nothing, so that every run finds the same;
// the last decision is kept.
func grantsUp(t *testing.T, allowed bool) (flags string, decided *grants.Decision) {
	t.Helper()
	terms := catalogue.Grant{Department: "xzsp", Evidence: "business-licence", Item: "food-licence-new", Fields: []string{"name"}, Basis: both("某法第一条", "some law art. 1"), From: "2026-11-01", Until: "2027-10-31"}
	late := grants.Standing{ID: "g-late", Terms: terms, Status: grants.Requested, Version: 1, Class: catalogue.Conditional, Requested: time.Unix(0, 0), Asker: "xzsp/1",
		Clock: &workdays.Clock{Article: 21, Due: "2026-11-20", Overdue: true}}
	good := grants.Standing{ID: "city-good", Terms: terms, Status: grants.Granted, Version: 7}
	decided = &grants.Decision{}
	operations := []contract.Operation{
		{Method: http.MethodGet, Path: "/v1/grants", Do: func(*http.Request) (any, error) { return grants.Listing{Grants: []grants.Standing{late, good}}, nil }},
		{Method: http.MethodPost, Path: "/v1/grants", Do: func(r *http.Request) (any, error) {
			_, err := contract.Read[grants.Application](r, both("", ""))
			return late, err
		}},
		{Method: http.MethodPost, Path: "/v1/grants/{grant}/decisions", Do: func(r *http.Request) (any, error) {
			asked, err := contract.Read[grants.Decision](r, both("", ""))
			*decided = asked
			return good, err
		}},
		{Method: http.MethodGet, Path: "/v1/grants/check", Do: func(*http.Request) (any, error) {
			if allowed {
				return grants.Verdict{Allowed: true, Day: "2026-11-23", Grant: good.ID, Fields: []string{"name"}, Until: terms.Until}, nil
			}
			return grants.Verdict{Day: "2026-11-23", Grant: late.ID, Fields: []string{}, Why: []exchange.Text{both("申请待答复", "the request waits")}}, nil
		}},
	}
	server := httptest.NewServer(contract.Handler(operations, nil))
	t.Cleanup(server.Close)
	token := filepath.Join(t.TempDir(), "sharing.token")
	if err := os.WriteFile(token, []byte("of-a-head-of-sharing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return " --server " + server.URL + " --token @" + token, decided
}

func TestGrants(t *testing.T) {
	flags, decided := grantsUp(t, true)
	refused, _ := grantsUp(t, false)
	for _, c := range []struct {
		words, flags string
		code         code
		out          string
	}{
		{"grant list --lang en", flags, exitOK, "answer by 2026-11-20 (overdue)"},
		{"grant list --overdue -o name", flags, exitOK, "g-late\n"},
		{"grant request food-licence-new business-licence --basis law --from 2026-11-01 --until 2027-10-31", flags, exitOK, "✓ 已申请，编号 g-late；2026-11-20 前答复（超期）\n"},
		{"grant check food-licence-new business-licence --lang en", flags, exitOK, "✓ yes, by the grant city-good, until 2027-10-31\n"},
		{"grant check food-licence-new business-licence", refused, exitDenied, "✗ 不可以（2026-11-23）\n  申请待答复\n"},
		{"grant check food-licence-new business-licence -o json", refused, exitDenied, `"allowed": false`},
		{"grant revoke city-good --reason misuse", flags, exitOK, "✓ city-good 已撤销"},
	} {
		if got := yimen(t, strings.Fields(c.words+c.flags)...); got.code != c.code || !strings.Contains(got.out, c.out) {
			t.Errorf("%s: %d %s%s", c.words, got.code, got.out, got.talk)
		}
	}
	if *decided != (grants.Decision{Act: grants.Revoke, Replaces: 7, Reason: "misuse"}) {
		t.Errorf("decided %+v", *decided)
	}
	if got := yimen(t, strings.Fields("grant approve city-good --replaces 3"+flags)...); got.code != exitOK || decided.Replaces != 3 {
		t.Errorf("%d %s, decided %+v", got.code, got.talk, *decided)
	}
}
