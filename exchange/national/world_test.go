package national

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/copies"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/schemas"
)

const (
	citizen = "430281199001010017" // a made-up person, who must never be said again
	token   = "token-of-a-window"
	title   = "11100000MB03271699001"
	cause   = "household-move LL-2026-1123-0041"
	titleNo = "湘(2008)醴陵市不动产权第0000001号"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, exchange.China)

const (
	otherToken = "token-of-another"
	origin     = "https://exchange.example:7443"
	identifier = "1.2.156.3005.2.11100000MB03271699001.11430281000000019L.20160000001.001.Y"
)

const grants = `
- {department: xzsp, evidence: property-title, item: household-move, fields: [certificateNumber, location], basis: {zh: 法}, from: 2026-01-01, until: 2026-12-31}
- {department: xzsp, evidence: business-licence, item: food-licence-new, fields: [creditCode], basis: {zh: 法}, from: 2026-01-01, until: 2026-12-31}
`

const grantsOfFiles = `
- {department: xzsp, evidence: property-title, item: household-move, fields: [certificateNumber, certificateIdentifier, owners, location, notes], basis: {zh: 法}, from: 2026-01-01, until: 2026-12-31}
- {department: scjg, evidence: property-title, item: food-licence-new, fields: [certificateNumber], basis: {zh: 法}, from: 2026-01-01, until: 2026-12-31}
`

// world is the interface over a broker that is real, an index and a log that are not.
type world struct {
	http.Handler
	records  []exchange.Record
	complete bool
	broken   error // of the log
	entries  []audit.Entry
	turned   []audit.Entry
	finds    int
	lost     error // of the index
	now      time.Time
	known    *catalogue.Catalogue
	keyless  error
	unheard  error // of the roll
	barred   error // by the limits
}

// What never changes: two cities that differ in their grants.
var (
	city        = cityWith(grants)
	cityOfFiles = cityWith(grantsOfFiles)
	evidence    = sync.OnceValue(func() *schemas.Set {
		set, err := schemas.Builtin()
		if err != nil {
			panic(err)
		}
		return set
	})
)

func cityWith(grants string) func() *catalogue.Catalogue {
	return sync.OnceValue(func() *catalogue.Catalogue {
		known, err := catalogue.Load(catalogue.Builtin(), fstest.MapFS{"grants.yaml": {Data: []byte(grants)}})
		if err != nil {
			panic(err)
		}
		return known
	})
}

func newWorld(t testing.TB, records ...exchange.Record) *world {
	return newWorldIn(t, city(), records...)
}

func newWorldIn(t testing.TB, known *catalogue.Catalogue, records ...exchange.Record) *world {
	t.Helper()
	w := &world{records: records, complete: true, now: noon, known: known}
	clock := func() time.Time { return w.now }
	path := filepath.Join(t.TempDir(), "callers.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, "- {department: xzsp, clerk: '0017', token_sha256: %s}\n- {department: scjg, clerk: '0001', token_sha256: %s}", door.TokenHash(token), door.TokenHash(otherToken)), 0o600); err != nil {
		t.Fatal(err)
	}
	callers, err := door.LoadCallers(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answering, err := broker.New(broker.Config{Catalogue: known, Current: func(time.Time) (*catalogue.Catalogue, error) { return w.known, nil }, Holdings: w, Audit: w, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	keeper := door.New(door.Config{Callers: callers, Clock: clock, Roll: w, Report: func(_ context.Context, e audit.Entry) { w.turned = append(w.turned, e) }})
	w.Handler = contract.Handler(Operations(Config{Broker: answering, Catalogue: func() *catalogue.Catalogue { return w.known }, Door: keeper, Schemas: evidence, Clock: clock,
		Press: copies.NewPress(w.keys, nil), Shelf: copies.NewShelf(clock), Holdings: w, Bar: func(exchange.Department, string) error { return w.barred },
		Append: func(ctx context.Context, e audit.Entry) error { _, err := w.Append(ctx, e); return err }, Origin: func(*http.Request) (string, error) { return origin, nil },
		Nonce: func(*http.Request, door.Caller) (string, error) { return "", nil }, Log: slog.New(slog.DiscardHandler)}), nil)
	return w
}

func (w *world) Find(_ context.Context, of exchange.Holder, types []exchange.EvidenceType) (exchange.Found, error) {
	w.finds++
	if w.lost != nil {
		return exchange.Found{}, w.lost
	}
	var found exchange.Found
	for _, t := range types {
		s := exchange.Source{Folded: true}
		s.Adapter, s.Type, s.CompleteUpTo = "zrzy/titles", t, noon
		if !w.complete {
			s.CompleteUpTo = time.Time{}
		}
		found.Sources = append(found.Sources, s)
		for _, r := range w.records {
			if r.Type == t && r.Holders[0] == of {
				found.Records = append(found.Records, r)
			}
		}
	}
	return found, nil
}

// keys are those of copies.
func (w *world) keys(context.Context) (copies.Keys, error) {
	return copies.Keys{Signature: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), Codes: make([]byte, 32)}, w.keyless
}

func (w *world) Admits(*x509.Certificate) error { return w.unheard }

func (w *world) AdmitsIdentity(certs.Identity) error { return w.unheard }

func (w *world) Stamp(_ context.Context, e *audit.Entry) error { e.ID = "01"; return nil }

func (w *world) Append(_ context.Context, e audit.Entry) (audit.Receipt, error) {
	if w.broken != nil {
		return audit.Receipt{}, w.broken
	}
	w.entries = append(w.entries, e)
	return audit.Receipt{ID: e.ID, Time: noon, Hash: "ab"}, nil
}

// record is the citizen's title to real estate.
func record(id byte, number string, status exchange.Status) exchange.Record {
	return exchange.Record{Type: "property-title", ID: exchange.RecordID{id}, Version: 1, Keeper: "zrzy", Adapter: "zrzy/titles", Status: status, AsOf: noon,
		Holders: []exchange.Holder{{Kind: exchange.Person, Number: citizen}},
		Payload: fmt.Appendf(nil, `{"certificateNumber":%q,"unitNumber":"x","owners":[{"name":"张三","number":%q}],"location":"醴陵市","rightType":"所有权","issuedOn":"2008-10-13"}`, number, citizen)}
}

// answer is what comes back.
type answer struct {
	Head head
	Data members
}

// members are those of the data; a list is the member "list".
type members map[string]json.RawMessage

func (m *members) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		*m = members{"list": data}
		return nil
	}
	return json.Unmarshal(data, (*map[string]json.RawMessage)(m))
}

// call sends data in the envelope; a text is a whole body.
func (w *world) call(t testing.TB, operation string, data any, headers ...string) answer {
	t.Helper()
	body, whole := data.(string)
	if !whole {
		written, err := json.Marshal(request[any]{"xzsp/0017", token, data})
		if err != nil {
			t.Fatal(err)
		}
		body = string(written)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Path+"/"+operation, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, r)
	content, err := io.ReadAll(recorder.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(content, &a); err != nil || recorder.Code != http.StatusOK || a.Head.Message == "" || a.Data == nil {
		t.Fatalf("%d %s: %v", recorder.Code, content, err)
	}
	if strings.Contains(a.Head.Message, citizen) || strings.Contains(a.Head.Message, token) {
		t.Errorf("it repeats what it was sent: %s", content)
	}
	return a
}
