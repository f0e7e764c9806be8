package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/limits"
)

// limitsUp serves limits under which xzsp/w1 is suspended and xzsp/w2 is not, and says how to reach them. What is lifted is not
// folded, so that every run finds the same.
func limitsUp(t *testing.T) (flags string, appended *[]audit.Entry) {
	t.Helper()
	l, err := limits.New(limits.Config{})
	if err != nil {
		t.Fatal(err)
	}
	l.Await(0)
	for i := range 41 {
		id := strconv.Itoa(i)
		e := audit.Entry{ID: id, Time: time.Now(), Department: "xzsp", Clerk: "w1", Case: "case" + id, Item: "i", Subject: id, Near: "near", Decision: audit.Answered, Found: true}
		if i == 40 {
			e.Clerk = "w2"
		}
		l.Fold(&e)
	}
	appended = new([]audit.Entry)
	desk := limits.Desk{Limits: l,
		Admin: func(r *http.Request) (string, error) {
			if r.Header.Get("Authorization") != "Bearer of-an-admin" {
				return "", &exchange.Problem{Code: "YM-API-0403", Kind: exchange.Denied, What: both("不能", "no"), Mend: both("问", "ask")}
			}
			return "sjj/admin", nil
		},
		Append: func(_ context.Context, e audit.Entry) error {
			*appended = append(*appended, e)
			return nil
		}}
	server := httptest.NewServer(contract.Handler(desk.Operations(), nil))
	t.Cleanup(server.Close)
	token := filepath.Join(t.TempDir(), "admin.token")
	if err := os.WriteFile(token, []byte("of-an-admin\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return " --server " + server.URL + " --token @" + token, appended
}

func TestLimits(t *testing.T) {
	flags, appended := limitsUp(t)
	line := func(words string) ran { return yimen(t, strings.Fields(words+flags)...) }

	got := line("limits list --lang en")
	if got.code != exitOK || !strings.HasPrefix(got.out, "ACCOUNT  SINCE") || !strings.Contains(got.out, "\nxzsp/w1  20") || !strings.Contains(got.out, "  neighbours  it asked about many") {
		t.Errorf("%d %s%s", got.code, got.out, got.talk)
	}
	if got = line("limits list -o name"); got.out != "xzsp/w1\n" {
		t.Errorf("%s%s", got.out, got.talk)
	}
	if got = line("limits lift xzsp/w1 --reason JC-2026-014 --lang en"); got.code != exitOK || got.out != "✓ xzsp/w1 is no longer suspended: it asked about many neighbouring numbers in one day\n" {
		t.Errorf("%d %s%s", got.code, got.out, got.talk)
	}
	if got = line("limits lift xzsp/w2 --reason JC-2026-015"); got.code != exitOK || got.out != "✓ xzsp/w2 没有被暂停，已重新计数\n" {
		t.Errorf("%d %s%s", got.code, got.out, got.talk)
	}
	if len(*appended) != 2 || (*appended)[0].Target != "xzsp/w1" || (*appended)[0].Case != "JC-2026-014" || (*appended)[0].Clerk != "admin" {
		t.Errorf("entries %+v", *appended)
	}
	for words, want := range map[string]struct {
		code code
		talk string
	}{
		"limits lift xzsp/w9 --reason JC-2026-014":       {exitNotFound, "YM-LIM-0112"},
		"limits lift xzsp/w1 --reason x":                 {exitFailed, "YM-LIM-0113"},
		"limits lift xzsp/w1":                            {exitUsage, "--reason"},
		"limits lift --reason JC-2026-014":               {exitUsage, "YM-CLI-0202"},
		"limits lift 430281199001010017 --reason JC-123": {exitNotFound, "YM-LIM-0112"},
	} {
		if got := line(words); got.code != want.code || !strings.Contains(got.talk, want.talk) || got.out != "" || strings.Contains(got.talk, "430281") {
			t.Errorf("%s: %d %s%s", words, got.code, got.out, got.talk)
		}
	}
	if got := yimen(t, "limits", "list", "--server", strings.Fields(flags)[1], "--token", "@limits_test.go"); got.code != exitLogin {
		t.Errorf("a file that is no token: %d %s", got.code, got.talk)
	}
}
