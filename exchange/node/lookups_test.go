package node

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/identity"
)

// TestWalkThroughTheLogIsStopped: whoever asks number after number who looked at their data is refused when the hour's look-ups are spent,
// hears the same whether a number is known or not, also from a node that has started anew, and is suspended when they go on. All of it
// stands in the audit log, and in no answer or message stands a number.
func TestWalkThroughTheLogIsStopped(t *testing.T) {
	cfg := settings(t)
	cfg.Limits.LookupsHour, cfg.Limits.Suspend.Pressing = 3, 5
	put(t, cfg.Callers, "- {department: xzsp, clerk: '0017', citizens: true, token_sha256: "+door.TokenHash(token)+"}\n"+
		"- {department: xzsp, clerk: '0018', token_sha256: "+door.TokenHash("window")+"}\n"+
		"- {department: gaj, clerk: '0001', auditor: true, token_sha256: "+door.TokenHash("auditor")+"}\n")
	n := start(t, cfg)
	query(t, n) // the company is in the log
	subject := subjectOf(t, n)
	byNumber := func(number string) (method, path, body string) {
		return http.MethodPost, "/v1/subjects", `{"number":"` + number + `"}`
	}
	byToken := func() (method, path, body string) { return http.MethodGet, "/v1/subjects/" + subject + "/accesses", "" }
	ask := func(who string, method, path, body string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, n.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+who)
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		said, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer, string(said)
	}
	want := func(answer *http.Response, said string, status int, code string) {
		t.Helper()
		if answer.StatusCode != status || !strings.Contains(said, code) {
			t.Errorf("%d %s, want %d %s", answer.StatusCode, said, status, code)
		}
	}
	give := func(who, number string) (*http.Response, string) {
		method, path, body := byNumber(number)
		return ask(who, method, path, body)
	}
	list := func(who string) (*http.Response, string) {
		method, path, body := byToken()
		return ask(who, method, path, body)
	}

	for i := range 3 {
		answer, said := give(token, nobody(i))
		want(answer, said, http.StatusOK, `"subject":"`)
	}
	answer, refused := give(token, nobody(3))
	want(answer, refused, http.StatusTooManyRequests, "YM-LIM-0201")
	if answer.Header.Get("Retry-After") != "3600" {
		t.Errorf("refused with %v", answer.Header)
	}
	if _, known := give(token, company); known != refused || strings.Contains(refused, subject) || strings.Contains(refused, nobody(3)) {
		t.Errorf("of somebody known\n%s\nof somebody else\n%s", known, refused)
	}
	answer, said := list(token)
	want(answer, said, http.StatusTooManyRequests, "YM-LIM-0201")
	answer, said = give(token, nobody(0)) // whom it may ask for again
	want(answer, said, http.StatusOK, `"subject":"`)
	answer, said = list("auditor")
	want(answer, said, http.StatusOK, `"accesses":[`)

	if _, known := give("window", company); !strings.Contains(known, "YM-AUD-0403") {
		t.Errorf("a window is told %s", known)
	} else if _, unknown := give("window", nobody(9)); unknown != known {
		t.Errorf("a window hears\n%s\nand\n%s", known, unknown)
	}

	stop(t, n)
	n = start(t, cfg)
	answer, said = give(token, nobody(4))
	want(answer, said, http.StatusTooManyRequests, "YM-LIM-0201")
	answer, said = give(token, nobody(5))
	want(answer, said, http.StatusTooManyRequests, "YM-LIM-0201")
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := n.await(soon, func() (bool, error) { return len(n.Limits.Suspensions()) == 1, nil }); err != nil {
		t.Fatal(err)
	}
	answer, said = give(token, nobody(0))
	want(answer, said, http.StatusTooManyRequests, "YM-LIM-0202")
	if answer.Header.Get("Retry-After") != "" {
		t.Errorf("suspended with %v", answer.Header)
	}
	answer, said = list(token)
	want(answer, said, http.StatusTooManyRequests, "YM-LIM-0202")

	for rule, alarms := range map[string]string{"lookups_hour": "1", "pressing": "1"} {
		if err := testutil.GatherAndCompare(onlyRule{n.Metrics, rule}, strings.NewReader(`
# HELP yimen_limits_alarms_total Alarms, by the rule that was broken: once a day for each clerk or department. Each node tells of what it sees.
# TYPE yimen_limits_alarms_total counter
yimen_limits_alarms_total{rule="`+rule+`"} `+alarms+`
`), "yimen_limits_alarms_total"); err != nil {
			t.Error(err)
		}
	}
	log := entries(t, n)
	for part, times := range map[string]int{`"kind":"access"`: 4 + 3 + 1 + 2 + 2 + 2, `"refusal":"limited_lookups_hour"`: 5, `"refusal":"suspended_pressing"`: 2, `"refusal":"not_permitted"`: 2} {
		if got := strings.Count(log, part); got != times {
			t.Errorf("%s stands %d times in the log, want %d:\n%s", part, got, times, log)
		}
	}
	for _, number := range []string{company, nobody(0), nobody(3)} {
		if strings.Contains(log, number) {
			t.Error("a number in the log")
		}
	}
}

// nobody is a number that nobody has, of an own neighbourhood each.
func nobody(i int) string {
	birthday := time.Date(1900, 1, 1+i, 0, 0, 0, 0, exchange.China).Format("20060102")
	n := "110101" + birthday + strconv.Itoa(1000 + i)[1:]
	return n + string(rune(identity.CitizenCheck(n)))
}
