package envelope_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/envelope/envelopetest"
)

// TestWhyASignatureIsRefused: whoever looks at what was refused learns which of the reasons it is, in both languages.
func TestWhyASignatureIsRefused(t *testing.T) {
	for name, row := range map[string]struct {
		code    string
		change  func(*envelope.Signatory)
		message func(*exchange.Message)
	}{
		"unsigned":            {"YM-SIG-0101", nil, func(m *exchange.Message) { m.Headers = m.Headers[:len(m.Headers)-1] }},
		"half a signature":    {"YM-SIG-0102", nil, func(m *exchange.Message) { h := &m.Headers[len(m.Headers)-1]; h.Value = h.Value[:40] }},
		"another key":         {"YM-SIG-0102", func(s *envelope.Signatory) { s.Public = make([]byte, 32) }, nil},
		"another suite":       {"YM-SIG-0109", func(s *envelope.Signatory) { s.Suite = envelope.National }, nil},
		"unknown certificate": {"YM-SIG-0103", nil, func(m *exchange.Message) { m.Headers[len(m.Headers)-1].Value[2] ^= 1 }},
		"another's":           {"YM-SIG-0104", func(s *envelope.Signatory) { s.Adapter = "scjg/archive" }, nil},
		"expired":             {"YM-SIG-0105", func(s *envelope.Signatory) { s.Until = at.Add(-time.Second) }, nil},
		"revoked":             {"YM-SIG-0106", func(s *envelope.Signatory) { s.Revoked = at.Add(-time.Second) }, nil},
		"waited too long":     {"YM-SIG-0107", nil, func(m *exchange.Message) { m.Time = at.Add(15 * 24 * time.Hour) }},
		"clock ahead":         {"YM-SIG-0107", nil, func(m *exchange.Message) { m.Time = at.Add(-6 * time.Minute) }},
	} {
		city := envelopetest.New()
		m := sealed(t, city.Sealer(t, licences, key, clock), 1)[0]
		m.Time = at
		if row.change != nil {
			city.Change(licences, row.change)
		}
		if row.message != nil {
			row.message(&m)
		}
		o, err := envelope.NewOpener(envelope.OpenerConfig{Secrets: city.Secrets, Directory: city})
		if err != nil {
			t.Fatal(err)
		}
		_, err = o.Record(t.Context(), &m)
		var p *exchange.Problem
		if !errors.Is(err, envelope.ErrNotSigned) || !errors.As(err, &p) || p.Code != row.code || p.What.ZH == "" || p.Mend.EN == "" {
			t.Errorf("%s: %v, want %s", name, err, row.code)
		}
	}
}

// TestDamagedSecretIsNoRefusal: what is wrong with the exchange's own secret says nothing of the message.
func TestDamagedSecretIsNoRefusal(t *testing.T) {
	city := envelopetest.New()
	m := sealed(t, city.Sealer(t, licences, key, clock), 1)[0]
	m.Time = at
	damaged := func(context.Context) ([][]byte, error) { return [][]byte{make([]byte, 16)}, nil }
	o, err := envelope.NewOpener(envelope.OpenerConfig{Directory: city, Secrets: damaged})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Record(t.Context(), &m); !errors.Is(err, envelope.ErrUndecided) || errors.Is(err, envelope.ErrNotGenuine) {
		t.Errorf("%v", err)
	}
}
