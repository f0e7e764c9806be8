package limits

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/contract"
)

// desk serves a world's first node to sjj/admin; its Append stamps as the audit log does.
func desk(w *world) http.Handler {
	d := Desk{
		Limits: w.nodes[0].Limits,
		Admin: func(r *http.Request) (string, error) {
			if who := r.Header.Get("Authorization"); who != "" {
				return who, nil
			}
			return "", &exchange.Problem{Code: "YM-API-0401", Kind: exchange.Unauthorised}
		},
		Append: func(_ context.Context, e audit.Entry) error {
			w.ids++
			e.ID, e.Time = numbered("id", w.ids), w.now
			w.append(e)
			return nil
		},
	}
	return contract.Handler(d.Operations(), nil)
}

func serve(h http.Handler, who, method, path, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if who != "" {
		r.Header.Set("Authorization", who)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Code, strings.TrimSpace(rec.Body.String())
}

func TestDesk(t *testing.T) {
	w := newWorld(t, Rules{}, 2)
	h := desk(w)
	if code, body := serve(h, "sjj/admin", "GET", "/v1/limits", ""); code != 200 || body != `{"suspensions":[]}` {
		t.Errorf("%d %s", code, body)
	}
	w.until(50, near("near"))
	since := w.now.UTC().Format(time.RFC3339)
	code, body := serve(h, "sjj/admin", "GET", "/v1/limits", "")
	if code != 200 || !strings.HasPrefix(body, `{"suspensions":[{"department":"xzsp","clerk":"w1","rule":"neighbours","what":{"zh":"`) || !strings.Contains(body, `"since":"`+since+`"`) {
		t.Errorf("%d %s, since %s", code, body, since)
	}
	w.wait(time.Minute)
	code, body = serve(h, "sjj/admin", "POST", "/v1/limits/lift", `{"target":"xzsp/w1","reason":"JC-2026-014"}`)
	if code != 200 || body != `{"target":"xzsp/w1","reason":"JC-2026-014","lifted":["neighbours"]}` {
		t.Errorf("%d %s", code, body)
	}
	w.suspended()
	act := w.topic[len(w.topic)-1]
	if act.Kind != audit.Act || act.Act != "limits-lift" || act.Target != "xzsp/w1" || act.Case != "JC-2026-014" || act.Department != "sjj" || act.Clerk != "admin" {
		t.Errorf("entry %+v", act)
	}
	var listing Listing
	if _, body = serve(h, "sjj/admin", "GET", "/v1/limits", ""); json.Unmarshal([]byte(body), &listing) != nil || listing.Suspensions == nil || len(listing.Suspensions) > 0 {
		t.Errorf("after the lift: %s", body)
	}
}

func TestDeskRefuses(t *testing.T) {
	const number = "430281199001010017"
	w := newWorld(t, Rules{}, 1)
	w.repeat(1)
	w.repeat(1, by("sjj", "admin"))
	h := desk(w)
	before := len(w.topic)
	for name, row := range map[string]struct{ who, method, path, body, code string }{
		"nobody lists":       {"", "GET", "/v1/limits", "", "YM-API-0401"},
		"nobody lifts":       {"", "POST", "/v1/limits/lift", `{"target":"xzsp/w1","reason":"JC-2026-014"}`, "YM-API-0401"},
		"no body":            {"sjj/admin", "POST", "/v1/limits/lift", "", "YM-API-0101"},
		"another member":     {"sjj/admin", "POST", "/v1/limits/lift", `{"target":"xzsp/w1","reason":"JC-2026-014","clerk":"w2"}`, "YM-API-0101"},
		"a member twice":     {"sjj/admin", "POST", "/v1/limits/lift", `{"target":"xzsp/w1","target":"xzsp/w2","reason":"JC-2026-014"}`, "YM-API-0101"},
		"what is an answer":  {"sjj/admin", "POST", "/v1/limits/lift", `{"target":"xzsp/w1","reason":"JC-2026-014","lifted":["crowd"]}`, "YM-API-0101"},
		"too long":           {"sjj/admin", "POST", "/v1/limits/lift", `{"target":"xzsp/w1","reason":"` + strings.Repeat("a", 64<<10) + `"}`, "YM-API-0101"},
		"nobody's target":    {"sjj/admin", "POST", "/v1/limits/lift", `{"target":"xzsp/w7","reason":"JC-2026-014"}`, "YM-LIM-0112"},
		"no target":          {"sjj/admin", "POST", "/v1/limits/lift", `{"reason":"JC-2026-014"}`, "YM-LIM-0112"},
		"a number as target": {"sjj/admin", "POST", "/v1/limits/lift", `{"target":"` + number + `","reason":"JC-2026-014"}`, "YM-LIM-0112"},
		"no reason":          {"sjj/admin", "POST", "/v1/limits/lift", `{"target":"xzsp/w1"}`, "YM-LIM-0113"},
		"a text as reason":   {"sjj/admin", "POST", "/v1/limits/lift", `{"target":"xzsp/w1","reason":"核实过了"}`, "YM-LIM-0113"},
		"a number as reason": {"sjj/admin", "POST", "/v1/limits/lift", `{"target":"xzsp/w1","reason":"` + number + `"}`, "YM-LIM-0113"},
		"one's own":          {"sjj/admin", "POST", "/v1/limits/lift", `{"target":"sjj/admin","reason":"JC-2026-014"}`, "YM-LIM-0114"},
	} {
		code, body := serve(h, row.who, row.method, row.path, row.body)
		if code < 400 || !strings.Contains(body, `"code":"`+row.code) || strings.Contains(body, number) {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
	if len(w.topic) != before {
		t.Errorf("%d entries", len(w.topic)-before)
	}
}

// What could not be made durable is not lifted.
func TestLiftNotAudited(t *testing.T) {
	w := newWorld(t, Rules{}, 1)
	w.until(50, near("near"))
	d := Desk{Limits: w.nodes[0].Limits, Admin: func(*http.Request) (string, error) { return "sjj/admin", nil },
		Append: func(context.Context, audit.Entry) error { return errors.New("no leader") }}
	if code, body := serve(contract.Handler(d.Operations(), nil), "sjj/admin", "POST", "/v1/limits/lift", `{"target":"xzsp/w1","reason":"JC-2026-014"}`); code != 500 || strings.Contains(body, "no leader") {
		t.Errorf("%d %s", code, body)
	}
	w.suspended("xzsp/w1 neighbours")
}
