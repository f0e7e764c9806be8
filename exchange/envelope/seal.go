package envelope

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// Sealer is an adapter's side: it names records and seals them to the exchange.
type Sealer struct {
	adapter exchange.Adapter
	macs    sync.Pool // of HMACs under the department's key: setting one up costs more than a short message
	to      hpke.PublicKey
}

// NewSealer makes the sealer of one adapter. departmentKey is the department's secret of at least 32 bytes, from which the ids
// of its records follow: all its adapters share it, and losing it gives every record a new id.
func NewSealer(adapter exchange.Adapter, departmentKey, exchangePublicKey []byte) (*Sealer, error) {
	if len(departmentKey) < keySize {
		return nil, fmt.Errorf("department key of %d bytes, want at least %d", len(departmentKey), keySize)
	}
	to, err := publicKey(exchangePublicKey)
	if err != nil {
		return nil, err
	}
	key := bytes.Clone(departmentKey)
	return &Sealer{adapter: adapter, to: to, macs: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}, nil
}

// CheckPublicKey says what is wrong with an exchange's public key, nil for a sound one.
func CheckPublicKey(key []byte) error {
	_, err := publicKey(key)
	return err
}

func publicKey(key []byte) (hpke.PublicKey, error) {
	raw, marked := bytes.CutPrefix(key, []byte(publicMark))
	to, err := kem().NewPublicKey(raw)
	if !marked || err != nil {
		return nil, &exchange.Problem{Code: "YM-KEY-0103", Kind: exchange.Invalid,
			What: exchange.Text{ZH: "这不是交换平台的公钥", EN: "this is not an exchange's public key"},
			Mend: exchange.Text{ZH: "使用平台数据目录下 keys/exchange.pub 的原样副本", EN: "use an unchanged copy of keys/exchange.pub of the exchange's data directory"}}
	}
	return to, nil
}

// RecordID is the id of the certificate with that natural number, the same in every run.
func (s *Sealer) RecordID(t exchange.EvidenceType, natural string) exchange.RecordID {
	return exchange.RecordID(s.mac("record", string(t), []byte(natural))[:16])
}

// RowID is the id of a row that has no readable natural number: it follows from the row's content.
func (s *Sealer) RowID(t exchange.EvidenceType, values []string) [16]byte {
	return [16]byte(s.mac("row", string(t), []byte(strings.Join(values, "\x1f")))[:16])
}

// Digest tells equal content from different content without telling anything of the content.
func (s *Sealer) Digest(content []byte) exchange.Digest {
	return exchange.Digest(s.mac("content", "", content))
}

// KeyName tells the department's key from others without telling it.
func (s *Sealer) KeyName() string { return hex.EncodeToString(s.mac("key name", "", nil)[:8]) }

func (s *Sealer) mac(purpose, scope string, content []byte) []byte {
	h := s.macs.Get().(hash.Hash)
	defer s.macs.Put(h)
	h.Reset()
	for _, part := range [...]string{"yimen ", purpose, "\x00", scope, "\x00"} {
		io.WriteString(h, part) // a hash never errs
	}
	h.Write(content)
	return h.Sum(nil)
}

// Batch seals any number of messages under one data key. It is not safe for concurrent use.
type Batch struct {
	sealer  *Sealer
	aead    cipher.AEAD
	wrapped []byte
	count   uint64
}

// Batch draws a data key and wraps it to the exchange.
func (s *Sealer) Batch() (*Batch, error) {
	key := make([]byte, keySize)
	rand.Read(key)
	wrapped, err := hpke.Seal(s.to, kdf(), aead(), []byte(wrapPurp), key)
	if err != nil {
		return nil, fmt.Errorf("wrap batch key: %w", err)
	}
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	return &Batch{sealer: s, aead: gcm, wrapped: wrapped}, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("set up cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

// Draft is a record version before it is sealed.
type Draft struct {
	Type      exchange.EvidenceType
	ID        exchange.RecordID
	Version   exchange.Version
	Schema    string // the schema's GUID
	Withdrawn bool   // then Payload is empty
	Payload   []byte
	Digest    exchange.Digest // of Payload, by Sealer.Digest; zero: it is made here
	At        time.Time       // when the source was read
}

// Record seals one version of a record.
func (b *Batch) Record(d Draft) (exchange.Message, error) {
	schema, err := parseGUID(d.Schema)
	if err != nil {
		return exchange.Message{}, err
	}
	kind := kindStated
	if d.Withdrawn {
		kind = kindWithdrawn
	}
	if d.Digest == (exchange.Digest{}) {
		d.Digest = b.sealer.Digest(d.Payload)
	}
	m := exchange.Message{
		Topic: EvidenceTopic(d.Type),
		Route: d.ID[:],
		Key:   binary.BigEndian.AppendUint64(append(make([]byte, 0, recordKey), d.ID[:]...), uint64(d.Version)),
	}
	m.Headers = append(b.headers(m.Key, kind, d.At),
		exchange.Header{Name: headerDigest, Value: []byte(hex.EncodeToString(d.Digest[:]))},
		exchange.Header{Name: headerSchema, Value: append([]byte{0x01}, schema...)})
	m.Value = b.seal(&m, d.Payload)
	return m, nil
}

// Rejection is a row that could not be published, as the exchange learns of it.
type Rejection struct {
	Adapter exchange.Adapter
	Type    exchange.EvidenceType
	Row     [16]byte // the record's id where its number could be read, else the row's own
	Line    int
	Code    string            // why, language-free, such as YM-ID-0102
	Holders []exchange.Holder // whose row it is; empty where that could not be read
	Columns []string
	Values  []string // as in the source
	At      time.Time
}

// sealedRejection is what only the exchange may read of a rejection.
type sealedRejection struct {
	Type    exchange.EvidenceType `json:"type"`
	Line    int                   `json:"line"`
	Holders []sealedHolder        `json:"holders,omitempty"`
	Columns []string              `json:"columns"`
	Values  []string              `json:"values"`
}

type sealedHolder struct {
	Kind   exchange.HolderKind `json:"kind"`
	Number string              `json:"number"`
}

// Rejection seals a row for the department's quarantine topic. The headers that dead-letter tools know
// carry adapter, stage and reason code; the row itself is readable to the exchange alone.
func (b *Batch) Rejection(r Rejection) (exchange.Message, error) {
	sealed := sealedRejection{Type: r.Type, Line: r.Line, Columns: r.Columns, Values: r.Values}
	for _, h := range r.Holders {
		sealed.Holders = append(sealed.Holders, sealedHolder(h))
	}
	plain, err := json.Marshal(sealed)
	if err != nil {
		return exchange.Message{}, fmt.Errorf("write rejection: %w", err)
	}
	m := exchange.Message{Topic: QuarantineTopic(b.sealer.adapter.Department()), Key: r.Row[:]}
	m.Headers = append(b.headers(m.Key, kindRejected, r.At),
		exchange.Header{Name: headerReason, Value: []byte(r.Code)},
		exchange.Header{Name: "__connect.errors.connector.name", Value: []byte(b.sealer.adapter)},
		exchange.Header{Name: "__connect.errors.stage", Value: []byte("VALUE_CONVERTER")},
		exchange.Header{Name: "__connect.errors.exception.message", Value: []byte(r.Code)})
	m.Value = b.seal(&m, plain)
	return m, nil
}

// Resolution says that a row is no longer in quarantine: a tombstone under its id.
func Resolution(department exchange.Department, row [16]byte) exchange.Message {
	return exchange.Message{Topic: QuarantineTopic(department), Key: row[:]}
}

func (b *Batch) headers(key []byte, kind string, at time.Time) []exchange.Header {
	return append(make([]exchange.Header, 0, 10),
		exchange.Header{Name: headerVersion, Value: []byte("1.0")},
		exchange.Header{Name: headerID, Value: []byte(hex.EncodeToString(key))},
		exchange.Header{Name: headerSource, Value: []byte("/" + string(b.sealer.adapter))},
		exchange.Header{Name: headerType, Value: []byte(kind)},
		exchange.Header{Name: headerTime, Value: []byte(at.UTC().Format(timeLayout))},
		exchange.Header{Name: headerContent, Value: []byte(contentSealed)})
}

// seal encrypts plain under the batch key. A key serves one batch only, so a counter is a sound nonce.
func (b *Batch) seal(m *exchange.Message, plain []byte) []byte {
	out := make([]byte, headSize, headSize+len(plain)+tagSize)
	out[0] = format
	copy(out[1:], b.wrapped)
	b.count++
	binary.BigEndian.PutUint64(out[headSize-8:], b.count)
	return b.aead.Seal(out, out[headSize-nonceSize:headSize], plain, bound(m))
}

// parseGUID reads the 16 bytes of 01234567-89ab-cdef-0123-456789abcdef.
func parseGUID(s string) ([]byte, error) {
	id, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(id) != 16 {
		return nil, fmt.Errorf("schema id %q is not a GUID", s)
	}
	return id, nil
}

func formatGUID(id []byte) string {
	h := hex.EncodeToString(id)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
