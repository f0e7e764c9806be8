package envelope_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/envelope/envelopetest"
)

const (
	guid    = "0011aabb-ccdd-eeff-0123-456789abcdef"
	adapter = exchange.Adapter("scjg/licences")
)

var (
	at      = time.Date(2026, 11, 23, 10, 2, 11, 5000, time.UTC)
	written = at.Add(time.Second) // Kafka's time of every message here
	key     = bytes.Repeat([]byte{7}, 32)
	never   = time.Time{}
	always  = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	suites  = map[string]envelope.Suite{"standard": envelope.Standard, "national": envelope.National}
)

// city is an exchange with one adapter.
type city struct {
	*envelopetest.Exchange
	t      testing.TB
	opener *envelope.Opener
	sealer *envelope.Sealer
	signer *envelopetest.Signer
}

func newCity(t testing.TB, s envelope.Suite) *city {
	t.Helper()
	c := &city{Exchange: envelopetest.New(), t: t}
	c.opener = c.Opener()
	c.signer = c.Enrol(adapter, s, never, always)
	c.sealer = c.seals(adapter, s, c.signer)
	return c
}

// seals makes the sealer of an adapter that signs in its own or in another's name.
func (c *city) seals(a exchange.Adapter, s envelope.Suite, by envelope.Signer) *envelope.Sealer {
	c.t.Helper()
	made, err := envelope.NewSealer(envelope.SealerConfig{Adapter: a, DepartmentKey: key, Suite: s, Signer: by, ExchangeKey: c.PublicKey(s),
		Clock: func() time.Time { return at }})
	if err != nil {
		c.t.Fatal(err)
	}
	return made
}

func draft() envelope.Draft {
	return envelope.Draft{Type: "business-licence", ID: exchange.RecordID{1}, Version: 42, Schema: guid, Payload: []byte(`{"name":"醴陵瓷厂"}`), At: at}
}

func rejection() envelope.Rejection {
	return envelope.Rejection{Adapter: adapter, Type: "business-licence", Row: [16]byte{1, 2}, Line: 88, Code: "YM-ID-0102",
		Holders: []exchange.Holder{{Kind: exchange.Person, Number: "430281199001010017"}}, Columns: []string{"姓名"}, Values: []string{"张晓朙"}, At: at}
}

func coverage() exchange.Coverage {
	return exchange.Coverage{Adapter: adapter, Type: "business-licence", Alive: at, CompleteUpTo: at, End: map[int]int64{0: 7}, Read: 3, Published: 3}
}

// Places of the messages that kinds makes.
const (
	aRecord = iota
	aWithdrawal
	aRejection
	aResolution
	aStatement
	kindsCount
)

// kinds makes one message of each kind, all of one batch.
func (c *city) kinds(s *envelope.Sealer) []exchange.Message {
	c.t.Helper()
	b := s.Batch()
	record, err := b.Record(draft())
	withdrawn, err2 := b.Record(envelope.Draft{Type: "business-licence", Schema: guid, Version: 1, Withdrawn: true, At: at})
	row, err3 := b.Rejection(rejection())
	statement, err4 := b.Statement(coverage())
	if err := errors.Join(err, err2, err3, err4); err != nil {
		c.t.Fatal(err)
	}
	all := []exchange.Message{record, withdrawn, row, b.Resolution([16]byte{9}, at), statement}
	c.sign(b, all)
	return all
}

// sign signs the messages and has Kafka write them.
func (c *city) sign(b *envelope.Batch, all ...[]exchange.Message) {
	c.t.Helper()
	if err := b.Sign(all...); err != nil {
		c.t.Fatal(err)
	}
	for _, messages := range all {
		for i := range messages {
			messages[i].Time = written
		}
	}
}

// believe opens the message as what it is.
func (c *city) believe(m *exchange.Message) error { return believe(c.t, c.opener, m) }

func believe(t testing.TB, o *envelope.Opener, m *exchange.Message) error {
	var err error
	switch {
	case strings.HasPrefix(m.Topic, "evidence."):
		_, err = o.Record(t.Context(), m)
	case strings.HasPrefix(m.Topic, "coverage."):
		_, err = o.Statement(t.Context(), m)
	case m.Value == nil:
		_, err = o.Resolution(t.Context(), m)
	default:
		_, err = o.Rejection(t.Context(), m)
	}
	return err
}

func TestEachKindComesBackAsItWent(t *testing.T) {
	for name, suite := range suites {
		t.Run(name, func(t *testing.T) {
			c := newCity(t, suite)
			all := c.kinds(c.sealer)
			signed := at.Truncate(time.Microsecond)

			want := draft()
			want.Digest = c.sealer.Digest(want.Payload)
			got, err := c.opener.Record(t.Context(), &all[aRecord])
			if err != nil || !reflect.DeepEqual(got, envelope.Opened{Adapter: adapter, Signed: signed, Draft: want}) {
				t.Errorf("record %+v, %v", got, err)
			}
			gone, err := c.opener.Record(t.Context(), &all[aWithdrawal])
			if err != nil || !gone.Withdrawn || len(gone.Payload) != 0 {
				t.Errorf("withdrawal %+v, %v", gone, err)
			}
			if all[aWithdrawal].Value == nil {
				t.Error("a withdrawal without a value would be compacted away with its record")
			}
			row := rejection()
			row.Signed = signed
			if got, err := c.opener.Rejection(t.Context(), &all[aRejection]); err != nil || !reflect.DeepEqual(got, row) {
				t.Errorf("rejection %+v, %v", got, err)
			}
			resolved := envelope.Resolution{Adapter: adapter, Row: [16]byte{9}, At: at, Signed: signed}
			if got, err := c.opener.Resolution(t.Context(), &all[aResolution]); err != nil || got != resolved {
				t.Errorf("resolution %+v, %v", got, err)
			}
			if got, err := c.opener.Statement(t.Context(), &all[aStatement]); err != nil || !reflect.DeepEqual(got, coverage()) {
				t.Errorf("statement %+v, %v", got, err)
			}
		})
	}
}

// TestNothingIsReadableOutside looks for what only the exchange may read, in every part of every message.
func TestNothingIsReadableOutside(t *testing.T) {
	canaries := []string{"430281", "张", "醴陵", "姓名"}
	for name, suite := range suites {
		c := newCity(t, suite)
		for i, m := range c.kinds(c.sealer) {
			parts := map[string][]byte{"topic": []byte(m.Topic), "key": m.Key, "value": m.Value, "route": m.Route}
			for _, h := range m.Headers {
				parts[h.Name] = h.Value
			}
			for part, content := range parts {
				for _, canary := range canaries {
					if bytes.Contains(content, []byte(canary)) || bytes.Contains(content, []byte(hex.EncodeToString([]byte(canary)))) {
						t.Errorf("%s, message %d: %s tells %q", name, i, part, canary)
					}
				}
			}
		}
	}
}

func TestKindsAreNotTakenForOneAnother(t *testing.T) {
	c := newCity(t, envelope.Standard)
	for i, m := range c.kinds(c.sealer) {
		_, err := c.opener.Record(t.Context(), &m)
		_, err2 := c.opener.Rejection(t.Context(), &m)
		_, err3 := c.opener.Resolution(t.Context(), &m)
		_, err4 := c.opener.Statement(t.Context(), &m)
		opened := 0
		for _, err := range []error{err, err2, err3, err4} {
			switch {
			case err == nil:
				opened++
			case !errors.Is(err, envelope.ErrNotGenuine):
				t.Errorf("message %d: %v", i, err)
			}
		}
		if opened != 1 {
			t.Errorf("message %d opens as %d kinds", i, opened)
		}
	}
}

func TestIdsDependOnTypeDepartmentAndSuite(t *testing.T) {
	names := func(s envelope.Suite, key byte) *envelope.Names {
		n, err := envelope.NewNames(s, bytes.Repeat([]byte{key}, 32))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	a, b, national := names(0, 7), names(envelope.Standard, 8), names(envelope.National, 7)
	if a.RecordID("x", "1") != names(envelope.Standard, 7).RecordID("x", "1") {
		t.Error("a record has another id in another run")
	}
	if a.RecordID("x", "1") == a.RecordID("y", "1") || a.RecordID("x", "1") == b.RecordID("x", "1") || a.RecordID("x", "1") == national.RecordID("x", "1") {
		t.Error("record id does not follow from key, type, number and suite")
	}
	if a.RowID("x", []string{"a", "bc"}) == a.RowID("x", []string{"ab", "c"}) {
		t.Error("rows with other columns have one id")
	}
	if a.KeyName() == b.KeyName() || a.KeyName() == national.KeyName() || a.Digest(nil) == national.Digest(nil) {
		t.Error("keys or suites have one name")
	}
}

func TestWhatASealerNeeds(t *testing.T) {
	c := newCity(t, envelope.Standard)
	public, other := c.PublicKey(envelope.Standard), c.PublicKey(envelope.National)
	good := envelope.SealerConfig{Adapter: adapter, DepartmentKey: key, ExchangeKey: public, Signer: c.signer}
	if _, err := envelope.NewSealer(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*envelope.SealerConfig){
		"short department key": func(s *envelope.SealerConfig) { s.DepartmentKey = key[:31] },
		"no signer":            func(s *envelope.SealerConfig) { s.Signer = nil },
		"unknown suite":        func(s *envelope.SealerConfig) { s.Suite = 3 },
		"key of another suite": func(s *envelope.SealerConfig) { s.ExchangeKey = other },
		"suite of another key": func(s *envelope.SealerConfig) { s.Suite = envelope.National },
		"short key":            func(s *envelope.SealerConfig) { s.ExchangeKey = public[:31] },
		"unmarked key":         func(s *envelope.SealerConfig) { s.ExchangeKey = public[len(public)-32:] },
		"some secret":          func(s *envelope.SealerConfig) { s.ExchangeKey = make([]byte, 32) },
		"no key":               func(s *envelope.SealerConfig) { s.ExchangeKey = nil },
		"longer key":           func(s *envelope.SealerConfig) { s.ExchangeKey = append(bytes.Clone(public), 0) },
		"point off the curve":  func(s *envelope.SealerConfig) { s.ExchangeKey = flipped(other, len(other)-1) },
	} {
		config := good
		change(&config)
		if _, err := envelope.NewSealer(config); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := envelope.PublicKey(envelope.Standard, key[:31]); err == nil {
		t.Error("a short secret has a public key")
	}
	if _, err := envelope.PublicKey(3, key); err == nil {
		t.Error("an unknown suite has a public key")
	}
	for _, config := range []envelope.OpenerConfig{{Secrets: c.Secrets}, {Directory: c.Roll}} {
		if _, err := envelope.NewOpener(config); err == nil {
			t.Error("an opener without secrets or directory")
		}
	}
}

func flipped(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 1
	return b
}

func FuzzOpen(f *testing.F) {
	c := newCity(f, envelope.Standard)
	m := c.kinds(c.sealer)[aRecord]
	f.Add(m.Key, m.Value, m.Header("ce_source"), m.Header("ce_type"), m.Header("ce_time"), m.Header("ce_contentdigest"), m.Header("__value_schema_id"), m.Header("batch-signature"))
	f.Add([]byte{}, []byte{2, 1}, "/a/b", "yimen.record.stated", "", "", "", "")
	f.Fuzz(func(t *testing.T, key, value []byte, source, kind, when, digest, schema, signature string) {
		changed := exchange.Message{Topic: m.Topic, Key: key, Value: value, Time: written}
		for _, h := range m.Headers {
			changed.Headers = append(changed.Headers, exchange.Header{Name: h.Name, Value: bytes.Clone(h.Value)})
		}
		for i := range changed.Headers {
			switch h := &changed.Headers[i]; h.Name {
			case "ce_source":
				h.Value = []byte(source)
			case "ce_type":
				h.Value = []byte(kind)
			case "ce_time":
				h.Value = []byte(when)
			case "ce_contentdigest":
				h.Value = []byte(digest)
			case "__value_schema_id":
				h.Value = []byte(schema)
			case "batch-signature":
				h.Value = []byte(signature)
			}
		}
		for _, topic := range []string{m.Topic, "quarantine.scjg", "coverage.scjg"} {
			changed.Topic = topic
			err := believe(t, c.opener, &changed)
			switch {
			case err == nil && (topic != m.Topic || !bytes.Equal(value, m.Value) || !bytes.Equal(key, m.Key)):
				t.Errorf("something was believed that was never said")
			case err != nil && !errors.Is(err, envelope.ErrNotGenuine) && !errors.Is(err, envelope.ErrNotSigned):
				t.Errorf("folding would stop: %v", err)
			}
		}
	})
}
