package envelope

import (
	"crypto/cipher"
	"crypto/hpke"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// Opener is the exchange's side. It is safe for concurrent use.
type Opener struct {
	private hpke.PrivateKey

	mu   sync.Mutex
	keys map[[wrapSize]byte]cipher.AEAD // of the batches seen last
}

// keptKeys bounds the batch keys an Opener remembers. Batches arrive interleaved over partitions, so a few
// hundred are in play at a time; unwrapping again is correct, only slower.
const keptKeys = 2048

// NewOpener makes the opener for the exchange's private key.
func NewOpener(exchangePrivateKey []byte) (*Opener, error) {
	private, err := kem().NewPrivateKey(exchangePrivateKey)
	if err != nil {
		return nil, fmt.Errorf("read exchange's private key: %w", err)
	}
	return &Opener{private: private, keys: make(map[[wrapSize]byte]cipher.AEAD)}, nil
}

// Opened is a record version as it was sealed.
type Opened struct {
	Adapter exchange.Adapter
	Draft
}

// Record opens a message of an evidence topic. It errs with ErrNotGenuine, or says which part has no meaning.
func (o *Opener) Record(m *exchange.Message) (Opened, error) {
	evidence, ok := strings.CutPrefix(m.Topic, topicEvidence)
	if !ok || len(m.Key) != recordKey {
		return Opened{}, fmt.Errorf("open record: topic or key is not a record's")
	}
	kind := m.Header(headerType)
	if kind != kindStated && kind != kindWithdrawn {
		return Opened{}, fmt.Errorf("open record: event of kind %q", kind)
	}
	adapter, at, err := origin(m)
	if err != nil {
		return Opened{}, fmt.Errorf("open record: %w", err)
	}
	digest, err := digestOf(m)
	if err != nil {
		return Opened{}, fmt.Errorf("open record: %w", err)
	}
	schema := m.Header(headerSchema)
	if len(schema) != 17 || schema[0] != 0x01 {
		return Opened{}, fmt.Errorf("open record: schema id is not one")
	}
	payload, err := o.open(m)
	if err != nil {
		return Opened{}, fmt.Errorf("open record: %w", err)
	}
	return Opened{Adapter: adapter, Draft: Draft{
		Type:      exchange.EvidenceType(evidence),
		ID:        exchange.RecordID(m.Key[:16]),
		Version:   exchange.Version(binary.BigEndian.Uint64(m.Key[16:])),
		Schema:    formatGUID([]byte(schema[1:])),
		Withdrawn: kind == kindWithdrawn,
		Payload:   payload,
		Digest:    digest,
		At:        at,
	}}, nil
}

// Rejection opens a message of a quarantine topic that is not a tombstone.
func (o *Opener) Rejection(m *exchange.Message) (Rejection, error) {
	if !strings.HasPrefix(m.Topic, topicQuarantine) || len(m.Key) != 16 || m.Header(headerType) != kindRejected {
		return Rejection{}, fmt.Errorf("open rejection: topic, key or kind is not a rejection's")
	}
	adapter, at, err := origin(m)
	if err != nil {
		return Rejection{}, fmt.Errorf("open rejection: %w", err)
	}
	plain, err := o.open(m)
	if err != nil {
		return Rejection{}, fmt.Errorf("open rejection: %w", err)
	}
	var s sealedRejection
	if err := json.Unmarshal(plain, &s); err != nil {
		return Rejection{}, fmt.Errorf("open rejection: content is not a rejection's")
	}
	r := Rejection{Adapter: adapter, Type: s.Type, Row: [16]byte(m.Key), Line: s.Line, Code: m.Header(headerReason),
		Columns: s.Columns, Values: s.Values, At: at}
	for _, h := range s.Holders {
		r.Holders = append(r.Holders, exchange.Holder(h))
	}
	return r, nil
}

// Published tells of a record's message, without opening it, who sent it and with which content: what an adapter
// needs to rebuild a lost state from its own topic.
func Published(m *exchange.Message) (adapter exchange.Adapter, digest exchange.Digest, withdrawn bool, err error) {
	if adapter, err = Author(m); err != nil {
		return "", digest, false, err
	}
	digest, err = digestOf(m)
	return adapter, digest, m.Header(headerType) == kindWithdrawn, err
}

// Author is the adapter that a message names as its sender.
func Author(m *exchange.Message) (exchange.Adapter, error) {
	adapter := strings.TrimPrefix(m.Header(headerSource), "/")
	if !exchange.ValidAdapter(adapter) {
		return "", fmt.Errorf("source is not an adapter's name")
	}
	return exchange.Adapter(adapter), nil
}

func digestOf(m *exchange.Message) (digest exchange.Digest, err error) {
	text := m.Header(headerDigest)
	if len(text) != 2*len(digest) {
		return digest, fmt.Errorf("digest is not one")
	}
	if _, err := hex.Decode(digest[:], []byte(text)); err != nil {
		return digest, fmt.Errorf("digest is not one")
	}
	return digest, nil
}

func origin(m *exchange.Message) (exchange.Adapter, time.Time, error) {
	adapter, err := Author(m)
	if err != nil {
		return "", time.Time{}, err
	}
	at, err := time.Parse(timeLayout, m.Header(headerTime))
	if err != nil {
		return "", time.Time{}, fmt.Errorf("time is not of RFC 3339")
	}
	return adapter, at, nil
}

func (o *Opener) open(m *exchange.Message) ([]byte, error) {
	if len(m.Value) < headSize+tagSize || m.Value[0] != format {
		return nil, ErrNotGenuine
	}
	aead, err := o.batchKey([wrapSize]byte(m.Value[1 : 1+wrapSize]))
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, m.Value[headSize-nonceSize:headSize], m.Value[headSize:], bound(m))
	if err != nil {
		return nil, ErrNotGenuine
	}
	return plain, nil
}

func (o *Opener) batchKey(wrapped [wrapSize]byte) (cipher.AEAD, error) {
	o.mu.Lock()
	known, ok := o.keys[wrapped]
	o.mu.Unlock()
	if ok {
		return known, nil
	}
	key, err := hpke.Open(o.private, kdf(), aead(), []byte(wrapPurp), wrapped[:])
	if err != nil {
		return nil, ErrNotGenuine
	}
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.keys) >= keptKeys {
		clear(o.keys)
	}
	o.keys[wrapped] = gcm
	return gcm, nil
}
