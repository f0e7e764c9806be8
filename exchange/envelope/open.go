package envelope

import (
	"context"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// OpenerConfig is what the exchange opens messages by. Secrets and Directory are required.
type OpenerConfig struct {
	// Secrets gives every version of the exchange's sealing secret. It is asked when something was sealed to a key not seen yet.
	Secrets   func(context.Context) ([][]byte, error)
	Directory Directory
	// Pending is how long a signed message may wait until it is written; 0: 14 days, below 0: for ever, and the clocks of adapters and
	// Kafka are not compared.
	Pending time.Duration
}

// Opener is the exchange's side: it verifies and opens. It is safe for concurrent use.
type Opener struct {
	verifier
	ring ring

	mu   sync.Mutex
	keys map[[sha256.Size]byte]cipher.AEAD // of the batches seen last, by the hash of what stands in front of the nonce
}

// keptKeys bounds the batch keys an Opener remembers. Batches arrive interleaved over partitions, so a few
// hundred are in play at a time; unwrapping again is correct, only slower.
const keptKeys = 2048

// NewOpener makes the exchange's opener.
func NewOpener(c OpenerConfig) (*Opener, error) {
	if c.Secrets == nil || c.Directory == nil {
		return nil, errors.New("opener needs the exchange's secrets and a directory of signers")
	}
	if c.Pending == 0 {
		c.Pending = maxPending
	}
	return &Opener{verifier: verifier{directory: c.Directory, pending: c.Pending, good: map[proven]struct{}{}},
		ring: ring{secrets: c.Secrets, keys: map[keyName]openingKey{}}, keys: map[[sha256.Size]byte]cipher.AEAD{}}, nil
}

// Forget drops all keys from memory, for the moment when the authority closes. They are asked for again when needed.
func (o *Opener) Forget() {
	o.ring.forget()
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.keys)
}

// Opened is a record version as it was sealed.
type Opened struct {
	Adapter exchange.Adapter
	Signed  Moment
	Draft
}

// Record verifies and opens a message of an evidence topic. It errs with ErrNotSigned, ErrNotGenuine or ErrUndecided, or says which part has
// no meaning.
func (o *Opener) Record(ctx context.Context, m *exchange.Message) (Opened, error) {
	evidence, ok := strings.CutPrefix(m.Topic, topicEvidence)
	kind := m.Header(headerType)
	if !ok || len(m.Key) != recordKey || kind != kindStated && kind != kindWithdrawn || m.Header(headerID) != hex.EncodeToString(m.Key) {
		return Opened{}, fmt.Errorf("open record: topic, key, id or kind is not a record's")
	}
	adapter, signed, err := o.verify(ctx, m)
	if err != nil {
		return Opened{Adapter: adapter}, fmt.Errorf("open record: %w", err)
	}
	at, err := timeOf(m)
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
	payload, err := o.unseal(ctx, m)
	if err != nil {
		return Opened{}, fmt.Errorf("open record: %w", err)
	}
	if kind == kindWithdrawn && len(payload) > 0 {
		return Opened{}, fmt.Errorf("open record: a withdrawal with content")
	}
	return Opened{Adapter: adapter, Signed: signed, Draft: Draft{
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

// Rejection verifies and opens a row of a quarantine topic.
func (o *Opener) Rejection(ctx context.Context, m *exchange.Message) (Rejection, error) {
	if len(m.Key) != rowKey || m.Header(headerType) != kindRejected {
		return Rejection{}, fmt.Errorf("open rejection: key or kind is not a rejection's")
	}
	adapter, signed, err := o.ofDepartment(ctx, m, topicQuarantine)
	if err != nil {
		return Rejection{}, fmt.Errorf("open rejection: %w", err)
	}
	at, err := timeOf(m)
	if err != nil {
		return Rejection{}, fmt.Errorf("open rejection: %w", err)
	}
	plain, err := o.unseal(ctx, m)
	if err != nil {
		return Rejection{}, fmt.Errorf("open rejection: %w", err)
	}
	var s sealedRejection
	if err := json.Unmarshal(plain, &s); err != nil {
		return Rejection{}, fmt.Errorf("open rejection: content is not a rejection's")
	}
	r := Rejection{Adapter: adapter, Type: s.Type, Row: [16]byte(m.Key), Line: s.Line, Code: m.Header(headerReason),
		Columns: s.Columns, Values: s.Values, At: at, Signed: signed}
	for _, h := range s.Holders {
		r.Holders = append(r.Holders, exchange.Holder(h))
	}
	return r, nil
}

// Resolved is a tombstone as it was signed.
type Resolved struct {
	Adapter exchange.Adapter
	Row     [16]byte
	Signed  Moment
}

// Resolution verifies a tombstone of a quarantine topic: only an adapter of the department frees its rows.
func (o *Opener) Resolution(ctx context.Context, m *exchange.Message) (Resolved, error) {
	if len(m.Key) != rowKey || m.Value != nil || m.Header(headerType) != kindResolved {
		return Resolved{}, fmt.Errorf("open resolution: key, value or kind is not a resolution's")
	}
	adapter, signed, err := o.ofDepartment(ctx, m, topicQuarantine)
	if err != nil {
		return Resolved{}, fmt.Errorf("open resolution: %w", err)
	}
	return Resolved{Adapter: adapter, Row: [16]byte(m.Key), Signed: signed}, nil
}

// Statement verifies a coverage statement and says which adapter makes it. The statement itself is the message's value, in
// plain.
func (o *Opener) Statement(ctx context.Context, m *exchange.Message) (exchange.Adapter, error) {
	if m.Header(headerType) != kindCovered {
		return "", fmt.Errorf("open statement: kind is not a statement's")
	}
	adapter, _, err := o.ofDepartment(ctx, m, topicCoverage)
	if err != nil {
		return "", fmt.Errorf("open statement: %w", err)
	}
	return adapter, nil
}

// ofDepartment verifies a message of a topic that belongs to one department: the signer must be of it.
func (o *Opener) ofDepartment(ctx context.Context, m *exchange.Message, family string) (exchange.Adapter, Moment, error) {
	department, ok := strings.CutPrefix(m.Topic, family)
	if !ok {
		return "", Moment{}, fmt.Errorf("topic is not of the kind")
	}
	adapter, signed, err := o.verify(ctx, m)
	if err == nil && string(adapter.Department()) != department {
		err = anotherDepartment
	}
	return adapter, signed, err
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

func timeOf(m *exchange.Message) (time.Time, error) {
	at, err := time.Parse(timeLayout, m.Header(headerTime))
	if err != nil {
		return time.Time{}, fmt.Errorf("time is not of RFC 3339")
	}
	return at, nil
}

// unseal decrypts a value.
func (o *Opener) unseal(ctx context.Context, m *exchange.Message) ([]byte, error) {
	if len(m.Value) < nameSize || m.Value[0] != format {
		return nil, ErrNotGenuine
	}
	a := suites[Suite(m.Value[1])]
	if a == nil {
		return nil, ErrNotGenuine
	}
	head := nameSize + a.wrapSize()
	if len(m.Value) < head+nonceSize+tagSize {
		return nil, ErrNotGenuine
	}
	aead, err := o.batchKey(ctx, a, m.Value[:head])
	if err != nil {
		return nil, err
	}
	work := scratches.Get().(*scratch)
	defer scratches.Put(work)
	work.bytes = appendBound(work.bytes[:0], m)
	plain, err := aead.Open(nil, m.Value[head:head+nonceSize], m.Value[head+nonceSize:], work.bytes)
	if err != nil {
		return nil, ErrNotGenuine
	}
	return plain, nil
}

func (o *Opener) batchKey(ctx context.Context, a algorithms, head []byte) (cipher.AEAD, error) {
	name := sha256.Sum256(head)
	o.mu.Lock()
	known, ok := o.keys[name]
	o.mu.Unlock()
	if ok {
		return known, nil
	}
	opening, err := o.ring.find(ctx, keyName{Suite(head[1]), [keyIDSize]byte(head[2:nameSize])})
	if err != nil {
		return nil, err
	}
	key, err := opening.unwrap(head[nameSize:])
	if err != nil || len(key) != a.keySize() {
		return nil, ErrNotGenuine
	}
	aead, err := a.newAEAD(key)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.keys) >= keptKeys {
		clear(o.keys)
	}
	o.keys[name] = aead
	return aead, nil
}
