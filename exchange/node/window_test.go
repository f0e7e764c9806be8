package node

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/door"
)

// TestPageAsksAsTheAPIDoes walks the clerk's page of a whole node: what it shows was granted, and stands in the audit log.
func TestPageAsksAsTheAPIDoes(t *testing.T) {
	c := settings(t)
	hash, err := door.PasswordHash("four unrelated words")
	if err != nil {
		t.Fatal(err)
	}
	put(t, c.Callers, "- {department: xzsp, clerk: '0017', user: zhang, password: '"+hash+"'}\n")
	n := start(t, c)
	publish(t, n, 1)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
	visit := func(response *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%d %v %s", response.StatusCode, err, body)
		}
		return string(body)
	}
	entries := func() (all int64) {
		t.Helper()
		ends, err := n.Bus.EndOffsets(t.Context(), audit.Topic)
		if err != nil {
			t.Fatal(err)
		}
		return ends[0]
	}
	if body := visit(browser.Get(n.URL())); !strings.Contains(body, `id="password"`) {
		t.Fatalf("the address does not open on the page: %s", body)
	}
	visit(browser.PostForm(n.URL()+"/window/sign-in", url.Values{"user": {"zhang"}, "password": {"four unrelated words"}}))
	before := entries()
	list := visit(browser.PostForm(n.URL()+"/window/query", url.Values{"item": {"food-licence-new"}, "number": {company}, "consent": {"yes"}, "case": {"LL-2026-1123-0041"}}))
	if !strings.Contains(list, "营业执照") || !strings.Contains(list, "已有") || entries() != before+1 {
		t.Errorf("%d entries more, and the list %s", entries()-before, list)
	}
	record := visit(browser.Get(n.URL() + regexp.MustCompile(`/window/materials/[0-9A-Z]+/2`).FindString(list)))
	if !strings.Contains(record, "统一社会信用代码") || !strings.Contains(record, company) {
		t.Errorf("the record %s", record)
	}

	// What the applicant wrote is compared by a query of its own, of the same applicant.
	place := regexp.MustCompile(`/window/materials/[0-9A-Z]+/2`).FindString(list)
	compared := visit(browser.PostForm(n.URL()+place, url.Values{"stated-business-licence-creditCode": {"x"}, "stated-business-licence-name": {"x"}}))
	if !strings.Contains(compared, "统一社会信用代码 不一致") || !strings.Contains(compared, "企业名称 用字不同") || !strings.Contains(compared, "待核对") || entries() != before+2 {
		t.Errorf("%d entries more, and compared %s", entries()-before, compared)
	}
}
