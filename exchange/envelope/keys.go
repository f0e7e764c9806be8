package envelope

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/onedoor/yimen/exchange"
)

// keyName names a sealing key within what was sealed to it: its suite and the first bytes of the hash of its public half.
type keyName struct {
	suite Suite
	id    [keyIDSize]byte
}

const keyIDSize = 8

func nameOf(s Suite, raw []byte) keyName {
	sum := suites[s].sum(raw)
	return keyName{s, [keyIDSize]byte(sum[:])}
}

// PublicKey is what adapters seal to: the public half of the suite's key that follows from one version of the exchange's
// sealing secret, of at least 32 bytes.
func PublicKey(s Suite, secret []byte) ([]byte, error) {
	a, known := suites[s]
	if !known {
		return nil, unknownSuite(s)
	}
	key, err := derive(a, secret)
	if err != nil {
		return nil, err
	}
	return append([]byte(a.mark()), key.public()...), nil
}

func derive(a algorithms, secret []byte) (openingKey, error) {
	if len(secret) < secretSize {
		return nil, fmt.Errorf("sealing secret of %d bytes, want at least %d", len(secret), secretSize)
	}
	return a.openingKey(secret)
}

// secretSize is the least length of a secret that keys are derived from.
const secretSize = 32

func unknownSuite(s Suite) error { return fmt.Errorf("there is no suite of algorithms %d", s) }

// recipient is the exchange as a batch is sealed to it.
type recipient struct {
	name keyName
	key  sealingKey
}

func readPublicKey(key []byte) (*recipient, error) {
	for s, a := range suites {
		raw, marked := bytes.CutPrefix(key, []byte(a.mark()))
		if !marked {
			continue
		}
		if to, err := a.sealingKey(raw); err == nil {
			return &recipient{nameOf(s, raw), to}, nil
		}
	}
	return nil, &exchange.Problem{Code: "YM-KEY-0111", Kind: exchange.Invalid,
		What: exchange.Text{ZH: "这不是交换平台的公钥", EN: "this is not an exchange's public key"},
		Mend: exchange.Text{ZH: "重新入网（yimen enroll）：公钥由平台随证书给出", EN: "enrol again (yimen enroll): the exchange gives its key along with the certificate"}}
}

// ring finds the private key that something was sealed to, among all versions of the exchange's secret.
type ring struct {
	secrets func(context.Context) ([][]byte, error)

	mu   sync.Mutex
	held [][]byte // the secrets that keys were derived from
	keys map[keyName]openingKey
}

// find gives the key of that name. A name not known may be of a version drawn since the secrets were read last: they are read
// again. ErrNotGenuine: the exchange has no such key; another error: that cannot be said yet.
func (r *ring) find(ctx context.Context, name keyName) (openingKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if key, ok := r.keys[name]; ok {
		return key, nil
	}
	secrets, err := r.secrets(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the exchange's sealing secrets: %w: %w", ErrUndecided, err)
	}
	for _, secret := range secrets {
		if err := r.hold(secret); err != nil { // the secret's fault, not the message's
			return nil, fmt.Errorf("%w: %w", ErrUndecided, err)
		}
	}
	if key, ok := r.keys[name]; ok {
		return key, nil
	}
	return nil, ErrNotGenuine
}

// hold derives a secret's keys, once. mu is held.
func (r *ring) hold(secret []byte) error {
	if slices.ContainsFunc(r.held, func(h []byte) bool { return bytes.Equal(h, secret) }) {
		return nil
	}
	for s, a := range suites {
		key, err := derive(a, secret)
		if err != nil {
			return err
		}
		r.keys[nameOf(s, key.public())] = key
	}
	r.held = append(r.held, bytes.Clone(secret))
	return nil
}

func (r *ring) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = nil
	clear(r.keys)
}
