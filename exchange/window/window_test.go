package window

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

func TestThreeScreens(t *testing.T) {
	w := serve(t, conclude, (*httptest.Server).Start)
	w.enter(t)
	if first := w.get(t, "/window"); !strings.Contains(first.body, `id="number" name="number" data-then="consent" value=""`) || !strings.Contains(first.body, `value="CK-2026-1123-`) {
		t.Errorf("first screen: %s", first.body)
	}
	w.ask(t)
	if len(w.asked) != 1 {
		t.Fatalf("asked %v", w.asked)
	}
	if q := w.asked[0]; q.Case != "LL-2026-1123-0041" || q.Item != "food-licence-new" || q.Applicant.Number != company || q.Caller != (broker.Caller{Department: "scjg", Clerk: "0017"}) {
		t.Errorf("asked %+v", q)
	}
	list := w.get(t, "/window/materials/0199").body
	for _, want := range []string{"5 项材料：1 项免提交，1 项请核对，1 项暂查不到，1 项需提交，1 项已收原件", "924302********3187", "今天 12:00", "2026-11-22 16:00", "2031-05-06",
		"不代表没有", "市场监督管理局", "可容缺", "由申请人自备"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list lacks %s", want)
		}
	}
	if strings.Contains(list, company) {
		t.Error("the list shows the applicant's number")
	}
	record := w.get(t, "/window/materials/0199/1").body
	for _, want := range []string{"统一社会信用代码", "法定代表人", "张晓朙", "12345678901234567890.10", "此件由市场监督管理局提供，仅供办理食品经营许可（新办）使用", "00ff v3"} {
		if !strings.Contains(record, want) {
			t.Errorf("the record lacks %s", want)
		}
	}
	if got := w.get(t, "/window"); !strings.Contains(got.body, `value="食品经营许可（新办）"`) {
		t.Error("the item used last is not remembered")
	}
	w.post(t, "/window/new")
	if got := w.get(t, "/window/materials/0199"); got.status != http.StatusNotFound || strings.Contains(got.body, "3187") {
		t.Errorf("after a new applicant the last one's materials are still there: %d", got.status)
	}
}

func TestOneAddressIsOfOneApplicant(t *testing.T) {
	times := 0
	w := serve(t, func(ctx context.Context, q broker.Query) (broker.Conclusion, error) {
		c, err := conclude(ctx, q)
		times++
		c.ID += strings.Repeat("X", times)
		return c, err
	}, (*httptest.Server).Start)
	w.enter(t)
	w.ask(t)
	w.ask(t) // in another tab, for somebody else
	for _, path := range []string{"/window/materials/0199X", "/window/materials/0199X/1"} {
		if got := w.get(t, path); got.status != http.StatusNotFound || strings.Contains(got.body, "3187") {
			t.Errorf("%s of the tab before: %d", path, got.status)
		}
	}
	if got := w.get(t, "/window/materials/0199XX/1"); got.status != http.StatusOK {
		t.Errorf("the latest: %d", got.status)
	}
}

func TestUnknownNeverReadsAsNotHeld(t *testing.T) {
	w := serve(t, conclude, (*httptest.Server).Start)
	w.enter(t)
	w.ask(t)
	for lang, words := range map[string][]string{"zh": {"暂查不到", "不代表没有"}, "en": {"not known", "does not mean that there is none"}} {
		w.post(t, "/window/language", "language", lang)
		for _, path := range []string{"/window/materials/0199", "/window/materials/0199/4"} {
			body := w.get(t, path).body
			for _, word := range words {
				if !strings.Contains(body, word) {
					t.Errorf("%s in %s lacks %q", path, lang, word)
				}
			}
		}
		if body := w.get(t, "/window/materials/0199/4").body; strings.Contains(body, exchange.NotHeld.Text(exchange.Supply).In(exchange.Lang(lang))) {
			t.Errorf("what is unknown is called not held in %s", lang)
		}
	}
}

func TestHostileValuesAreText(t *testing.T) {
	w := serve(t, conclude, (*httptest.Server).Start)
	w.enter(t)
	w.ask(t)
	refused := w.post(t, "/window/query", "item", hostile, "number", hostile, "case", hostile)
	for _, body := range []string{w.get(t, "/window/materials/0199/1").body, refused.body, w.post(t, "/window/sign-in", "user", hostile, "password", "x").body,
		w.get(t, "/window/%3Cscript%3Ealert(2)%3C/script%3E").body} {
		if strings.Contains(body, "<img") || strings.Contains(body, "<script>") || strings.Contains(body, "onerror=alert(1)>") {
			t.Errorf("a value became markup: %s", body)
		}
	}
	if !strings.Contains(refused.body, "&lt;img") {
		t.Error("what was typed is not shown again")
	}
}

// inline is what the policy forbids: scripts, styles and handlers within a page.
var inline = regexp.MustCompile(`(?i)<style|<script>|<script [^>]*>[^<]|\sstyle=|\son[a-z]+=|javascript:|https?://`)

func TestEveryAnswerSaysHowItMayBeUsed(t *testing.T) {
	w := serve(t, conclude, (*httptest.Server).Start)
	w.enter(t)
	w.ask(t)
	for _, path := range []string{"/window", "/window/materials/0199", "/window/materials/0199/2", "/window/help", "/window/materials/0199/99", "/window/nothing", "/window/sign-in"} {
		got := w.get(t, path)
		h := got.header
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'self'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s has the policy %s", path, csp)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cross-Origin-Opener-Policy") != "same-origin" {
			t.Errorf("%s has %v", path, h)
		}
		if bad := inline.FindString(got.body); bad != "" {
			t.Errorf("%s has inline or foreign content: %q", path, bad)
		}
		if strings.Contains(got.body, company) && path != "/window/materials/0199/1" {
			t.Errorf("%s shows the number", path)
		}
	}
	names := regexp.MustCompile(`/window/assets/[a-z]+-[0-9a-f]{12}\.[a-z]+`).FindAllString(w.get(t, "/window").body, -1)
	if len(names) != 3 {
		t.Fatalf("assets %v", names)
	}
	for _, name := range names {
		if got := w.get(t, name); got.status != http.StatusOK || !strings.Contains(got.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", name, got.status, got.header)
		}
	}
	if log := w.log.String(); strings.Contains(log, company) || strings.Contains(log, password) || strings.Contains(log, "nothing") {
		t.Errorf("the log tells too much: %s", log)
	}
}

func TestFormsTellAllThatIsWrong(t *testing.T) {
	w := serve(t, conclude, (*httptest.Server).Start)
	w.enter(t)
	tests := []struct {
		name   string
		form   []string
		status int
		want   []string
	}{
		{"nothing", nil, 422, []string{"没有填写事项", `href="#item"`, `href="#number"`, "还没有申请人的同意", `href="#consent"`, "<title>错误："}},
		{"check digit", []string{"item", initials, "number", "92430281000000318X", "consent", "yes"}, 422, []string{`href="#number"`, `value="92430281000000318X"`, "校验"}},
		{"item of nobody", []string{"item", "xyz", "number", company, "consent", "yes"}, 422, []string{"没有这个事项"}},
		{"several items", []string{"item", "spjy", "number", company, "consent", "yes"}, 422, []string{"个事项都符合", `name="choice" value="food-licence-new"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w.asked = nil
			got := w.post(t, "/window/query", test.form...)
			if got.status != test.status || len(w.asked) > 0 {
				t.Errorf("status %d, asked %d", got.status, len(w.asked))
			}
			for _, want := range test.want {
				if !strings.Contains(got.body, want) {
					t.Errorf("lacks %s in %s", want, got.body)
				}
			}
		})
	}
}

func TestOneOfSeveralItemsIsChosen(t *testing.T) {
	w := serve(t, conclude, (*httptest.Server).Start)
	w.enter(t)
	if got := w.post(t, "/window/query", "item", "spjy", "choice", "food-licence-new", "number", company, "consent", "yes"); got.status != http.StatusSeeOther || w.asked[0].Item != "food-licence-new" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestRefusalsOfTheBrokerAreShown(t *testing.T) {
	for kind, status := range map[exchange.Kind]int{exchange.Denied: 403, exchange.Limited: 429, exchange.Unavailable: 503, exchange.Invalid: 422, exchange.Internal: 500} {
		w := serve(t, func(context.Context, broker.Query) (broker.Conclusion, error) {
			if kind == exchange.Internal {
				return broker.Conclusion{}, errors.New("secret cause")
			}
			return broker.Conclusion{}, &exchange.Problem{Code: "YM-QRY-0101", Kind: kind, What: text("原因", "why"), Mend: text("办法", "what to do"), Err: errors.New("secret cause")}
		}, (*httptest.Server).Start)
		w.enter(t)
		got := w.post(t, "/window/query", "item", initials, "number", company, "consent", "yes")
		if got.status != status || strings.Contains(got.body, "secret cause") || kind != exchange.Internal && !strings.Contains(got.body, "办法") {
			t.Errorf("%s: %d %s", kind, got.status, got.body)
		}
		if got := w.get(t, "/window/materials/0199"); got.status != http.StatusNotFound {
			t.Errorf("%s leaves materials: %d", kind, got.status)
		}
	}
}

func TestLockedAfterFifteenMinutesWithTheWorkKept(t *testing.T) {
	w := serve(t, conclude, (*httptest.Server).Start)
	w.enter(t)
	w.ask(t)
	w.clock.pass(14 * time.Minute)
	if got := w.get(t, "/window/materials/0199"); !strings.Contains(got.body, "924302********3187") || got.header.Get("Refresh") != "901; url=/window/materials/0199" {
		t.Fatalf("after 14 minutes: %v %s", got.header, got.body)
	}
	w.clock.pass(15 * time.Minute)
	for range 2 { // it stays locked
		if got := w.get(t, "/window/materials/0199"); strings.Contains(got.body, "3187") || !strings.Contains(got.body, "页面已锁定") || got.header.Get("Refresh") != "" {
			t.Fatalf("not locked: %s", got.body)
		}
	}
	if asked := len(w.asked); w.post(t, "/window/query", "item", initials, "number", company, "consent", "yes").status != 200 || len(w.asked) != asked {
		t.Error("a locked page asks")
	}
	if got := w.post(t, "/window/unlock", "password", "wrong", "back", "/window/materials/0199"); got.status != 422 || strings.Contains(got.body, "3187") {
		t.Errorf("wrong password: %d", got.status)
	}
	if got := w.post(t, "/window/unlock", "password", password, "back", "/window/materials/0199"); got.header.Get("Location") != "/window/materials/0199" {
		t.Fatalf("unlock: %d %s", got.status, got.body)
	}
	if got := w.get(t, "/window/materials/0199"); !strings.Contains(got.body, "924302********3187") {
		t.Error("the work is gone")
	}
	w.post(t, "/window/sign-out")
	if got := w.get(t, "/window/materials/0199"); got.header.Get("Location") != "/window/sign-in" {
		t.Errorf("after signing out: %d", got.status)
	}
}

func TestFormsLeadNowhereElse(t *testing.T) {
	w := serve(t, conclude, (*httptest.Server).Start)
	w.enter(t)
	for _, to := range []string{"https://evil.example/", "//evil.example", "/window/../x", "/window/materials/0199/1?x", "/window//evil", "javascript:1"} {
		if got := w.post(t, "/window/language", "language", "zh", "back", to); got.header.Get("Location") != "/window" {
			t.Errorf("%s leads to %s", to, got.header.Get("Location"))
		}
	}
}

func TestOtherSitesCannotAsk(t *testing.T) {
	w := serve(t, conclude, (*httptest.Server).Start)
	w.enter(t)
	for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
		got := w.send(t, http.MethodPost, "/window/query", nil, from...)
		if got.status != http.StatusForbidden || !strings.Contains(got.body, "YM-WIN-0202") {
			t.Errorf("%v: %d", from, got.status)
		}
	}
	if len(w.asked) > 0 {
		t.Error("another site asked")
	}
}

func TestCookies(t *testing.T) {
	for _, test := range []struct {
		name  string
		start func(*httptest.Server)
		want  []string
	}{
		{"plain, this machine only", (*httptest.Server).Start, []string{"yimen=", "Path=/", "HttpOnly", "SameSite=Strict"}},
		{"encrypted", (*httptest.Server).StartTLS, []string{"__Host-yimen=", "Path=/", "HttpOnly", "Secure", "SameSite=Strict"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := serve(t, conclude, test.start)
			before := w.get(t, "/window/sign-in").header.Get("Set-Cookie")
			got := w.post(t, "/window/sign-in", "user", user, "password", password).header.Get("Set-Cookie")
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q lacks %s", got, want)
				}
			}
			if before != "" || strings.Contains(got, "Domain") {
				t.Errorf("before %q, then %q", before, got)
			}
		})
	}
}

func TestStrangersSeeNothing(t *testing.T) {
	w := serve(t, conclude, (*httptest.Server).Start)
	for _, path := range []string{"/window", "/window/materials/0199", "/window/materials/0199/1"} {
		if got := w.get(t, path); got.header.Get("Location") != "/window/sign-in" {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	wrong, nobody := w.post(t, "/window/sign-in", "user", user, "password", "wrong"), w.post(t, "/window/sign-in", "user", "nobody", "password", password)
	if wrong.status != 422 || strings.ReplaceAll(wrong.body, user, "nobody") != nobody.body {
		t.Error("the refusal tells which names there are")
	}
	if got := w.post(t, "/window/query", "item", initials, "number", company, "consent", "yes"); got.header.Get("Location") != "/window/sign-in" || len(w.asked) > 0 {
		t.Errorf("a stranger asked: %d", got.status)
	}
}

func TestItemsAreFound(t *testing.T) {
	a := application{Choices: []choice{{"food-licence-new", "食品经营许可（新办）", "spjyxkxb"}, {"food-licence-change", "食品经营许可（变更）", "spjyxkbg"}, {"household-move", "户口迁移", "hkqy"}}}
	for typed, want := range map[string]exchange.Item{"hkqy": "household-move", "HK": "household-move", "迁移": "household-move", "食品经营许可（变更）": "food-licence-change",
		"food-licence-new": "food-licence-new", "spjyxkx": "food-licence-new", "spjy": "", "": "", "x": ""} {
		a.Item = typed
		if got, err := a.find(); got != want || (err == nil) != (want != "") {
			t.Errorf("%q finds %q, %v", typed, got, err)
		}
	}
}

func TestShelf(t *testing.T) {
	s := &shelf{kept: map[string]shelved{}}
	s.Commit("old", []byte("1"), time.Now().Add(-time.Second))
	s.Commit("new", []byte("2"), time.Now().Add(time.Hour))
	if _, found, _ := s.Find("old"); found || len(s.kept) != 1 {
		t.Errorf("what has expired is still there: %d", len(s.kept))
	}
	if data, found, _ := s.Find("new"); !found || string(data) != "2" {
		t.Errorf("found %v %q", found, data)
	}
	s.Delete("new")
	if _, found, _ := s.Find("new"); found {
		t.Error("what was deleted is found")
	}
}
