package envelope_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

func copied(m *exchange.Message) exchange.Message {
	c := *m
	c.Key, c.Value = bytes.Clone(m.Key), bytes.Clone(m.Value)
	c.Headers = nil
	for _, h := range m.Headers {
		c.Headers = append(c.Headers, exchange.Header{Name: h.Name, Value: bytes.Clone(h.Value)})
	}
	return c
}

const signatureHeader = "batch-signature"

func signature(m *exchange.Message) []byte {
	for _, h := range m.Headers {
		if h.Name == signatureHeader {
			return h.Value
		}
	}
	return nil
}

// refused fails unless the message is refused, as one of the two errors that folding goes on after.
func (c *city) refused(what string, m *exchange.Message) {
	c.t.Helper()
	if err := c.believe(m); !errors.Is(err, envelope.ErrNotGenuine) && !errors.Is(err, envelope.ErrNotSigned) {
		c.t.Errorf("%s: %v", what, err)
	}
}

// TestNoBitCanBeFlipped flips every bit of topic, key, value, and of every header's name and value, of every kind of message.
func TestNoBitCanBeFlipped(t *testing.T) {
	for name, suite := range suites {
		t.Run(name, func(t *testing.T) {
			c := newCity(t, suite)
			for _, m := range c.kinds(c.sealer) {
				every := 1
				if suite == envelope.National {
					every = 13 // each takes longer there
				}
				flips := 0
				each := func(what string, n int, flip func(m *exchange.Message, i int, bit byte)) {
					for i := range n {
						for bit := range 8 {
							if flips++; flips%every != 0 {
								continue
							}
							changed := copied(&m)
							flip(&changed, i, 1<<bit)
							c.refused(fmt.Sprintf("%s of %s, byte %d bit %d", what, m.Topic, i, bit), &changed)
						}
					}
				}
				each("topic", len(m.Topic), func(m *exchange.Message, i int, bit byte) {
					topic := []byte(m.Topic)
					topic[i] ^= bit
					m.Topic = string(topic)
				})
				each("key", len(m.Key), func(m *exchange.Message, i int, bit byte) { m.Key[i] ^= bit })
				each("value", len(m.Value), func(m *exchange.Message, i int, bit byte) { m.Value[i] ^= bit })
				for h, header := range m.Headers {
					each(header.Name, len(header.Value), func(m *exchange.Message, i int, bit byte) { m.Headers[h].Value[i] ^= bit })
					each("name "+header.Name, len(header.Name), func(m *exchange.Message, i int, bit byte) {
						name := []byte(m.Headers[h].Name)
						name[i] ^= bit
						m.Headers[h].Name = string(name)
					})
				}
				if err := c.believe(&m); err != nil {
					t.Errorf("unchanged: %v", err)
				}
			}
		})
	}
}

// TestNothingCanBeMovedOrRelabelled has the changes of whole parts.
func TestNothingCanBeMovedOrRelabelled(t *testing.T) {
	header := func(name, value string) func(*exchange.Message) {
		return func(m *exchange.Message) {
			for i := range m.Headers {
				if m.Headers[i].Name == name {
					m.Headers[i].Value = []byte(value)
				}
			}
		}
	}
	front := func(name, value string) func(*exchange.Message) {
		return func(m *exchange.Message) {
			m.Headers = slices.Insert(m.Headers, 0, exchange.Header{Name: name, Value: []byte(value)})
		}
	}
	without := func(name string) func(*exchange.Message) {
		return func(m *exchange.Message) {
			m.Headers = slices.DeleteFunc(m.Headers, func(h exchange.Header) bool { return h.Name == name })
		}
	}
	c := newCity(t, envelope.Standard)
	other := draft()
	other.Payload = []byte(`{"name":"another"}`)
	batch := c.sealer.Batch()
	replacement, err := batch.Record(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*exchange.Message){
		"moved to another topic": func(m *exchange.Message) { m.Topic = "evidence.food-licence" },
		"another record":         func(m *exchange.Message) { m.Key[0] ^= 1 },
		"another version":        func(m *exchange.Message) { m.Key[23] ^= 1 },
		"shorter key":            func(m *exchange.Message) { m.Key = m.Key[:23] },
		"another adapter":        header("ce_source", "/gaj/licences"),
		"no adapter":             header("ce_source", "/../etc"),
		"withdrawn":              header("ce_type", "yimen.record.withdrawn"),
		"unknown kind":           header("ce_type", "yimen.record.blessed"),
		"another id":             header("ce_id", "00"),
		"another time":           header("ce_time", "2026-11-24T10:02:11Z"),
		"no time":                header("ce_time", "yesterday"),
		"another digest":         header("ce_contentdigest", hex.EncodeToString(make([]byte, 32))),
		"digest too long":        header("ce_contentdigest", hex.EncodeToString(make([]byte, 4000))),
		"another schema":         header("__value_schema_id", "\x01"+string(make([]byte, 16))),
		"short schema":           header("__value_schema_id", "\x01x"),
		"another content type":   header("content-type", "application/json"),
		"a reason":               front("reason-code", "YM-ID-0102"),
		"a time in front":        front("ce_time", "2026-11-24T10:02:11Z"),
		"the same time in front": front("ce_time", "2026-11-23T10:02:11.000005Z"),
		"without id":             without("ce_id"),
		"without version":        without("ce_specversion"),
		"truncated":              func(m *exchange.Message) { m.Value = m.Value[:50] },
		"empty":                  func(m *exchange.Message) { m.Value = []byte{} },
		"no value":               func(m *exchange.Message) { m.Value = nil },
		"another record's value": func(m *exchange.Message) { m.Value = replacement.Value },
		"headers turned around":  func(m *exchange.Message) { slices.Reverse(m.Headers) },
	} {
		t.Run(name, func(t *testing.T) {
			m := c.kinds(c.sealer)[aRecord]
			change(&m)
			if err := c.believe(&m); !errors.Is(err, envelope.ErrNotGenuine) {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("a header of somebody else's tool", func(t *testing.T) {
		m := c.kinds(c.sealer)[aRecord]
		front("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")(&m)
		if err := c.believe(&m); err != nil {
			t.Error(err)
		}
	})
	t.Run("another exchange", func(t *testing.T) {
		stranger := newCity(t, envelope.Standard)
		stranger.Roll = c.Roll
		m := stranger.kinds(stranger.seals(adapter, envelope.Standard, c.signer))[aRecord]
		if err := c.believe(&m); !errors.Is(err, envelope.ErrNotGenuine) {
			t.Errorf("%v", err)
		}
	})
}

// TestProofsBelongToTheirMessages swaps proofs within a batch and between batches, and lies about place and size.
func TestProofsBelongToTheirMessages(t *testing.T) {
	c := newCity(t, envelope.Standard)
	first, second := c.kinds(c.sealer), c.kinds(c.sealer)
	for i := range first {
		for j := range first {
			m := copied(&first[i])
			if i != j {
				copy(signature(&m), signature(&first[j]))
				c.refused(fmt.Sprintf("%d with the proof of %d", i, j), &m)
			}
			if i == aRecord || i == aWithdrawal || i == aRejection { // the others are the same in both batches
				m = copied(&first[i])
				copy(signature(&m), signature(&second[j]))
				c.refused(fmt.Sprintf("%d with the proof of %d of another batch", i, j), &m)
			}
		}
		// The place is bytes 46 to 50, the size the four before them.
		for _, place := range []int{42, 46} {
			for _, lie := range []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 255} {
				m := copied(&first[i])
				if b := signature(&m); b[place+3] != lie {
					b[place+3] = lie
					c.refused(fmt.Sprintf("%d with place or size %d", i, lie), &m)
				}
			}
		}
		m := copied(&first[i])
		for h := range m.Headers {
			if m.Headers[h].Name == signatureHeader {
				m.Headers[h].Value = append(m.Headers[h].Value, make([]byte, 32)...)
			}
		}
		c.refused("a longer path", &m)
	}
}

// TestTombstoneAndEmptyValueAreTwo: a resolution cannot be made of a rejection, nor the other way round.
func TestTombstoneAndEmptyValueAreTwo(t *testing.T) {
	c := newCity(t, envelope.Standard)
	all := c.kinds(c.sealer)
	m := copied(&all[aResolution])
	m.Value = []byte{}
	c.refused("a resolution with an empty value", &m)
	m = copied(&all[aRejection])
	m.Value = nil
	c.refused("a rejection without a value", &m)
}

// TestWhySignaturesAreRefused has each reason, for every kind of message.
func TestWhySignaturesAreRefused(t *testing.T) {
	day := 24 * time.Hour
	for name, row := range map[string]struct {
		code    string // none: it is believed
		forge   func(*city) *envelope.Sealer
		written time.Duration // after it was signed
		change  func(*exchange.Message)
	}{
		"signed and written at once": {},
		"unsigned":                   {code: "YM-SIG-0101", change: func(m *exchange.Message) { m.Headers = m.Headers[:len(m.Headers)-1] }},
		"empty signature":            {code: "YM-SIG-0102", change: func(m *exchange.Message) { m.Headers[len(m.Headers)-1].Value = nil }},
		"another's key": {code: "YM-SIG-0102", forge: func(c *city) *envelope.Sealer {
			return c.seals(adapter, envelope.Standard, impostor{c.Signer("gaj/x"), c.signer.ID})
		}},
		"certificate not issued": {code: "YM-SIG-0103", forge: func(c *city) *envelope.Sealer {
			return c.seals(adapter, envelope.Standard, impostor{c.signer, [32]byte{1}})
		}},
		"key of another suite": {code: "YM-SIG-0102", forge: func(c *city) *envelope.Sealer {
			return c.seals(adapter, envelope.Standard, c.Enrol(adapter, envelope.National, never, always))
		}},
		"another department's":              {code: "YM-SIG-0104", forge: func(c *city) *envelope.Sealer { return c.seals(adapter, envelope.Standard, c.Signer("gaj/licences")) }},
		"another adapter's":                 {code: "YM-SIG-0104", forge: func(c *city) *envelope.Sealer { return c.seals(adapter, envelope.Standard, c.Signer("scjg/others")) }},
		"from that moment on":               {forge: func(c *city) *envelope.Sealer { return c.between(at.Truncate(time.Microsecond), always) }},
		"not yet valid":                     {code: "YM-SIG-0105", forge: func(c *city) *envelope.Sealer { return c.between(at.Add(time.Microsecond), always) }},
		"until that moment":                 {forge: func(c *city) *envelope.Sealer { return c.between(never, at) }},
		"expired":                           {code: "YM-SIG-0105", forge: func(c *city) *envelope.Sealer { return c.between(never, at.Add(-time.Microsecond)) }},
		"expired since":                     {forge: func(c *city) *envelope.Sealer { return c.between(never, at) }, written: 3 * day},
		"adapter's clock ahead":             {written: -5 * time.Minute},
		"adapter's clock too far ahead":     {code: "YM-SIG-0107", written: -5*time.Minute - time.Millisecond},
		"Kafka away over the holidays":      {written: 14 * day},
		"signed long before it was written": {code: "YM-SIG-0107", written: 14*day + time.Millisecond},
		"revoked afterwards":                {forge: func(c *city) *envelope.Sealer { return c.revoked(at.Add(2 * time.Hour)) }, written: 2*time.Hour - time.Millisecond},
		"revoked at that moment":            {code: "YM-SIG-0106", forge: func(c *city) *envelope.Sealer { return c.revoked(at.Add(2 * time.Hour)) }, written: 2 * time.Hour},
		"revoked before":                    {code: "YM-SIG-0106", forge: func(c *city) *envelope.Sealer { return c.revoked(at.Add(-time.Hour)) }},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCity(t, envelope.Standard)
			sealer := c.sealer
			if row.forge != nil {
				sealer = row.forge(c)
			}
			for i, m := range c.kinds(sealer) {
				m.Time = at.Truncate(time.Microsecond).Add(row.written)
				if row.change != nil {
					row.change(&m)
				}
				err := c.believe(&m)
				var p *exchange.Problem
				switch {
				case row.code == "" && err != nil:
					t.Errorf("message %d: %v", i, err)
				case row.code != "" && (!errors.Is(err, envelope.ErrNotSigned) || !errors.As(err, &p) || p.Code != row.code):
					t.Errorf("message %d: %v, want %s", i, err, row.code)
				}
			}
		})
	}
}

// between seals with a certificate of that validity, and revoked with one that was revoked.
func (c *city) between(from, until time.Time) *envelope.Sealer {
	return c.seals(adapter, envelope.Standard, c.Enrol(adapter, envelope.Standard, from, until))
}

func (c *city) revoked(as time.Time) *envelope.Sealer {
	signer := c.Enrol(adapter, envelope.Standard, never, always.Add(-time.Hour))
	c.Revoke(signer.ID, as)
	return c.seals(adapter, envelope.Standard, signer)
}

// impostor signs with a key and names a certificate that is not the key's.
type impostor struct {
	envelope.Signer
	named envelope.SignerID
}

func (i impostor) Sign(message []byte) ([]byte, envelope.SignerID, error) {
	made, _, err := i.Signer.Sign(message)
	return made, i.named, err
}

// TestRevocationWorksAtOnce: what an opener remembers of a batch does not outlive its certificate.
func TestRevocationWorksAtOnce(t *testing.T) {
	c := newCity(t, envelope.Standard)
	m := c.kinds(c.sealer)[aRecord]
	for range 3 {
		if err := c.believe(&m); err != nil {
			t.Fatal(err)
		}
		c.Revoke(c.signer.ID, written)
		if err := c.believe(&m); !errors.Is(err, envelope.ErrNotSigned) {
			t.Fatalf("revoked: %v", err)
		}
		c.Revoke(c.signer.ID, never)
	}
}

// TestMessagesComeTwice: one that was sent again is the same, whenever it is written.
func TestMessagesComeTwice(t *testing.T) {
	c := newCity(t, envelope.Standard)
	for i, m := range c.kinds(c.sealer) {
		for _, later := range []time.Duration{0, time.Hour, 24 * time.Hour} {
			m.Time = written.Add(later)
			if err := c.believe(&m); err != nil {
				t.Errorf("message %d, %s later: %v", i, later, err)
			}
		}
	}
}

// TestSignedAnew: messages may be signed again, by another certificate, and the old signature is gone.
func TestSignedAnew(t *testing.T) {
	c := newCity(t, envelope.Standard)
	all := c.kinds(c.sealer)
	headers := len(all[aRecord].Headers)
	c.Revoke(c.signer.ID, at)
	c.sign(c.between(never, always.Add(-time.Minute)).Batch(), all[:2], nil, all[2:])
	for i := range all {
		if err := c.believe(&all[i]); err != nil {
			t.Errorf("message %d: %v", i, err)
		}
	}
	if len(all[aRecord].Headers) != headers {
		t.Errorf("%d headers, before %d", len(all[aRecord].Headers), headers)
	}
}

// TestAnyPartOfABatchVerifiesAlone: whatever of a batch is left, in any order, is believed.
func TestAnyPartOfABatchVerifiesAlone(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 26))
	for name, suite := range suites {
		c := newCity(t, suite)
		for _, size := range []int{1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 100} {
			b := c.sealer.Batch()
			records, rows := []exchange.Message{}, []exchange.Message{}
			for i := range size {
				d := draft()
				d.Version = exchange.Version(i)
				m, err := b.Record(d)
				if err != nil {
					t.Fatal(err)
				}
				records = append(records, m)
				if random.IntN(3) == 0 {
					rows = append(rows, b.Resolution([16]byte{byte(i)}, at))
				}
			}
			c.sign(b, records, rows)
			all := slices.Concat(records, rows)
			random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			alone := c.Opener()
			for i := range all[:1+random.IntN(len(all))] {
				if err := believe(t, alone, &all[i]); err != nil {
					t.Fatalf("%s: %d of %d: %v", name, i, len(all), err)
				}
			}
		}
	}
}

// renewed signs with another certificate every time, or from the second time on.
type renewed struct {
	signers []envelope.Signer
	times   *int
}

func (r renewed) Sign(message []byte) ([]byte, envelope.SignerID, error) {
	s := r.signers[min(*r.times, len(r.signers)-1)]
	*r.times++
	return s.Sign(message)
}

// TestCertificateIsRenewedBetweenBatches: the signature names the certificate that it is made with.
func TestCertificateIsRenewedBetweenBatches(t *testing.T) {
	c := newCity(t, envelope.Standard)
	next := c.Enrol(adapter, envelope.Standard, never, always.Add(-time.Minute))
	times := 0
	sealer := c.seals(adapter, envelope.Standard, renewed{[]envelope.Signer{c.signer, c.signer, c.signer, next}, &times})
	for batch, want := range []int{2, 3, 5, 6} { // signatures so far: one more for a certificate that was not the last one
		for i, m := range c.kinds(sealer) {
			if err := c.believe(&m); err != nil {
				t.Errorf("batch %d, message %d: %v", batch, i, err)
			}
		}
		if times != want {
			t.Errorf("batch %d: signed %d times, want %d", batch, times, want)
		}
	}
	always := 0
	restless := c.seals(adapter, envelope.Standard, renewed{[]envelope.Signer{c.Signer("a/a"), c.Signer("a/b"), c.Signer("a/c"), c.Signer("a/d")}, &always})
	if err := restless.Batch().Sign(c.kinds(c.sealer)); err == nil {
		t.Error("signed although the certificate changed every time")
	}
}

// failing is a signer that cannot sign.
type failing struct {
	made []byte
	err  error
}

func (f failing) Sign([]byte) ([]byte, envelope.SignerID, error) {
	return f.made, envelope.SignerID{}, f.err
}

func TestSignersThatFail(t *testing.T) {
	c := newCity(t, envelope.Standard)
	all := c.kinds(c.sealer)
	closed := errors.New("the key is locked away")
	if err := c.seals(adapter, envelope.Standard, failing{err: closed}).Batch().Sign(all); !errors.Is(err, closed) {
		t.Errorf("got %v", err)
	}
	for _, n := range []int{0, 256} {
		if err := c.seals(adapter, envelope.Standard, failing{made: make([]byte, n)}).Batch().Sign(all); err == nil {
			t.Errorf("a signature of %d bytes is taken", n)
		}
	}
	if err := c.seals(adapter, envelope.Standard, failing{err: closed}).Batch().Sign(nil, []exchange.Message{}); err != nil {
		t.Errorf("nothing to sign: %v", err)
	}
}

// behind is a directory, or a ring of secrets, that cannot say anything yet.
type behind struct{ err error }

func (b behind) Signatory(context.Context, envelope.SignerID) (envelope.Signatory, bool, error) {
	return envelope.Signatory{}, false, b.err
}

// TestWhatCannotBeSaidYetIsNoRefusal: such an error must not pass for one that says that the message is bad.
func TestWhatCannotBeSaidYetIsNoRefusal(t *testing.T) {
	c := newCity(t, envelope.Standard)
	notYet := errors.New("not read so far")
	unread, err := envelope.NewOpener(envelope.OpenerConfig{Secrets: c.Secrets, Directory: behind{notYet}})
	if err != nil {
		t.Fatal(err)
	}
	closed, err := envelope.NewOpener(envelope.OpenerConfig{Secrets: func(context.Context) ([][]byte, error) { return nil, notYet }, Directory: c.Roll})
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range c.kinds(c.sealer) {
		openers := map[string]*envelope.Opener{"directory": unread}
		if i == aRecord || i == aWithdrawal || i == aRejection {
			openers["secrets"] = closed
		}
		for name, o := range openers {
			if err := believe(t, o, &m); !errors.Is(err, notYet) || errors.Is(err, envelope.ErrNotGenuine) || errors.Is(err, envelope.ErrNotSigned) {
				t.Errorf("message %d, %s: %v", i, name, err)
			}
		}
	}
}
