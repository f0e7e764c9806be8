package envelope

import (
	"context"
	"crypto/cipher"
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

// OpenerConfig says with what to open, and who vouches for signatures. Both are required.
type OpenerConfig struct {
	// Secrets are all versions of the exchange's sealing secret, of which PublicKey makes what adapters seal to. It is
	// asked again when something was sealed to a key that is not known; an error means that this cannot be said yet.
	Secrets   func(context.Context) ([][]byte, error)
	Directory Directory
}

// Opener is the exchange's side: it opens only what an adapter signed and sealed. It is safe for concurrent use.
//
// Its methods err with ErrNotGenuine or ErrNotSigned for a message that will never be taken. Any other error means that it
// cannot be said yet: give the same message again later.
type Opener struct {
	ring     ring
	verifier verifier

	mu   sync.Mutex
	keys map[string]cipher.AEAD // of the batches seen last, by the head of their values
}

// keptKeys bounds the batch keys an Opener remembers. Batches arrive interleaved over partitions, so a few
// hundred are in play at a time; unwrapping again is correct, only slower.
const keptKeys = 2048

// NewOpener makes the exchange's opener.
func NewOpener(c OpenerConfig) (*Opener, error) {
	if c.Secrets == nil || c.Directory == nil {
		return nil, errors.New("set up opener: no secrets or no directory")
	}
	return &Opener{
		ring:     ring{secrets: c.Secrets, keys: map[keyName]openingKey{}},
		verifier: verifier{directory: c.Directory, roots: map[verified]struct{}{}},
		keys:     map[string]cipher.AEAD{},
	}, nil
}

// Forget drops all keys from memory; they are asked for again. It is for the moment when the authority closes.
func (o *Opener) Forget() {
	o.ring.forget()
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.keys)
}

// Opened is a record version as it was sealed.
type Opened struct {
	Adapter exchange.Adapter
	Draft
}

// Record opens a message of an evidence topic.
func (o *Opener) Record(ctx context.Context, m *exchange.Message) (Opened, error) {
	opened, err := readRecord(m)
	if err == nil {
		opened.Payload, _, err = o.open(ctx, m, opened.Adapter)
	}
	if err != nil {
		return Opened{}, fmt.Errorf("open record: %w", err)
	}
	return opened, nil
}

// readRecord reads what a record says in the clear.
func readRecord(m *exchange.Message) (o Opened, err error) {
	evidence, ok := strings.CutPrefix(m.Topic, topicEvidence)
	if !ok || len(m.Key) != recordKey {
		return o, meaningless("topic or key is not a record's")
	}
	kind := m.Header(headerType)
	if kind != kindStated && kind != kindWithdrawn {
		return o, meaningless("event of another kind")
	}
	if o.Adapter, o.At, err = origin(m); err != nil {
		return o, err
	}
	if o.Digest, err = digestOf(m); err != nil {
		return o, err
	}
	schema := m.Header(headerSchema)
	if len(schema) != 17 || schema[0] != 0x01 {
		return o, meaningless("schema id is not one")
	}
	o.Type, o.ID, o.Version = exchange.EvidenceType(evidence), exchange.RecordID(m.Key[:16]), exchange.Version(binary.BigEndian.Uint64(m.Key[16:]))
	o.Schema, o.Withdrawn = formatGUID([]byte(schema[1:])), kind == kindWithdrawn
	return o, nil
}

// Rejection opens a message of a quarantine topic that is not a tombstone.
func (o *Opener) Rejection(ctx context.Context, m *exchange.Message) (Rejection, error) {
	r, err := o.rejection(ctx, m)
	if err != nil {
		return Rejection{}, fmt.Errorf("open rejection: %w", err)
	}
	return r, nil
}

func (o *Opener) rejection(ctx context.Context, m *exchange.Message) (r Rejection, err error) {
	if !strings.HasPrefix(m.Topic, topicQuarantine) || len(m.Key) != rowKey || m.Header(headerType) != kindRejected {
		return r, meaningless("topic, key or kind is not a rejection's")
	}
	if r.Adapter, r.At, err = origin(m); err != nil {
		return r, err
	}
	plain, signed, err := o.open(ctx, m, r.Adapter)
	if err != nil {
		return r, err
	}
	var s sealedRejection
	if err := json.Unmarshal(plain, &s); err != nil {
		return r, meaningless("content is not a rejection's")
	}
	r.Type, r.Row, r.Line, r.Code, r.Columns, r.Values, r.Signed = s.Type, [16]byte(m.Key), s.Line, m.Header(headerReason), s.Columns, s.Values, signed
	for _, h := range s.Holders {
		r.Holders = append(r.Holders, exchange.Holder(h))
	}
	return r, nil
}

// Resolved is a tombstone as it was signed.
type Resolved struct {
	Adapter exchange.Adapter
	Row     [16]byte
	At      time.Time
	Signed  Moment
}

// Resolution reads a tombstone of a quarantine topic.
func (o *Opener) Resolution(ctx context.Context, m *exchange.Message) (r Resolved, err error) {
	if !strings.HasPrefix(m.Topic, topicQuarantine) || len(m.Key) != rowKey || m.Value != nil {
		return r, fmt.Errorf("read resolution: %w", meaningless("topic, key or value is not a resolution's"))
	}
	adapter, at, signed, err := o.signed(ctx, m, kindResolved)
	if err != nil {
		return r, fmt.Errorf("read resolution: %w", err)
	}
	return Resolved{Adapter: adapter, Row: [16]byte(m.Key), At: at, Signed: signed}, nil
}

// Statement reads a message of a coverage topic. What the statement says is not judged here, only that it is an adapter's who
// speaks of itself: a value that is no statement's JSON errs with ErrNotGenuine.
func (o *Opener) Statement(ctx context.Context, m *exchange.Message) (exchange.Coverage, error) {
	var c exchange.Coverage
	if !strings.HasPrefix(m.Topic, topicCoverage) {
		return c, fmt.Errorf("read statement: %w", meaningless("topic is not one of coverage"))
	}
	adapter, _, _, err := o.signed(ctx, m, kindCovered)
	if err != nil {
		return c, fmt.Errorf("read statement: %w", err)
	}
	if json.Unmarshal(m.Value, &c) != nil || c.Adapter != adapter || string(m.Key) != string(adapter) {
		return exchange.Coverage{}, fmt.Errorf("read statement: %w", meaningless("it is not the signer's statement"))
	}
	return c, nil
}

// signed verifies a message that is not sealed. One without a signature is refused for that, whatever else it lacks.
func (o *Opener) signed(ctx context.Context, m *exchange.Message, kind string) (exchange.Adapter, time.Time, Moment, error) {
	s, err := signatureOf(m)
	if err != nil {
		return "", time.Time{}, Moment{}, err
	}
	if m.Header(headerType) != kind {
		return "", time.Time{}, Moment{}, meaningless("event of another kind")
	}
	adapter, at, err := origin(m)
	if err != nil {
		return "", time.Time{}, Moment{}, err
	}
	return adapter, at, s.moment(), o.verifier.verify(ctx, m, s, adapter)
}

// Published tells of a record's message, without opening it, who sent it and with which content: what an adapter
// needs to rebuild a lost state from its own topic. It verifies nothing.
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
		return "", meaningless("source is not an adapter's name")
	}
	return exchange.Adapter(adapter), nil
}

func digestOf(m *exchange.Message) (digest exchange.Digest, err error) {
	text := m.Header(headerDigest)
	if len(text) != 2*len(digest) {
		return digest, meaningless("digest is not one")
	}
	if _, err := hex.Decode(digest[:], []byte(text)); err != nil {
		return digest, meaningless("digest is not one")
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
		return "", time.Time{}, meaningless("time is not of RFC 3339")
	}
	return adapter, at, nil
}

// meaningless is the error for a part that no sealer writes.
func meaningless(which string) error { return fmt.Errorf("%w: %s", ErrNotGenuine, which) }

// open decrypts a message's value and verifies the signature. Decrypting comes first, so that a message that was damaged or
// moved is told from one that somebody else signed; nothing is read of the content before both have held.
func (o *Opener) open(ctx context.Context, m *exchange.Message, adapter exchange.Adapter) ([]byte, Moment, error) {
	s, err := signatureOf(m)
	if err != nil {
		return nil, Moment{}, err
	}
	plain, err := o.decrypt(ctx, m)
	if err != nil {
		return nil, Moment{}, err
	}
	if err := o.verifier.verify(ctx, m, s, adapter); err != nil {
		return nil, Moment{}, err
	}
	return plain, s.moment(), nil
}

func (o *Opener) decrypt(ctx context.Context, m *exchange.Message) ([]byte, error) {
	if len(m.Value) < nameSize || m.Value[0] != format {
		return nil, ErrNotGenuine
	}
	name := keyName{Suite(m.Value[1]), [keyIDSize]byte(m.Value[2:nameSize])}
	a, known := suites[name.suite]
	if !known {
		return nil, ErrNotGenuine
	}
	head := nameSize + a.wrapSize()
	if len(m.Value) < head+nonceSize+tagSize {
		return nil, ErrNotGenuine
	}
	aead, err := o.batchKey(ctx, a, name, m.Value[:head])
	if err != nil {
		return nil, err
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	*buffer = appendBound((*buffer)[:0], m)
	plain, err := aead.Open(nil, m.Value[head:head+nonceSize], m.Value[head+nonceSize:], *buffer)
	if err != nil {
		return nil, ErrNotGenuine
	}
	return plain, nil
}

// batchKey is the data key that the head of a value wraps.
func (o *Opener) batchKey(ctx context.Context, a algorithms, name keyName, head []byte) (cipher.AEAD, error) {
	o.mu.Lock()
	known, ok := o.keys[string(head)]
	o.mu.Unlock()
	if ok {
		return known, nil
	}
	private, err := o.ring.find(ctx, name)
	if err != nil {
		return nil, err
	}
	key, err := private.unwrap(head[nameSize:])
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
	o.keys[string(head)] = aead
	return aead, nil
}
