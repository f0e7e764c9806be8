package node

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/audit/ledger"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/identity"
)

// TestDepartmentsProgram does what a department's program does, by the client: items, a query with what is left, its receipt, and who looked.
func TestDepartmentsProgram(t *testing.T) {
	cfg := settings(t)
	put(t, cfg.Callers, "- {department: xzsp, clerk: '0017', token_sha256: "+door.TokenHash(token)+", citizens: true}\n")
	n := start(t, cfg)
	publish(t, n, 1)
	c := &api.Client{Base: n.URL(), Token: token, Clock: n.around.Clock, Patience: 30 * time.Second}

	var items []catalogue.Service
	for item, err := range api.List[catalogue.Service](t.Context(), c, "/v1/items?limit=2") {
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
	whole := 0
	for item, err := range c.Items(t.Context()) {
		if err != nil || whole >= len(items) || items[whole].Code != item.Code {
			t.Fatalf("%+v %v", item, err)
		}
		whole++
	}
	if whole < 3 || whole != len(items) {
		t.Errorf("%d items in parts, %d at once", len(items), whole)
	}
	if item, err := c.Item(t.Context(), "food-licence-new"); err != nil || len(item.Materials) == 0 || len(item.Materials[0].Name.ZH) == 0 {
		t.Errorf("%+v %v", item, err)
	}
	if _, err := c.Item(t.Context(), "none"); exchange.KindOf(err) != exchange.NotFound {
		t.Error(err)
	}

	var last string
	for i := range 3 {
		conclusion, err := c.Query(t.Context(), api.QueryRequest{Case: "LL-2026-1123-" + strconv.Itoa(i), Item: "food-licence-new", Applicant: company})
		if err != nil {
			t.Fatal(err)
		}
		last = conclusion.ID
	}
	var receipt ledger.Receipt
	if err := n.await(t.Context(), func() (bool, error) { // the ledger follows the log
		var err error
		receipt, err = c.Receipt(t.Context(), last)
		return err == nil, nil
	}); err != nil || receipt.ID != last || receipt.Proof == "" {
		t.Errorf("%+v %v", receipt, err)
	}
	seen := 0
	for access, err := range c.Accesses(t.Context(), company) {
		if err != nil {
			t.Fatal(err)
		}
		if access.Kind == "query" {
			seen++
		}
	}
	if seen != 3 {
		t.Errorf("%d accesses", seen)
	}
	for _, err := range c.Accesses(t.Context(), "1") {
		if exchange.KindOf(err) != exchange.Invalid {
			t.Error(err)
		}
	}

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.URL()+"/v1/subjects/"+subjectOf(t, n)+"/accesses?limit=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.Header.Get("Link") == "" {
		t.Errorf("no next page: %v", response.Header)
	}
}

// subjectOf is the token that stands for the company in the log.
func subjectOf(t *testing.T, n *Node) string {
	t.Helper()
	holder, err := identity.ParseHolder(company)
	if err != nil {
		t.Fatal(err)
	}
	subject, err := n.audit.Token(t.Context(), holder)
	if err != nil {
		t.Fatal(err)
	}
	return subject
}
