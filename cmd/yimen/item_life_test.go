package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/items"
)

// itemsUp serves an item with a draft and two editions, and says how to reach it. What is done changes nothing, so that every run finds the
// same; the last act is kept.
func itemsUp(t *testing.T) (flags string, done *items.Doing) {
	t.Helper()
	service := &catalogue.Service{Code: "food-licence-copy", Name: both("食品经营许可证补证", "Replacement of a food licence"), Department: "scjg"}
	standing := items.Standing{Item: service.Code, Version: 8, Working: &items.Working{Stage: items.Returned, Service: service, Drafted: items.Deed{By: "scjg/0021"}, Reason: "少一项材料"},
		Editions: []items.Edition{{Number: 1, From: "2026-12-01", Service: service, Drafted: items.Deed{By: "scjg/0021"}, Reviewed: items.Deed{By: "scjg/0007"}, Published: items.Deed{By: "dsj/0001"}},
			{Number: 2, From: "2027-02-01", Reason: "并入新证", Published: items.Deed{By: "scjg/0007"}}}}
	settled := items.Standing{Item: "food-licence-a", Version: 3, Editions: standing.Editions[:1]}
	adjusted := *service
	adjusted.Edition = &catalogue.Edition{Number: 2, From: "2026-12-01"}
	inForce := []catalogue.Service{adjusted, {Code: "tea-house", Name: both("茶馆", "Tea house"), Department: "scjg"}}
	done = &items.Doing{}
	operations := []contract.Operation{
		{Method: http.MethodGet, Path: "/v1/item-editions", Do: func(r *http.Request) (any, error) {
			part, last := onePart(r, []items.Standing{settled, standing})
			return contract.Part{Answer: items.Listing{Items: part}, Last: last}, nil
		}},
		{Method: http.MethodGet, Path: "/v1/items", Open: true, Do: func(r *http.Request) (any, error) {
			part, last := onePart(r, inForce)
			return contract.Part{Answer: part, Last: last}, nil
		}},
		{Method: http.MethodGet, Path: "/v1/items/{code}", Open: true, Do: func(r *http.Request) (any, error) {
			if r.PathValue("code") == "food-licence-copy" {
				return inForce[0], nil
			}
			return nil, &exchange.Problem{Code: "YM-QRY-0103", Kind: exchange.NotFound, What: both("没有这个事项", "there is no such item")}
		}},
		{Method: http.MethodGet, Path: "/v1/items/{code}/editions", Do: func(*http.Request) (any, error) { return standing, nil }},
		{Method: http.MethodPost, Path: "/v1/items/{code}/acts", Do: func(r *http.Request) (any, error) {
			asked, err := contract.Read[items.Doing](r, both("", ""))
			*done = asked
			return standing, err
		}},
	}
	server := httptest.NewServer(contract.Handler(operations, nil))
	t.Cleanup(server.Close)
	token := filepath.Join(t.TempDir(), "items.token")
	if err := os.WriteFile(token, []byte("of-who-keeps-the-items\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return " --server " + server.URL + " --token @" + token, done
}

func TestItemLife(t *testing.T) {
	flags, done := itemsUp(t)
	for _, c := range []struct {
		words string
		code  code
		out   string
		done  items.Doing
	}{
		{"item history", exitOK, "food-licence-copy  已退回", items.Doing{}},
		{"item history -o name", exitOK, "food-licence-copy\nfood-licence-copy\nfood-licence-copy\nfood-licence-a\n", items.Doing{}},
		{"item history food-licence-copy --lang en", exitOK, "2027-02-01", items.Doing{}},
		{"item publish food-licence-copy --from 2027-03-01", exitOK, "✓ food-licence-copy 已公布\n", items.Doing{Act: items.Publish, Replaces: 8, From: "2027-03-01"}},
		{"item withdraw food-licence-copy --reason merged --replaces 3", exitOK, "✓ food-licence-copy 已废止\n", items.Doing{Act: items.Withdraw, Replaces: 3, Reason: "merged"}},
		{"item review food-licence-copy --lang en", exitOK, "✓ food-licence-copy is reviewed and may be published\n", items.Doing{Act: items.Review, Replaces: 8}},
		{"item return food-licence-copy", exitUsage, "", items.Doing{Act: items.Review, Replaces: 8}},
	} {
		if got := yimen(t, strings.Fields(c.words+flags)...); got.code != c.code || !strings.Contains(got.out, c.out) || *done != c.done {
			t.Errorf("%s: %d %s%s, done %+v", c.words, got.code, got.out, got.talk, *done)
		}
	}
	const file = "testdata/food-licence-copy.yaml"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := yimen(t, strings.Fields("item draft "+file+flags)...); got.code != exitOK || done.Source != string(source) || done.Act != items.Draft {
		t.Errorf("draft: %d %s, done %+v", got.code, got.talk, *done)
	}
	for name, content := range map[string]string{"other.yaml": "name: x", "broken.yaml": "item: [", "empty.yaml": ""} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := yimen(t, strings.Fields("item draft "+path+flags)...); got.code != exitFailed || !strings.Contains(got.talk, "YM-CLI-0308") {
			t.Errorf("%s: %d %s", name, got.code, got.talk)
		}
	}
}

// Items are listed and shown as they are in force at an exchange, page by page, and it is said which ones are shown. No token is needed.
func TestItemsInForce(t *testing.T) {
	flags, _ := itemsUp(t)
	server, _, _ := strings.Cut(flags, " --token")
	for _, c := range []struct {
		words     string
		code      code
		out, talk string
	}{
		{"item list" + server, exitOK, "第 2 版，自 2026-12-01\n", "平台 http://127.0.0.1"},
		{"item list --lang en" + flags, exitOK, "as in the files\n", "In force today at http://127.0.0.1"},
		{"item list -o name" + server, exitOK, "food-licence-copy\ntea-house\n", ""},
		{"item list --lang en", exitOK, "MATERIALS\n", "Read from the built-in files; --server shows what is in force at an exchange\n"},
		{"item show food-licence-copy --lang en" + server, exitOK, "edition: 2, from 2026-12-01\n", "In force today at"},
		{"item show food-licence-copy -o json" + server, exitOK, `"from": "2026-12-01"`, ""},
		{"item show food-licence-new" + server, exitNotFound, "", "YM-QRY-0103"},
		{"item show tea-house --lang en", exitNotFound, "", "what was published at an exchange, with --server"},
		{"item list --catalogue /" + server, exitUsage, "", "YM-CLI-0312"},
		{"item show x --catalogue testdata" + server, exitUsage, "", "YM-CLI-0312"},
	} {
		got := yimen(t, strings.Fields(c.words)...)
		if got.code != c.code || !strings.Contains(got.out, c.out) || !strings.Contains(got.talk, c.talk) || (c.talk == "") != (got.talk == "") {
			t.Errorf("%s: %d %s%s", c.words, got.code, got.out, got.talk)
		}
	}
}
