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

// OpenerConfig says what an Opener opens with, and whom it believes.
type OpenerConfig struct {
	// Secrets gives every version of the exchange's sealing secret. It is asked whenever a message names a key that does not
	// follow from those given before: a version must be among them before any adapter is told its public key, or what is
	// sealed to it is refused. An error means that it cannot be said yet.
	Secrets func(context.Context) ([][]byte, error)
	// Directory is asked for every message, so that a revocation works at once.
	Directory Directory
}

// Opener is the exchange's side. It is safe for concurrent use.
//
// Its methods err with ErrNotGenuine or ErrNotSigned for a message that is not to be believed, now or later. Any other error
// comes from Secrets or Directory and says nothing of the message: ask again.
type Opener struct {
	directory Directory
	ring      ring
	seen      seen
	buffers   sync.Pool // of *[]byte

	mu   sync.RWMutex
	keys map[string]cipher.AEAD // of the batches seen last, by the head of their values
}

// keptKeys bounds the batch keys an Opener remembers, as keptBatches does the signatures.
const keptKeys = 2048

// NewOpener makes an exchange's opener.
func NewOpener(c OpenerConfig) (*Opener, error) {
	if c.Secrets == nil || c.Directory == nil {
		return nil, errors.New("open: sealing secrets or directory are missing")
	}
	return &Opener{
		directory: c.Directory,
		ring:      ring{secrets: c.Secrets, keys: map[keyName]openingKey{}},
		seen:      seen{batches: map[batchName]checked{}},
		buffers:   sync.Pool{New: func() any { return new([]byte) }},
		keys:      map[string]cipher.AEAD{},
	}, nil
}

// Forget gives up every key in memory. What is opened next asks for the secrets anew.
func (o *Opener) Forget() {
	o.ring.forget()
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.keys)
}

// Opened is a record version as it was sealed.
type Opened struct {
	Adapter exchange.Adapter // who signed it
	Signed  time.Time
	Draft
}

// Record opens a message of an evidence topic.
func (o *Opener) Record(ctx context.Context, m *exchange.Message) (Opened, error) {
	opened, err := o.record(ctx, m)
	if err != nil {
		return Opened{}, fmt.Errorf("open record: %w", err)
	}
	return opened, nil
}

func (o *Opener) record(ctx context.Context, m *exchange.Message) (opened Opened, err error) {
	evidence, ok := strings.CutPrefix(m.Topic, topicEvidence)
	kind := m.Header(headerType)
	schema := m.Header(headerSchema)
	switch {
	case !ok || len(m.Key) != recordKey:
		return opened, meaningless("topic or key is not a record's")
	case kind != kindStated && kind != kindWithdrawn:
		return opened, meaningless("event is not a record's")
	case len(schema) != 17 || schema[0] != 0x01:
		return opened, meaningless("schema id is not one")
	}
	if opened.Adapter, opened.At, err = origin(m); err != nil {
		return opened, err
	}
	if opened.Digest, err = digestOf(m); err != nil {
		return opened, err
	}
	opened.Payload, opened.Signed, err = o.open(ctx, m, opened.Adapter)
	opened.Type = exchange.EvidenceType(evidence)
	opened.ID = exchange.RecordID(m.Key[:16])
	opened.Version = exchange.Version(binary.BigEndian.Uint64(m.Key[16:]))
	opened.Schema = formatGUID([]byte(schema[1:]))
	opened.Withdrawn = kind == kindWithdrawn
	return opened, err
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
	r.Type, r.Row, r.Line, r.Code = s.Type, [16]byte(m.Key), s.Line, m.Header(headerReason)
	r.Columns, r.Values, r.Signed = s.Columns, s.Values, signed
	for _, h := range s.Holders {
		r.Holders = append(r.Holders, exchange.Holder(h))
	}
	return r, nil
}

// Resolution is a row that left quarantine.
type Resolution struct {
	Adapter exchange.Adapter
	Row     [16]byte
	At      time.Time
	Signed  time.Time
}

// Resolution verifies a tombstone of a quarantine topic.
func (o *Opener) Resolution(ctx context.Context, m *exchange.Message) (Resolution, error) {
	r, err := o.resolution(ctx, m)
	if err != nil {
		return Resolution{}, fmt.Errorf("verify resolution: %w", err)
	}
	return r, nil
}

func (o *Opener) resolution(ctx context.Context, m *exchange.Message) (r Resolution, err error) {
	if !strings.HasPrefix(m.Topic, topicQuarantine) || len(m.Key) != rowKey || m.Value != nil {
		return r, meaningless("topic, key or value is not a resolution's")
	}
	if err := ofKind(m, kindResolved); err != nil {
		return r, err
	}
	if r.Adapter, r.At, err = origin(m); err != nil {
		return r, err
	}
	r.Row = [16]byte(m.Key)
	r.Signed, err = o.verify(ctx, m, r.Adapter)
	return r, err
}

// ofKind refuses a message of another kind. One that nobody signed is refused for that: it may have no headers at all.
func ofKind(m *exchange.Message, kind string) error {
	if _, signed := signatureOf(m); !signed {
		return unsigned
	}
	if m.Header(headerType) != kind {
		return meaningless("event is of another kind")
	}
	return nil
}

// open gives what was sealed, and when it was signed. A signature that does not fit has two reasons that are told apart here:
// a message that does not open either is damaged or was moved; one that does was made by somebody else.
func (o *Opener) open(ctx context.Context, m *exchange.Message, adapter exchange.Adapter) ([]byte, time.Time, error) {
	signed, err := o.verify(ctx, m, adapter)
	if err != nil && !errors.Is(err, wronglySigned) {
		return nil, signed, err
	}
	plain, closed := o.decrypt(ctx, m)
	if closed != nil {
		return nil, signed, closed
	}
	if err != nil {
		return nil, signed, err
	}
	return plain, signed, nil
}

func (o *Opener) decrypt(ctx context.Context, m *exchange.Message) ([]byte, error) {
	if len(m.Value) < nameSize || m.Value[0] != format {
		return nil, ErrNotGenuine
	}
	a, known := suites[Suite(m.Value[1])]
	if !known || len(m.Value) < nameSize+a.wrapSize()+nonceSize+tagSize {
		return nil, ErrNotGenuine
	}
	head, rest := m.Value[:nameSize+a.wrapSize()], m.Value[nameSize+a.wrapSize():]
	aead, err := o.batchKey(ctx, a, head)
	if err != nil {
		return nil, err
	}
	buffer := o.buffers.Get().(*[]byte)
	defer o.buffers.Put(buffer)
	*buffer = appendBound((*buffer)[:0], m)
	plain, err := aead.Open(nil, rest[:nonceSize], rest[nonceSize:], *buffer)
	if err != nil {
		return nil, ErrNotGenuine
	}
	return plain, nil
}

// batchKey unwraps a batch's data key.
func (o *Opener) batchKey(ctx context.Context, a algorithms, head []byte) (cipher.AEAD, error) {
	o.mu.RLock()
	known, ok := o.keys[string(head)]
	o.mu.RUnlock()
	if ok {
		return known, nil
	}
	private, err := o.ring.find(ctx, keyName{Suite(head[1]), [keyIDSize]byte(head[2:nameSize])})
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

// meaningless is what opening yields for a message whose parts do not make sense.
func meaningless(what string) error { return fmt.Errorf("%s: %w", what, ErrNotGenuine) }

// Published tells of a record's message, without opening it, who sent it and with which content: what an adapter
// needs to rebuild a lost state from its own topic.
func Published(m *exchange.Message) (adapter exchange.Adapter, digest exchange.Digest, withdrawn bool, err error) {
	if adapter, err = Author(m); err != nil {
		return "", digest, false, err
	}
	digest, err = digestOf(m)
	return adapter, digest, m.Header(headerType) == kindWithdrawn, err
}

// Author is the adapter that a message names as its sender. Nobody has verified that it is.
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
