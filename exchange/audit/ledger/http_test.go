package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/contract"
)

// readers are those who read, by their token.
var readers = map[string]Reader{
	"window":     {Department: "scjg", Clerk: "w3-017"},
	"other":      {Department: "xzsp", Clerk: "0017"},
	"supervisor": {Department: "scjg", Clerk: "chief-1", Supervisor: true},
	"auditor":    {Department: "sjj", Clerk: "aud-1", Auditor: true},
	"portal":     {Department: "zwfw", Clerk: "portal-1", Holders: true},
}

// serve serves a world's log, as an exchange would.
func serve(t testing.TB, w *world) func(token string) *Client {
	t.Helper()
	h := contract.Handler(Operations(Serving{Ledger: w.Ledger, Enter: w.enter, Clock: w.clock.Now,
		Reader: func(r *http.Request) (Reader, error) {
			who, known := readers[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
			if !known {
				return Reader{}, &exchange.Problem{Code: "YM-API-0401", Kind: exchange.Unauthorised}
			}
			return who, nil
		}}), nil)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return func(token string) *Client { return &Client{Base: server.URL, Token: token, HTTP: server.Client()} }
}

func code(err error) string {
	if p, ok := errors.AsType[*exchange.Problem](err); ok {
		return p.Code
	}
	return ""
}

func TestReceiptsOverHTTP(t *testing.T) {
	w, _ := witnessed(t)
	receipts := w.ask(300)
	w.fill()
	as := serve(t, w)
	for i, r := range receipts[:10] {
		got, err := as("auditor").Receipt(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		proven, err := VerifyProof(w.keys(), []byte(got.Proof), []byte(got.Entry))
		if err != nil || got.Hash != r.Hash || proven.Index != uint64(i) || got.Index != uint64(r.Offset) || !got.Time.Equal(r.Time) {
			t.Errorf("%+v, %v", proven, err)
		}
	}
	own, others := receipts[0].ID, receipts[1].ID // of scjg, of xzsp
	for name, want := range map[string][2]string{ // for own, for others
		"window": {"", "YM-AUD-0401"}, "other": {"YM-AUD-0401", ""}, "supervisor": {"", "YM-AUD-0401"}, "auditor": {"", ""}, "portal": {"YM-AUD-0401", "YM-AUD-0401"}, "stranger": {"YM-API-0401", "YM-API-0401"},
	} {
		for i, id := range []string{own, others} {
			if _, err := as(name).Receipt(t.Context(), id); code(err) != want[i] {
				t.Errorf("%s, receipt %d: %v", name, i, err)
			}
		}
	}
	if _, err := as("window").Receipt(t.Context(), "../audit/entries"); err == nil {
		t.Error("an id that is none")
	}
	request, _ := http.NewRequest(http.MethodGet, as("").Base+"/v1/receipts/"+own, nil)
	request.Header.Set("Authorization", "Bearer window")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var plain bytes.Buffer
	plain.ReadFrom(response.Body)
	if !strings.HasPrefix(plain.String(), "c2sp.org/tlog-proof@v1\nextra ") || response.Header.Get("Content-Type") != plainText {
		t.Errorf("%v %s", response.Header, plain.String())
	}
}

func TestProofOfWhatIsNotThereYet(t *testing.T) {
	w := opened(t)
	w.ask(1)
	w.fill()
	receipt := w.ask(1)[0]
	if _, err := w.Proof(t.Context(), receipt.ID); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("on the topic: %v", err)
	}
	w.clock.forward(time.Minute)
	if _, err := w.Proof(t.Context(), receipt.ID); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("on the topic, for a minute, and nobody looked: %v", err)
	}
	if err := w.sequence(t.Context(), w.topic.msgs[1:]); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Proof(t.Context(), receipt.ID); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("in the tree: %v", err)
	}
	w.fill()
	if _, err := w.Proof(t.Context(), receipt.ID); err != nil {
		t.Errorf("published: %v", err)
	}
	unknown := audit.FirstID(noon)
	if _, err := w.Proof(t.Context(), unknown); exchange.KindOf(err) != exchange.NotFound {
		t.Errorf("unknown and old: %v", err)
	}
	if _, err := w.Proof(t.Context(), audit.FirstID(w.clock.Now())); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("unknown and new: %v", err)
	}
	w.clock.forward(time.Minute) // nobody looked since
	if _, err := w.Proof(t.Context(), audit.FirstID(noon.Add(-time.Minute))); exchange.KindOf(err) != exchange.NotFound {
		t.Errorf("unknown, and older than what was heard: %v", err)
	}
	if _, err := w.Proof(t.Context(), number); exchange.KindOf(err) != exchange.NotFound || strings.Contains(err.Error(), number) {
		t.Errorf("no id: %v", err)
	}
}

func TestProofsThatDoNotHold(t *testing.T) {
	w, _ := witnessed(t)
	receipts := w.ask(20)
	w.fill()
	at := 7
	text, err := w.Proof(t.Context(), receipts[at].ID)
	if err != nil {
		t.Fatal(err)
	}
	entry, keys := w.topic.msgs[at].Value, w.keys()
	if _, err := VerifyProof(keys, text, entry); err != nil {
		t.Fatal(err)
	}
	for i := range text {
		for _, bit := range []byte{1, 32} {
			changed := bytes.Clone(text)
			changed[i] ^= bit
			if _, err := VerifyProof(keys, changed, entry); exchange.KindOf(err) != exchange.Invalid {
				t.Fatalf("byte %d of the proof changed: %v\n%s", i, err, changed)
			}
		}
	}
	if _, err := VerifyProof(keys, text, w.topic.msgs[at+1].Value); err == nil {
		t.Error("another entry")
	}
	without := Keys{Log: keys.Log}
	if _, err := VerifyProof(without, text, entry); err != nil {
		t.Errorf("whoever does not know the witness: %v", err)
	}
	without.Witnesses = []string{strings.Replace(keys.Witnesses[0], "w1+", "w2+", 1)}
	if _, err := VerifyProof(without, text, entry); err == nil {
		t.Error("another witness")
	}
}

func FuzzVerifyProof(f *testing.F) {
	w := newWorld(f)
	w.open()
	var err error // the same entries in each of the processes that fuzz
	w.log, err = audit.New(audit.Config{Appender: w.topic, Keys: auditKeys, Clock: w.clock.Now, Random: bytes.NewReader(make([]byte, 1000))})
	if err != nil {
		f.Fatal(err)
	}
	receipt := w.ask(3)[1]
	w.fill()
	text, err := w.Proof(f.Context(), receipt.ID)
	if err != nil {
		f.Fatal(err)
	}
	entry := w.topic.msgs[1].Value
	keys := w.keys()
	w.close()
	f.Add(text, entry)
	f.Add([]byte("c2sp.org/tlog-proof@v1\nindex 0\n\n"), []byte{})
	f.Fuzz(func(t *testing.T, proof, body []byte) {
		if _, err := VerifyProof(keys, proof, body); err == nil && (!bytes.Equal(proof, text) || !bytes.Equal(body, entry)) {
			t.Error("another proof holds")
		}
	})
}

func TestLogOverHTTP(t *testing.T) {
	w, _ := witnessed(t)
	w.ask(700)
	w.fill()
	as := serve(t, w)
	source, err := Server(as("").Base, "auditor", nil)
	if err != nil {
		t.Fatal(err)
	}
	r := w.sound(Verification{Source: source, Keys: w.keys(), Topic: w.topic})
	if r.Size != 700 || len(r.Witnesses) != 1 {
		t.Errorf("%+v", r)
	}
	for _, token := range []string{"window", "supervisor", "portal", "stranger"} {
		source, err := Server(as("").Base, token, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(t.Context(), Verification{Source: source, Keys: w.keys()}); exchange.KindOf(err) != exchange.Unavailable {
			t.Errorf("%s reads the log: %v", token, err)
		}
	}
	for _, path := range []string{".state/treeState", "tile/../checkpoint", "tile/0/000.p/..%2f..%2f..%2f..%2fcheckpoint", "tile/0/000.p/0", "tile/entries/9", "tile/64/000", "tile/0/x000/000", "tile", "", "..%2findex%2fLOCK"} {
		if _, _, ok := logFile(path); ok {
			t.Errorf("%q passed for a file of the log", path)
		}
		request, _ := http.NewRequest(http.MethodGet, as("").Base+LogPath+path, nil)
		request.Header.Set("Authorization", "Bearer auditor")
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			t.Errorf("%q was given", path)
		}
	}
}

func TestSearch(t *testing.T) {
	w := opened(t)
	w.ask(250)
	if _, err := w.log.Append(t.Context(), audit.Entry{Kind: audit.Act, Clerk: "admin-1", Act: "revoke", Target: "scjg/clerk/w3-017"}); err != nil {
		t.Fatal(err)
	}
	w.clock.forward(time.Second)
	if _, err := w.log.Append(t.Context(), audit.Entry{Kind: audit.Rejection, Decision: audit.Refused, Refusal: "YM-API-0401"}); err != nil {
		t.Fatal(err)
	}
	w.fill()
	as := serve(t, w)
	all := func(c *Client, f Filter) (found []Logged, pages int) {
		for {
			page, err := c.Search(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			found, pages = append(found, page.Entries...), pages+1
			if f.Before = page.Next; f.Before == "" {
				return found, pages
			}
		}
	}
	entries := map[string]audit.Entry{}
	for _, m := range w.topic.msgs {
		e, err := audit.Parse(m.Key, m.Value)
		if err != nil {
			t.Fatal(err)
		}
		entries[e.ID] = e
	}
	for name, f := range map[string]Filter{
		"all":             {},
		"small pages":     {Most: 7},
		"department":      {Department: "xzsp"},
		"clerk":           {Department: "scjg", Clerk: "w3-017", Most: 1000},
		"item":            {Item: "enterprise-deregistration"},
		"case":            {Case: "LL-2026-0042"},
		"decision":        {Decision: audit.Refused},
		"acts":            {Kind: "act"},
		"rejections":      {Kind: "rejection"},
		"queries":         {Kind: "query", Most: 99},
		"time":            {From: noon.Add(50 * time.Second), To: noon.Add(60 * time.Second)},
		"nobody":          {Department: "mzj"},
		"all at once":     {From: noon, To: noon.Add(time.Hour), Department: "scjg", Clerk: "w3-017", Item: "food-licence-new", Decision: audit.Answered, Kind: "query", Most: 10},
		"before anything": {To: noon},
	} {
		found, _ := all(as("auditor"), f)
		want := 0
		for _, e := range entries {
			in := (f.From.IsZero() || !e.Time.Before(f.From)) && (f.To.IsZero() || e.Time.Before(f.To))
			if in && f.fits(&e) {
				want++
			}
		}
		if len(found) != want || want == 0 && name != "nobody" && name != "before anything" {
			t.Errorf("%s: found %d, want %d", name, len(found), want)
		}
		for i := range found {
			if i > 0 && found[i].Entry.ID >= found[i-1].Entry.ID {
				t.Errorf("%s: not the newest first", name)
			}
		}
	}
	if _, pages := all(as("auditor"), Filter{Most: 7}); pages != 252/7+1 {
		t.Errorf("%d pages of seven", pages)
	}
	found, _ := all(as("supervisor"), Filter{})
	for _, l := range found {
		if l.Entry.Department != "scjg" {
			t.Errorf("a supervisor of scjg sees %s", l.Entry.Department)
		}
	}
	if len(found) != 200 {
		t.Errorf("a supervisor finds %d", len(found))
	}
	for name, tc := range map[string]struct {
		token, want string
		filter      Filter
	}{
		"window":                  {"window", "YM-AUD-0403", Filter{}},
		"portal":                  {"portal", "YM-AUD-0403", Filter{}},
		"supervisor of another":   {"supervisor", "YM-AUD-0403", Filter{Department: "xzsp"}},
		"clerk of no department":  {"auditor", "YM-AUD-0101", Filter{Clerk: "0017"}},
		"kind that is none":       {"auditor", "YM-AUD-0101", Filter{Kind: "gossip"}},
		"decision that is none":   {"auditor", "YM-AUD-0101", Filter{Decision: "maybe"}},
		"next page that is none":  {"auditor", "YM-AUD-0101", Filter{Before: "x"}},
		"somebody without a name": {"", "YM-API-0401", Filter{}},
	} {
		if _, err := as(tc.token).Search(t.Context(), tc.filter); code(err) != tc.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, q := range []string{"from=yesterday", "most=7", "name=x", "kind=act&kind=query", "kind=", "decision="} {
		c := as("auditor")
		if _, err := c.ask(t.Context(), http.MethodGet, "/v1/audit/entries?"+q, nil, &Page{}); code(err) != "YM-AUD-0101" {
			t.Errorf("%s: %v", q, err)
		}
	}
}

func TestWhoLookedAtMyData(t *testing.T) {
	w := newWorld(t)
	w.cfg.Delay = func(item exchange.Item) time.Duration {
		if item == "enterprise-deregistration" {
			return 24 * time.Hour
		}
		return 0
	}
	w.open()
	t.Cleanup(w.close)
	w.ask(250) // 50 of the company, 200 of the person, 50 of these delayed
	w.fill()
	as := serve(t, w)
	subject, err := as("portal").Subject(t.Context(), number)
	if err != nil || subject != w.token(person) {
		t.Fatalf("%q, %v", subject, err)
	}
	all := func(c *Client) (found []Access) {
		for before := ""; ; {
			page, err := c.Accesses(t.Context(), subject, before)
			if err != nil {
				t.Fatal(err)
			}
			w.clock.forward(time.Second)
			found = append(found, page.Accesses...)
			if before = page.Next; before == "" {
				return found
			}
		}
	}
	found := all(as("portal"))
	if len(found) != 150 {
		t.Errorf("%d accesses", len(found))
	}
	for i, a := range found {
		if a.Clerk != "" || a.Item == "enterprise-deregistration" || a.Department != "scjg" || i > 0 && a.Time.After(found[i-1].Time) {
			t.Errorf("%+v", a)
		}
	}
	newest := found[0] // 249 % 5 = 4
	if len(newest.Types) != 1 || newest.Types[0] != (Seen{"business-licence", exchange.Held}) || newest.Kind != "query" || newest.Decision != audit.Answered {
		t.Errorf("%+v", newest)
	}
	if codes := all(as("supervisor")); codes[0].Clerk != "w3-017" {
		t.Errorf("a supervisor of the department: %+v", codes[0])
	}
	asked := w.topic.msgs[250:]
	w.fill()
	now := all(as("auditor"))
	if len(now) != 150+len(asked) || now[0].Kind != "access" || now[0].Clerk != "chief-1" || now[0].Department != "scjg" {
		t.Errorf("that somebody looked is not in the list: %d, %+v", len(now), now[0])
	}
	w.clock.forward(25 * time.Hour)
	w.fill()
	if later := all(as("auditor")); len(later) < 200+len(asked) {
		t.Errorf("after the delay: %d", len(later))
	}

	before := len(w.topic.msgs)
	if _, err := as("window").Accesses(t.Context(), subject, ""); code(err) != "YM-AUD-0403" {
		t.Errorf("a window: %v", err)
	}
	refused, err := audit.Parse(w.topic.msgs[before].Key, w.topic.msgs[before].Value)
	if err != nil || refused.Decision != audit.Refused || refused.Clerk != "w3-017" || refused.Subject != subject {
		t.Errorf("the refusal left no entry: %+v, %v", refused, err)
	}
	for name, err := range map[string]error{
		"token of a window": second(as("window").Subject(t.Context(), number)),
		"no number":         second(as("portal").Subject(t.Context(), "x")),
		"subject":           second(as("portal").Accesses(t.Context(), number, "")),
		"next page":         second(as("portal").Accesses(t.Context(), subject, "x")),
		"strange body":      second(as("portal").ask(t.Context(), http.MethodPost, "/v1/subjects", []byte(`{"number":"`+number+`","more":1}`), nil)),
	} {
		if err == nil || strings.Contains(err.Error(), number) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Nobody is told who looked unless that they asked is in the log.
func TestNoAccessesWithoutAnEntry(t *testing.T) {
	w := opened(t)
	w.ask(3)
	w.fill()
	down := errors.New("no leader")
	h := contract.Handler(Operations(Serving{Ledger: w.Ledger, Clock: w.clock.Now, Enter: func(context.Context, *audit.Entry) error { return down },
		Reader: func(*http.Request) (Reader, error) { return readers["portal"], nil }}), nil)
	path := "/v1/subjects/" + w.token(person) + "/accesses"
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	if answer.Code < 500 || strings.Contains(answer.Body.String(), "accesses") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	w.clock.forward(5 * time.Hour)
	answer = httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	if answer.Code < 500 || strings.Contains(answer.Body.String(), "accesses") {
		t.Errorf("unproved for five hours: %d %s", answer.Code, answer.Body)
	}
}

// Who was looked up beside the subject of a query sees it, with what was looked for of them and nothing else.
func TestPartySeesTheAccess(t *testing.T) {
	w := opened(t)
	wife := exchange.Holder{Kind: exchange.Person, Number: "430281199001010025"}
	e := query(0)
	e.Parties = map[exchange.Role]audit.Party{exchange.Spouse: {Holder: wife}}
	e.Materials[0].Evidence = append(e.Materials[0].Evidence, audit.Evidence{Type: "health-certificate", Of: exchange.Spouse, Outcome: exchange.Supply})
	if _, err := w.log.Append(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	w.fill()
	for holder, want := range map[exchange.Holder]string{person: "[{business-licence held}]", wife: "[{health-certificate supply}]"} {
		page, err := w.Accesses(t.Context(), w.token(holder), w.clock.Now().Add(24*time.Hour), "")
		if err != nil || len(page.Accesses) != 1 {
			t.Fatalf("%v: %+v, %v", holder, page, err)
		}
		if got := fmt.Sprint(page.Accesses[0].Types); got != want {
			t.Errorf("%v sees %s, want %s", holder, got, want)
		}
	}
}
