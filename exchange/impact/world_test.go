package impact_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/envelope/envelopetest"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/exchange/holdings/pebble"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/schemas"
)

const (
	licence  exchange.EvidenceType = "business-licence"
	marriage exchange.EvidenceType = "marriage-certificate"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var builtin = sync.OnceValues(schemas.Builtin)

// world is a city whose index is real: records are sealed, folded and kept by Pebble.
type world struct {
	t       testing.TB
	index   *holdings.Index
	sealers map[exchange.Adapter]*envelope.Sealer
	signers *envelopetest.City
	set     *schemas.Set
	city    *catalogue.Catalogue
	ends    map[string]int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	set, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	signers := envelopetest.New()
	store, err := pebble.Open(pebble.Config{Dir: t.TempDir(), CacheBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := &world{t: t, signers: signers, set: set, city: city(t), sealers: map[exchange.Adapter]*envelope.Sealer{}, ends: map[string]int64{}}
	w.index, err = holdings.New(holdings.Config{Engine: store, Opener: signers.Opener(t),
		Schema: func(_ context.Context, id string) (*schemas.Schema, error) { s, _ := w.set.ByID(id); return s, nil },
		Keeper: func(t exchange.EvidenceType) (exchange.Department, bool) {
			e, ok := w.city.Evidence(t)
			return e.Keeper, ok
		},
		Keys: func(context.Context) (holdings.Keys, error) {
			return holdings.Keys{Token: bytes.Repeat([]byte{1}, 32), Seal: bytes.Repeat([]byte{2}, 32)}, nil
		},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Metrics: prometheus.NewRegistry(), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

const grants = `
- {department: xzsp, evidence: business-licence, item: food-licence-new, fields: [creditCode, name, scope], basis: {zh: 依据, en: basis}, from: 2026-01-01, until: 2027-12-31}
- {department: scjg, evidence: business-licence, item: enterprise-change, fields: [creditCode, nickname], basis: {zh: 依据, en: basis}, from: 2026-01-01, until: 2027-12-31}
- {department: xzsp, evidence: business-licence, item: food-licence-change, fields: [scope], basis: {zh: 依据, en: basis}, from: 2020-01-01, until: 2020-12-31}
- {department: mzj, evidence: marriage-certificate, item: marriage-certificate-reissue, fields: [spouses], basis: {zh: 依据, en: basis}, from: 2026-01-01, until: 2027-12-31}
`

func city(t testing.TB) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.Load(catalogue.Builtin(), fstest.MapFS{"grants.yaml": {Data: []byte(grants)}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) sealer(a exchange.Adapter) *envelope.Sealer {
	if w.sealers[a] == nil {
		w.sealers[a] = w.signers.Sealer(w.t, a, bytes.Repeat([]byte{byte(len(a.Department()))}, 32), func() time.Time { return noon })
	}
	return w.sealers[a]
}

// publish folds a document for each number, by the schema that the set has.
func (w *world) publish(a exchange.Adapter, t exchange.EvidenceType, version int, from, to int, document func(n int) map[string]any) {
	w.t.Helper()
	schema, ok := w.set.ByType(t)
	if !ok {
		w.t.Fatalf("no schema of %s", t)
	}
	batch := w.sealer(a).Batch()
	var msgs []exchange.Message
	for n := from; n < to; n++ {
		d := envelope.Draft{Type: t, ID: w.id(a, t, n), Version: exchange.Version(version), Schema: schema.ID, At: noon}
		if document == nil {
			d.Withdrawn = true
		} else {
			d.Payload = encode(document(n))
		}
		m, err := batch.Record(d)
		if err != nil {
			w.t.Fatal(err)
		}
		m.Offset, m.Time = w.ends[m.Topic], noon
		w.ends[m.Topic]++
		msgs = append(msgs, m)
	}
	if err := batch.Sign(msgs); err != nil {
		w.t.Fatal(err)
	}
	if err := w.index.Fold(w.t.Context(), msgs); err != nil {
		w.t.Fatal(err)
	}
	if refused := w.index.Counts().Refused; len(refused) > 0 {
		w.t.Fatalf("refused %v", refused)
	}
}

func (w *world) id(a exchange.Adapter, t exchange.EvidenceType, n int) exchange.RecordID {
	return w.sealer(a).RecordID(t, fmt.Sprint(n))
}

func (w *world) heartbeat(a exchange.Adapter, t exchange.EvidenceType) {
	w.t.Helper()
	batch := w.sealer(a).Batch()
	m, err := batch.Statement(exchange.Coverage{Adapter: a, Type: t, Alive: noon, CompleteUpTo: noon})
	if err != nil {
		w.t.Fatal(err)
	}
	m.Offset, m.Time = w.ends[m.Topic], noon
	w.ends[m.Topic]++
	said := []exchange.Message{m}
	if err := errors.Join(batch.Sign(said), w.index.Fold(w.t.Context(), said)); err != nil {
		w.t.Fatal(err)
	}
}

// company is the licence of the n-th company. Every tenth has a status, every third a legal representative.
func company(n int) map[string]any {
	organisation := fmt.Sprintf("%08d", n)
	first := "91430281" + organisation + string(identity.OrganisationCheck(organisation))
	doc := map[string]any{"creditCode": first + string(identity.CreditCodeCheck(first)), "name": fmt.Sprintf("金丝雀%d号瓷业有限公司", n), "registeredOn": "2003-05-18",
		"companyType": "有限责任公司", "capital": map[string]any{"amount": "5000000", "currency": "CNY"}, "scope": "日用陶瓷制品制造；货物进出口。",
		"province": "湖南", "city": "株洲", "validFrom": "2003-05-18", "validUntil": "2053-05-17", "issuingAuthority": "醴陵市市场监督管理局"}
	if n%10 == 0 {
		doc["status"] = "迁出"
	}
	if n%3 == 0 {
		doc["legalRepresentative"] = fmt.Sprintf("金丝雀%d", n)
	}
	return doc
}

func couple(n int) map[string]any {
	spouse := func(i int) map[string]any {
		first := fmt.Sprintf("4302811990%02d01%03d", 1+n%12, (2*n+i)%1000)
		return map[string]any{"name": "金丝雀", "number": first + string(identity.CitizenCheck(first))}
	}
	return map[string]any{"certificateNumber": fmt.Sprintf("J430281-2018-%06d", n), "spouses": []any{spouse(0), spouse(1)}, "registeredOn": "2018-05-20", "issuingAuthority": "醴陵市民政局"}
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// changed is the type's schema after edits of its text.
func (w *world) changed(t exchange.EvidenceType, edit func(root map[string]any)) *schemas.Schema {
	w.t.Helper()
	var root map[string]any
	if err := json.Unmarshal(w.today(t).Text, &root); err != nil {
		w.t.Fatal(err)
	}
	if edit != nil {
		edit(root)
	}
	s, err := schemas.Parse(encode(root))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) today(t exchange.EvidenceType) *schemas.Schema {
	s, ok := w.set.ByType(t)
	if !ok {
		w.t.Fatalf("no schema of %s", t)
	}
	return s
}

// at walks down to a member of a schema.
func at(root map[string]any, steps ...string) map[string]any {
	for _, step := range steps {
		root = root[step].(map[string]any)
	}
	return root
}

// examples changes every example.
func examples(root map[string]any, edit func(map[string]any)) {
	for _, e := range root["examples"].([]any) {
		edit(e.(map[string]any))
	}
}
