package holdings_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/envelope/envelopetest"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/exchange/holdings/pebble"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/schemas"
)

const (
	licence  exchange.EvidenceType = "business-licence"
	food     exchange.EvidenceType = "food-licence"
	marriage exchange.EvidenceType = "marriage-certificate"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var builtin = sync.OnceValues(schemas.Builtin)

// world is an exchange of two departments: scjg keeps licences and food licences, mzj marriage certificates.
type world struct {
	rest     time.Duration // of the topics
	t        testing.TB
	dir      string
	cache    int64
	store    *pebble.Store
	index    *holdings.Index
	opener   *envelope.Opener
	city     *envelopetest.City
	orders   ed25519.PrivateKey // signs orders to forget; nil: the index knows no such key
	sealers  map[exchange.Adapter]*envelope.Sealer
	schemas  *schemas.Set
	registry *prometheus.Registry
	log      bytes.Buffer
	ends     map[string]map[int]int64 // of the topics so far
}

func newWorld(t testing.TB) *world { return newWorldWith(t, 16<<20) }

// newWorldWith gives the index a cache of that many bytes.
func newWorldWith(t testing.TB, cache int64) *world {
	t.Helper()
	city := envelopetest.New()
	w := &world{t: t, dir: t.TempDir(), cache: cache, city: city, opener: city.Opener(t), sealers: map[exchange.Adapter]*envelope.Sealer{}, ends: map[string]map[int]int64{}}
	var err error
	if w.schemas, err = builtin(); err != nil {
		t.Fatal(err)
	}
	w.open()
	t.Cleanup(func() { w.store.Close() })
	return w
}

// open opens the index in the world's directory.
func (w *world) open() {
	w.t.Helper()
	var err error
	if w.store, err = pebble.Open(pebble.Config{Dir: w.dir, CacheBytes: w.cache}); err != nil {
		w.t.Fatal(err)
	}
	if w.index, err = holdings.New(w.config()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) config() holdings.Config {
	w.registry = prometheus.NewRegistry()
	var orders func(context.Context) ([]ed25519.PublicKey, error)
	if w.orders != nil {
		orders = func(context.Context) ([]ed25519.PublicKey, error) {
			return []ed25519.PublicKey{w.orders.Public().(ed25519.PublicKey)}, nil
		}
	}
	return holdings.Config{Orders: orders, Engine: w.store, Opener: w.opener, Schema: w.schema, Keeper: keeper,
		Keys: keys(1, 2),
		Log:  slog.New(slog.NewTextHandler(&w.log, nil)), Metrics: w.registry, Rest: w.rest, Now: func() time.Time { return noon }}
}

func keys(token, seal byte) func(context.Context) (holdings.Keys, error) {
	return keysOf(holdings.Keys{Token: bytes.Repeat([]byte{token}, 32), Seal: bytes.Repeat([]byte{seal}, 32)})
}

func keysOf(k holdings.Keys) func(context.Context) (holdings.Keys, error) {
	return func(context.Context) (holdings.Keys, error) { return k, nil }
}

func keeper(t exchange.EvidenceType) (exchange.Department, bool) {
	d, ok := map[exchange.EvidenceType]exchange.Department{licence: "scjg", food: "scjg", marriage: "mzj",
		"hygiene-licence": "scjg", "property-title": "scjg", "tax-clearance": "scjg", "health-certificate": "scjg"}[t]
	return d, ok
}

func (w *world) restart() {
	w.t.Helper()
	if err := w.store.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

// copyTo gives a world that folds into another directory, with the same keys and topics.
func (w *world) copyTo(dir string) *world {
	n := &world{t: w.t, dir: dir, cache: w.cache, city: w.city, orders: w.orders, opener: w.opener, schemas: w.schemas, sealers: w.sealers}
	n.open()
	w.t.Cleanup(func() { n.store.Close() })
	return n
}

func (w *world) sealer(a exchange.Adapter) *envelope.Sealer {
	if w.sealers[a] == nil {
		w.sealers[a] = w.city.Sealer(w.t, a, bytes.Repeat([]byte{byte(len(a.Department()))}, 32), func() time.Time { return noon })
	}
	return w.sealers[a]
}

// statement is one record version, in short.
type statement struct {
	adapter   exchange.Adapter // empty: the keeper's
	of        exchange.EvidenceType
	natural   string // the certificate
	version   int
	holders   []string // empty: withdrawn
	name      string   // tells contents apart
	partition int
}

func (w *world) adapter(t exchange.EvidenceType) exchange.Adapter {
	if t == marriage {
		return "mzj/marriages"
	}
	return "scjg/licences"
}

func at(version int) time.Time { return noon.Add(time.Duration(version) * time.Minute) }

// seal makes the message of the statement, not yet at any offset.
func (w *world) seal(s statement) exchange.Message {
	w.t.Helper()
	if s.adapter == "" {
		s.adapter = w.adapter(s.of)
	}
	schema, ok := w.schemas.ByType(s.of)
	if !ok {
		w.t.Fatalf("no schema of %s", s.of)
	}
	d := envelope.Draft{Type: s.of, ID: w.sealer(s.adapter).RecordID(s.of, s.natural), Version: exchange.Version(s.version),
		Schema: schema.ID, Withdrawn: len(s.holders) == 0, At: at(s.version)}
	if !d.Withdrawn {
		d.Payload = document(s)
	}
	return w.draft(s.adapter, d, s.partition)
}

func (w *world) draft(a exchange.Adapter, d envelope.Draft, partition int) exchange.Message {
	w.t.Helper()
	batch := w.sealer(a).Batch()
	m, err := batch.Record(d)
	if err != nil {
		w.t.Fatal(err)
	}
	m = w.signed(batch, m)
	m.Partition = partition
	return m
}

// document is a document whose holders are the statement's.
func document(s statement) []byte {
	switch s.of {
	case marriage:
		var spouses []map[string]string
		for i, h := range s.holders {
			spouses = append(spouses, map[string]string{"name": fmt.Sprintf("%s%d", s.name, i), "number": h})
		}
		return encode(map[string]any{"certificateNumber": s.natural, "spouses": spouses, "registeredOn": "2018-05-20", "issuingAuthority": "醴陵市民政局"})
	default:
		return encode(map[string]any{"creditCode": s.holders[0], "name": s.name, "registeredOn": "2003-05-18", "validUntil": "2053-05-17", "status": "存续"})
	}
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// append gives the messages the next offsets of their partitions.
func (w *world) append(msgs ...exchange.Message) []exchange.Message {
	for i := range msgs {
		m := &msgs[i]
		if w.ends[m.Topic] == nil {
			w.ends[m.Topic] = map[int]int64{}
		}
		m.Offset = w.ends[m.Topic][m.Partition]
		if m.Time.IsZero() {
			m.Time = noon
		}
		w.ends[m.Topic][m.Partition]++
	}
	return msgs
}

// fold appends the messages and folds each by itself.
func (w *world) fold(msgs ...exchange.Message) {
	w.t.Helper()
	for _, m := range w.append(msgs...) {
		if err := w.index.Fold(w.t.Context(), []exchange.Message{m}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// state folds statements.
func (w *world) state(all ...statement) {
	w.t.Helper()
	for _, s := range all {
		w.fold(w.seal(s))
	}
}

func (w *world) find(number string, types ...exchange.EvidenceType) exchange.Found {
	w.t.Helper()
	found, err := w.index.Find(w.t.Context(), holder(number), types)
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// records says what is found of a holder, in short.
func (w *world) records(number string) string {
	w.t.Helper()
	var all []string
	for _, r := range w.find(number, licence, food, marriage).Records {
		all = append(all, fmt.Sprintf("%s@%d %s %s", r.Type, r.Version, r.Status, r.AsOf.Format("15:04")))
	}
	return strings.Join(all, ", ")
}

func holder(number string) exchange.Holder {
	h, err := identity.ParseHolder(number)
	if err != nil {
		panic(err)
	}
	return h
}

// citizen is the n-th citizen number of this test.
func citizen(n int) string {
	first := fmt.Sprintf("43028119900101%03d", n)
	return first + string(identity.CitizenCheck(first))
}

// company is the n-th credit code of this test.
func company(n int) string {
	organisation := fmt.Sprintf("%08d", n)
	first := "91430281" + organisation + string(identity.OrganisationCheck(organisation))
	return first + string(identity.CreditCodeCheck(first))
}

// heartbeat is the message of a coverage statement.
func (w *world) heartbeat(c exchange.Coverage) exchange.Message {
	w.t.Helper()
	batch := w.sealer(c.Adapter).Batch()
	m, err := batch.Statement(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.signed(batch, m)
}

// stated is a coverage statement that the adapter signs after it was changed.
func (w *world) stated(by exchange.Adapter, change func(*exchange.Message)) exchange.Message {
	w.t.Helper()
	batch := w.sealer(by).Batch()
	m, err := batch.Statement(exchange.Coverage{Adapter: by, Alive: noon})
	if err != nil {
		w.t.Fatal(err)
	}
	change(&m)
	return w.signed(batch, m)
}

// resolution is the message that frees a row of the adapter's department from quarantine.
func (w *world) resolution(a exchange.Adapter, row [16]byte) exchange.Message {
	w.t.Helper()
	batch := w.sealer(a).Batch()
	return w.signed(batch, batch.Resolution(row, noon))
}

func (w *world) signed(batch *envelope.Batch, m exchange.Message) exchange.Message {
	w.t.Helper()
	one := []exchange.Message{m}
	if err := batch.Sign(one); err != nil {
		w.t.Fatal(err)
	}
	return one[0]
}

// rejection is the message of a row in quarantine.
func (w *world) rejection(r envelope.Rejection) exchange.Message {
	w.t.Helper()
	batch := w.sealer(r.Adapter).Batch()
	m, err := batch.Rejection(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.signed(batch, m)
}

func (w *world) schema(_ context.Context, id string) (*schemas.Schema, error) {
	s, _ := w.schemas.ByID(id)
	return s, nil
}
