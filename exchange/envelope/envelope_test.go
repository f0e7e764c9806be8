package envelope_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/envelope/envelopetest"
)

const (
	guid     = "0011aabb-ccdd-eeff-0123-456789abcdef"
	licences = exchange.Adapter("scjg/licences")
	secretly = "醴陵瓷厂" // what no header may tell
)

var (
	at  = time.Date(2026, 11, 23, 10, 2, 11, 5000, time.UTC)
	key = bytes.Repeat([]byte{7}, 32)
)

func clock() time.Time { return at }

func draft(s *envelope.Sealer, n int) envelope.Draft {
	payload := fmt.Appendf(nil, `{"name":"%s","n":%d}`, secretly, n)
	return envelope.Draft{Type: "business-licence", ID: s.RecordID("business-licence", fmt.Sprint(n)), Version: 42, Schema: guid, Payload: payload, At: at}
}

// sealed is a signed batch of so many records.
func sealed(t testing.TB, s *envelope.Sealer, n int) []exchange.Message {
	t.Helper()
	batch := s.Batch()
	var all []exchange.Message
	for i := range n {
		m, err := batch.Record(draft(s, i))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	if err := batch.Sign(all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRecordsComeBackAsTheyWent(t *testing.T) {
	city := envelopetest.New()
	s, o := city.Sealer(t, licences, key, clock), city.Opener(t)
	for _, size := range []int{1, 2, 3, 7, 8, 9, 100} {
		for i, m := range sealed(t, s, size) {
			opened, err := o.Record(t.Context(), &m)
			if err != nil {
				t.Fatalf("%d of %d: %v", i, size, err)
			}
			want := draft(s, i)
			want.Digest = s.Digest(want.Payload)
			if !reflect.DeepEqual(opened.Draft, want) || opened.Adapter != licences || opened.Signed.Time.Sub(at).Abs() > time.Microsecond || int(opened.Signed.Index) != i {
				t.Errorf("opened %+v, want %+v", opened, want)
			}
			for _, h := range m.Headers {
				if bytes.Contains(h.Value, []byte(secretly)) {
					t.Errorf("header %s tells", h.Name)
				}
			}
		}
	}
}

// TestAnyMessageOfABatchStandsAlone: each opens by itself, in any order, on an opener that has seen nothing else.
func TestAnyMessageOfABatchStandsAlone(t *testing.T) {
	city := envelopetest.New()
	all := sealed(t, city.Sealer(t, licences, key, clock), 37)
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i := range all {
		if _, err := city.Opener(t).Record(t.Context(), &all[i]); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhateverIsChangedIsRefused flips, moves and relabels.
func TestWhateverIsChangedIsRefused(t *testing.T) {
	city := envelopetest.New()
	s, o := city.Sealer(t, licences, key, clock), city.Opener(t)
	others := sealed(t, s, 5) // of another batch
	refused := func(name string, change func(m *exchange.Message, batch []exchange.Message)) {
		batch := sealed(t, s, 5)
		m := batch[2]
		m.Key, m.Value = bytes.Clone(m.Key), bytes.Clone(m.Value)
		m.Headers = slices.Clone(m.Headers)
		change(&m, batch)
		if opened, err := o.Record(t.Context(), &m); err == nil {
			t.Errorf("%s: opened %+v", name, opened)
		} else if strings.Contains(err.Error(), secretly) {
			t.Errorf("%s: the error tells: %v", name, err)
		}
	}
	one := sealed(t, s, 5)[2]
	for i := range one.Key {
		refused(fmt.Sprintf("bit of key byte %d", i), func(m *exchange.Message, _ []exchange.Message) { m.Key[i] ^= 1 << (i % 8) })
	}
	for i := range one.Value {
		refused(fmt.Sprintf("bit of value byte %d", i), func(m *exchange.Message, _ []exchange.Message) { m.Value[i] ^= 1 << (i % 8) })
	}
	for h := range one.Headers {
		for i := range one.Headers[h].Value {
			refused(fmt.Sprintf("bit of header %s byte %d", one.Headers[h].Name, i), func(m *exchange.Message, _ []exchange.Message) {
				m.Headers[h].Value = bytes.Clone(m.Headers[h].Value)
				m.Headers[h].Value[i] ^= 1 << (i % 8)
			})
		}
		refused("without header "+one.Headers[h].Name, func(m *exchange.Message, _ []exchange.Message) {
			m.Headers = slices.Delete(m.Headers, h, h+1)
		})
		refused("header "+one.Headers[h].Name+" twice", func(m *exchange.Message, _ []exchange.Message) {
			m.Headers = append([]exchange.Header{{Name: m.Headers[h].Name, Value: []byte("x")}}, m.Headers...)
		})
	}
	last := func(m *exchange.Message) *exchange.Header { return &m.Headers[len(m.Headers)-1] }
	refused("moved to another topic", func(m *exchange.Message, _ []exchange.Message) { m.Topic = "evidence.food-licence" })
	refused("moved to another record", func(m *exchange.Message, b []exchange.Message) { m.Key = b[3].Key })
	refused("a neighbour's content", func(m *exchange.Message, b []exchange.Message) { m.Value = b[3].Value })
	refused("a neighbour's proof", func(m *exchange.Message, b []exchange.Message) { last(m).Value = last(&b[3]).Value })
	refused("another batch's proof", func(m *exchange.Message, _ []exchange.Message) { last(m).Value = last(&others[2]).Value })
	refused("cut", func(m *exchange.Message, _ []exchange.Message) { m.Value = m.Value[:40] })
	refused("empty", func(m *exchange.Message, _ []exchange.Message) { m.Value = nil })
	refused("proof cut", func(m *exchange.Message, _ []exchange.Message) { last(m).Value = last(m).Value[:60] })
	for at, what := range map[int]string{34: "time", 42: "size", 46: "index"} { // see the format in sign.go
		for _, by := range []byte{1, 2, 4, 8} {
			refused(fmt.Sprintf("forged %s ^ %d", what, by), func(m *exchange.Message, _ []exchange.Message) {
				last(m).Value = bytes.Clone(last(m).Value)
				last(m).Value[at+3] ^= by
			})
		}
	}
	refused("proof of another length", func(m *exchange.Message, _ []exchange.Message) {
		v := bytes.Clone(last(m).Value)
		v[50]--
		last(m).Value = slices.Delete(v, 51, 51+32)
	})
	stranger := envelopetest.New()
	if _, err := stranger.Opener(t).Record(t.Context(), &one); !errors.Is(err, envelope.ErrNotSigned) {
		t.Errorf("another city: %v", err)
	}
}

// TestWhoSignedAndWhen has a case for each way in which a certificate is not good for a message.
func TestWhoSignedAndWhen(t *testing.T) {
	revokedAt := func(when time.Time) func(*envelope.Signatory) {
		return func(s *envelope.Signatory) { s.Revoked = when }
	}
	tests := []struct {
		name    string
		change  func(*envelope.Signatory)
		written time.Time // zero: not known
		good    bool
	}{
		{"good", nil, at, true},
		{"written when it was signed, not known when", nil, time.Time{}, true},
		{"pending for a week", nil, at.Add(7 * 24 * time.Hour), true},
		{"pending for a month", nil, at.Add(30 * 24 * time.Hour), false},
		{"signed an hour after it was written", nil, at.Add(-time.Hour), false},
		{"clocks a minute apart", nil, at.Add(-time.Minute), true},
		{"certificate over", func(s *envelope.Signatory) { s.Until = at.Add(-time.Second) }, at, false},
		{"certificate not begun", func(s *envelope.Signatory) { s.From = at.Add(time.Second) }, at, false},
		{"over when it was written only", func(s *envelope.Signatory) { s.Until = at.Add(time.Hour) }, at.Add(2 * time.Hour), true},
		{"revoked before it was written", revokedAt(at.Add(-time.Second)), at, false},
		{"revoked in the moment", revokedAt(at), at, false},
		{"revoked afterwards", revokedAt(at.Add(time.Second)), at, true},
		{"revoked afterwards, not known when it was written", revokedAt(at.Add(time.Second)), time.Time{}, false},
		{"signed before, written after the revocation", revokedAt(at.Add(time.Minute)), at.Add(2 * time.Minute), false},
		{"another adapter's certificate", func(s *envelope.Signatory) { s.Adapter = "scjg/archive" }, at, false},
		{"another department's", func(s *envelope.Signatory) { s.Adapter = "mzj/licences" }, at, false},
		{"a clerk's", func(s *envelope.Signatory) { s.Adapter = "" }, at, false},
		{"another key", func(s *envelope.Signatory) { s.Public = make([]byte, 32) }, at, false},
		{"no key", func(s *envelope.Signatory) { s.Public = nil }, at, false},
		{"another suite", func(s *envelope.Signatory) { s.Suite = envelope.National }, at, false},
	}
	for _, test := range tests {
		city := envelopetest.New()
		m := sealed(t, city.Sealer(t, licences, key, clock), 1)[0]
		m.Time = test.written
		if test.change != nil {
			city.Change(licences, test.change)
		}
		o, err := envelope.NewOpener(envelope.OpenerConfig{Secrets: city.Secrets, Directory: city})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = o.Record(t.Context(), &m); (err == nil) != test.good || err != nil && !errors.Is(err, envelope.ErrNotSigned) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestRevocationActsAfterTheSignatureWasSeen: that a signature holds is remembered, not that its holder is trusted.
func TestRevocationActsAfterTheSignatureWasSeen(t *testing.T) {
	city := envelopetest.New()
	all, o := sealed(t, city.Sealer(t, licences, key, clock), 2), city.Opener(t)
	if _, err := o.Record(t.Context(), &all[0]); err != nil {
		t.Fatal(err)
	}
	city.Change(licences, func(s *envelope.Signatory) { s.Revoked = at })
	if _, err := o.Record(t.Context(), &all[1]); !errors.Is(err, envelope.ErrNotSigned) {
		t.Errorf("%v", err)
	}
}

// renewing signs with one key and, from one signature to another, by other certificates.
type renewing struct {
	envelope.Signer
	certificates []envelope.SignerID
}

func (r *renewing) Suite() envelope.Suite { return envelope.Standard }

func (r *renewing) Sign(message []byte) ([]byte, envelope.SignerID, error) {
	signature, _, err := r.Signer.Sign(message)
	by := r.certificates[0]
	if len(r.certificates) > 1 {
		r.certificates = r.certificates[1:]
	}
	return signature, by, err
}

// Signatory knows all certificates that begin with one, each of the key of the city's signer.
type renewed struct{ *envelopetest.City }

func (r renewed) Signatory(ctx context.Context, id envelope.SignerID) (envelope.Signatory, bool, error) {
	_, own, err := r.Signer(licences).Sign(nil)
	if err != nil {
		return envelope.Signatory{}, false, err
	}
	if id[0] == 1 {
		id = own
	}
	return r.City.Signatory(ctx, id)
}

// TestACertificateIsSigned: a certificate may be renewed between two batches, or while one is signed; and what was signed by one
// passes for no other's, even with the same key.
func TestACertificateIsSigned(t *testing.T) {
	city := envelopetest.New()
	a, b := envelope.SignerID{1, 1}, envelope.SignerID{1, 2}
	signer := &renewing{city.Signer(licences), []envelope.SignerID{a, a, a, b, b, b}}
	s, err := envelope.NewSealer(envelope.SealerConfig{Adapter: licences, DepartmentKey: key, ExchangeKey: city.Public(), Signer: signer, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	o, err := envelope.NewOpener(envelope.OpenerConfig{Secrets: city.Secrets, Directory: renewed{city}})
	if err != nil {
		t.Fatal(err)
	}
	for i, by := range []envelope.SignerID{a, a, b, b} {
		m := sealed(t, s, 3)[1]
		header := m.Headers[len(m.Headers)-1].Value
		if _, err := o.Record(t.Context(), &m); err != nil || !bytes.Equal(header[2:34], by[:]) {
			t.Errorf("batch %d: by %x, %v", i, header[2:4], err)
		}
		header[3] ^= 3 // a becomes b, b becomes a
		if _, err := o.Record(t.Context(), &m); !errors.Is(err, envelope.ErrNotSigned) {
			t.Errorf("batch %d, by the other certificate: %v", i, err)
		}
	}
	signer.certificates = []envelope.SignerID{a, b, a, b, a, b}
	batch := s.Batch()
	if err := batch.Sign([]exchange.Message{batch.Resolution([16]byte{1}, at)}); err == nil {
		t.Error("signed by a certificate that changes all the time")
	}
}

// TestRenewedSignatures: messages that waited are signed anew where the certificate is no longer current, and only there.
func TestRenewedSignatures(t *testing.T) {
	city := envelopetest.New()
	waited := sealed(t, city.Sealer(t, licences, key, clock), 5)
	asItWas := slices.Clone(waited)
	for i := range asItWas {
		asItWas[i].Headers = slices.Clone(waited[i].Headers)
	}
	if err := city.Sealer(t, licences, key, clock).Renew(waited[:3], waited[3:]); err != nil || !reflect.DeepEqual(waited, asItWas) {
		t.Errorf("%v: the certificate is current, and the messages are changed", err)
	}
	city.Change(licences, func(s *envelope.Signatory) { s.Revoked = at })
	city.Renew(licences)
	if err := city.Sealer(t, licences, key, clock).Renew(waited[:3], waited[3:]); err != nil {
		t.Fatal(err)
	}
	o := city.Opener(t)
	for i := range waited {
		waited[i].Time, asItWas[i].Time = at.Add(time.Hour), at.Add(time.Hour)
		if _, err := o.Record(t.Context(), &waited[i]); err != nil || !bytes.Equal(waited[i].Value, asItWas[i].Value) || len(waited[i].Headers) != len(asItWas[i].Headers) {
			t.Errorf("%d: %v", i, err)
		}
		if _, err := o.Record(t.Context(), &asItWas[i]); !errors.Is(err, envelope.ErrNotSigned) {
			t.Errorf("%d as it was: %v", i, err)
		}
	}
}

type undecided struct{ envelope.Directory }

func (undecided) Signatory(context.Context, envelope.SignerID) (envelope.Signatory, bool, error) {
	return envelope.Signatory{}, false, errors.New("no Kafka")
}

// TestUndecided: what cannot be found out is no refusal.
func TestUndecided(t *testing.T) {
	city := envelopetest.New()
	m := sealed(t, city.Sealer(t, licences, key, clock), 1)[0]
	for name, c := range map[string]envelope.OpenerConfig{
		"directory": {Secrets: city.Secrets, Directory: undecided{}},
		"secrets":   {Secrets: func(context.Context) ([][]byte, error) { return nil, errors.New("no Vault") }, Directory: city},
	} {
		o, err := envelope.NewOpener(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Record(t.Context(), &m); !errors.Is(err, envelope.ErrUndecided) || errors.Is(err, envelope.ErrNotSigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestForgottenKeysAreAskedForAgain: while they are not to be had nothing opens, whatever was opened before.
func TestForgottenKeysAreAskedForAgain(t *testing.T) {
	city := envelopetest.New()
	m := sealed(t, city.Sealer(t, licences, key, clock), 1)[0]
	var closed error
	o, err := envelope.NewOpener(envelope.OpenerConfig{Directory: city, Secrets: func(ctx context.Context) ([][]byte, error) {
		all, _ := city.Secrets(ctx)
		return all, closed
	}})
	if err != nil {
		t.Fatal(err)
	}
	opens := func(want error) {
		t.Helper()
		if _, err := o.Record(t.Context(), &m); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	opens(nil)
	closed = errors.New("closed")
	opens(nil) // from memory
	o.Forget()
	opens(envelope.ErrUndecided)
	closed = nil
	opens(nil)
}

// TestKeyRotationUnderLoad: four adapters publish while the exchange's key changes again and again; nothing is refused.
func TestKeyRotationUnderLoad(t *testing.T) {
	city := envelopetest.New()
	o := city.Opener(t)
	var all sync.WaitGroup
	stop := make(chan struct{})
	sealers := make([]*envelope.Sealer, 4)
	for i := range sealers {
		sealers[i] = city.Sealer(t, exchange.Adapter(fmt.Sprintf("scjg/a%d", i)), key, clock)
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, m := range sealed(t, sealers[i], 20) {
					if _, err := o.Record(t.Context(), &m); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	first := sealed(t, sealers[0], 1)[0]
	for range 30 {
		public := city.Rotate()
		for _, s := range sealers {
			if err := s.SealTo(public); err != nil {
				t.Error(err)
			}
		}
	}
	close(stop)
	all.Wait()
	if _, err := city.Opener(t).Record(t.Context(), &first); err != nil {
		t.Errorf("sealed to an older key: %v", err)
	}
}

func TestRowsStatementsAndResolutions(t *testing.T) {
	city := envelopetest.New()
	s, o := city.Sealer(t, licences, key, clock), city.Opener(t)
	batch := s.Batch()
	want := envelope.Rejection{Adapter: licences, Type: "business-licence", Row: [16]byte{1}, Line: 7, Code: "YM-ID-0102",
		Holders: []exchange.Holder{{Kind: exchange.Person, Number: "43028119900101005X"}}, Columns: []string{"a"}, Values: []string{secretly}, At: at}
	row, err := batch.Rejection(want)
	if err != nil {
		t.Fatal(err)
	}
	statement, err := batch.Statement(exchange.Coverage{Adapter: licences, Type: "business-licence", Alive: at})
	if err != nil {
		t.Fatal(err)
	}
	one, two, three := []exchange.Message{row}, []exchange.Message{batch.Resolution([16]byte{1}, at)}, []exchange.Message{statement}
	if err := batch.Sign(one, two, three); err != nil {
		t.Fatal(err)
	}
	got, err := o.Rejection(t.Context(), &one[0])
	want.Signed = envelope.Moment{Time: at}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v %v", got, err)
	}
	if freed, err := o.Resolution(t.Context(), &two[0]); err != nil || freed.Row != [16]byte{1} || freed.Adapter != licences || !freed.Signed.After(got.Signed) || got.Signed.After(freed.Signed) {
		t.Errorf("%v %v", freed, err)
	}
	if by, err := o.Statement(t.Context(), &three[0]); err != nil || by != licences {
		t.Errorf("%v %v", by, err)
	}
	// Another department signs for itself only.
	theirs := city.Sealer(t, "mzj/marriages", key, clock).Batch()
	tombstone, alive := []exchange.Message{theirs.Resolution([16]byte{1}, at)}, []exchange.Message{statement}
	tombstone[0].Topic = "quarantine.scjg"
	if err := theirs.Sign(tombstone, alive); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Resolution(t.Context(), &tombstone[0]); !errors.Is(err, envelope.ErrNotSigned) {
		t.Errorf("another department frees a row: %v", err)
	}
	if _, err := o.Statement(t.Context(), &alive[0]); !errors.Is(err, envelope.ErrNotSigned) {
		t.Errorf("another department's signature: %v", err)
	}
	if _, err := o.Resolution(t.Context(), &exchange.Message{Topic: "quarantine.scjg", Key: make([]byte, 16)}); err == nil {
		t.Error("a bare tombstone frees a row")
	}
	three[0].Value = bytes.Replace(three[0].Value, []byte(`"published":0`), []byte(`"published":9`), 1)
	if _, err := o.Statement(t.Context(), &three[0]); !errors.Is(err, envelope.ErrNotSigned) {
		t.Errorf("a changed statement: %v", err)
	}
}

func TestIdsDependOnTypeAndDepartment(t *testing.T) {
	names := func(s envelope.Suite, k byte) *envelope.Names {
		n, err := envelope.NewNames(s, bytes.Repeat([]byte{k}, 32))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	a, b, c := names(envelope.Standard, 1), names(envelope.Standard, 2), names(envelope.National, 1)
	seen := map[exchange.RecordID]bool{}
	for _, id := range []exchange.RecordID{a.RecordID("x", "1"), a.RecordID("y", "1"), a.RecordID("x", "2"), b.RecordID("x", "1"), c.RecordID("x", "1"),
		exchange.RecordID(a.RowID("x", []string{"1"})), exchange.RecordID(a.RowID("x", []string{"", "1"}))} {
		if seen[id] {
			t.Error("two things have one id")
		}
		seen[id] = true
	}
	if a.RecordID("x", "1") != names(envelope.Standard, 1).RecordID("x", "1") || a.KeyName() == b.KeyName() || a.Digest([]byte("1")) == b.Digest([]byte("1")) {
		t.Error("names are not those of the key")
	}
}

// of is a signer that says that it is of another suite.
type of struct {
	envelope.Signer
	suite envelope.Suite
}

func (o of) Suite() envelope.Suite { return o.suite }

func TestUnfitKeysAreRefused(t *testing.T) {
	city := envelopetest.New()
	good := envelope.SealerConfig{Adapter: licences, DepartmentKey: key, ExchangeKey: city.Public(), Signer: city.Signer(licences)}
	for name, change := range map[string]func(*envelope.SealerConfig){
		"short department key": func(c *envelope.SealerConfig) { c.DepartmentKey = []byte("short") },
		"no mark":              func(c *envelope.SealerConfig) { c.ExchangeKey = make([]byte, 32) },
		"cut":                  func(c *envelope.SealerConfig) { c.ExchangeKey = c.ExchangeKey[:40] },
		"no signer":            func(c *envelope.SealerConfig) { c.Signer = nil },
		"another suite's key":  func(c *envelope.SealerConfig) { c.Signer = of{c.Signer, envelope.National} },
		"no such suite":        func(c *envelope.SealerConfig) { c.Signer = of{c.Signer, 9} },
	} {
		c := good
		change(&c)
		if _, err := envelope.NewSealer(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := envelope.PublicKey(envelope.Standard, []byte("short")); err == nil {
		t.Error("a short secret is taken")
	}
}

func TestOrders(t *testing.T) {
	public, private, _ := ed25519.GenerateKey(nil)
	stranger, _, _ := ed25519.GenerateKey(nil)
	m := exchange.Message{Topic: "identities", Key: []byte("k"), Value: []byte("v")}
	envelope.SignOrder(private, &m)
	if envelope.VerifyOrder(public, &m) != nil || envelope.VerifyOrder(stranger, &m) == nil {
		t.Error("whose order it is")
	}
	for _, change := range []func(*exchange.Message){
		func(m *exchange.Message) { m.Topic = "erasures" }, func(m *exchange.Message) { m.Key = []byte("kv") },
		func(m *exchange.Message) { m.Value = nil }, func(m *exchange.Message) { m.Headers = nil },
		func(m *exchange.Message) { m.Key, m.Value = []byte("kv"), []byte("") },
	} {
		c := m
		change(&c)
		if envelope.VerifyOrder(public, &c) == nil {
			t.Errorf("changed order %+v holds", c)
		}
	}
}

func FuzzOpen(f *testing.F) {
	city := envelopetest.From("fuzz")
	s, o := city.Sealer(f, licences, key, clock), city.Opener(f)
	good := sealed(f, s, 3)[1]
	signature := good.Headers[len(good.Headers)-1].Value
	f.Add(good.Value, signature)
	f.Add([]byte{2, 1}, []byte{1, 1})
	f.Add([]byte{2, 2}, append([]byte{1, 2}, make([]byte, 100)...))
	f.Fuzz(func(t *testing.T, value, header []byte) {
		m := good
		m.Value = value
		m.Headers = append(slices.Clone(good.Headers[:len(good.Headers)-1]), exchange.Header{Name: "batch-signature", Value: header})
		opened, err := o.Record(t.Context(), &m) // the fuzzer's processes each seal a batch of their own, with one content
		if err == nil && !bytes.Equal(opened.Payload, draft(s, 1).Payload) {
			t.Errorf("opened %s by %s", hex.EncodeToString(value), hex.EncodeToString(header))
		}
	})
}

func BenchmarkSealSign(b *testing.B)  { benchmarkSeal(b, true) }
func BenchmarkSealAlone(b *testing.B) { benchmarkSeal(b, false) }
func BenchmarkOpenVerify(b *testing.B) {
	benchmarkOpen(b, func(o *envelope.Opener, m *exchange.Message) {
		if _, err := o.Record(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	})
}
func BenchmarkOpenAlone(b *testing.B) {
	benchmarkOpen(b, func(o *envelope.Opener, m *exchange.Message) { o.Unseal(b, m) })
}

// benchmarkOpen reports nanoseconds for one record; each batch of a thousand is new to the opener.
func benchmarkOpen(b *testing.B, open func(*envelope.Opener, *exchange.Message)) {
	city := envelopetest.New()
	all := sealedOf(b, city.Sealer(b, licences, key, clock), true)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		o := city.Opener(b)
		for i := range all {
			open(o, &all[i])
		}
		n += len(all)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/record")
}

// benchmarkSeal reports nanoseconds for one record of a batch of a thousand, 600 bytes each.
func benchmarkSeal(b *testing.B, sign bool) {
	s := envelopetest.New().Sealer(b, licences, key, clock)
	n := 0
	for b.Loop() {
		n += len(sealedOf(b, s, sign))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/record")
}

func sealedOf(b testing.TB, s *envelope.Sealer, sign bool) []exchange.Message {
	batch := s.Batch()
	all := make([]exchange.Message, 1000)
	d := draft(s, 1)
	d.Payload = bytes.Repeat([]byte("x"), 600)
	for i := range all {
		m, err := batch.Record(d)
		if err != nil {
			b.Fatal(err)
		}
		all[i] = m
	}
	if sign {
		if err := batch.Sign(all); err != nil {
			b.Fatal(err)
		}
	}
	return all
}
