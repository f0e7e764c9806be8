package envelope

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// SealerConfig says who seals, to whom, and who signs. All but Clock is required. The signer says which algorithms it is all done by.
type SealerConfig struct {
	Adapter       exchange.Adapter
	DepartmentKey []byte // see NewNames
	ExchangeKey   []byte // of the signer's suite; see PublicKey
	Signer        Signer
	// Clock dates the signatures, nil: time.Now. It must be the clock that Kafka's messages are dated by.
	Clock func() time.Time
}

// Sealer is an adapter's side: it names records, seals them to the exchange and signs them. It is safe for concurrent use.
type Sealer struct {
	*Names
	adapter exchange.Adapter
	signer  Signer
	now     func() time.Time
	to      atomic.Pointer[recipient]

	mu     sync.Mutex
	by     SignerID // of the last signature
	signed int64    // when that was, in nanoseconds since 1970
}

// NewSealer makes the sealer of one adapter.
func NewSealer(c SealerConfig) (*Sealer, error) {
	if c.Signer == nil {
		return nil, fmt.Errorf("seal as %s: nobody to sign", c.Adapter)
	}
	names, err := NewNames(c.Signer.Suite(), c.DepartmentKey)
	if err != nil {
		return nil, err
	}
	s := &Sealer{Names: names, adapter: c.Adapter, signer: c.Signer, now: c.Clock}
	if s.now == nil {
		s.now = time.Now
	}
	return s, s.SealTo(c.ExchangeKey)
}

// SealTo has every batch begun from now on sealed to another public key of the exchange.
func (s *Sealer) SealTo(exchangeKey []byte) error {
	to, err := readPublicKey(exchangeKey)
	if err != nil {
		return err
	}
	if to.name.suite != s.suite {
		return &exchange.Problem{Code: "YM-KEY-0104", Kind: exchange.Invalid,
			What: exchange.Text{ZH: "交换平台的公钥属于另一套密码算法", EN: "the exchange's public key is of another suite of algorithms"},
			Why:  exchange.Text{ZH: "适配器的签名密钥与公钥的算法不同（国密或国际）", EN: "the adapter's signing key is of the other one (national or standard)"},
			Mend: exchange.Text{ZH: "重新入网（yimen enroll）：签名密钥和平台公钥由此同属一套算法", EN: "enrol again (yimen enroll): signing key and the exchange's key are then of one suite"}}
	}
	s.to.Store(to)
	return nil
}

// Batch seals any number of messages under one data key and signs them with one signature. It is not safe for concurrent use.
//
// Record, Rejection, Statement and Resolution make messages; Sign must then see each of them once before it is appended.
type Batch struct {
	sealer *Sealer
	to     *recipient
	aead   cipher.AEAD // nil until something is sealed: a heartbeat needs no data key
	head   []byte      // of every sealed value, up to the nonce
	count  uint64
	buffer []byte
}

// Batch begins a batch.
func (s *Sealer) Batch() *Batch { return &Batch{sealer: s, to: s.to.Load()} }

// Draft is a record version before it is sealed.
type Draft struct {
	Type      exchange.EvidenceType
	ID        exchange.RecordID
	Version   exchange.Version
	Schema    string // the schema's GUID
	Withdrawn bool   // then Payload is empty
	Payload   []byte
	Digest    exchange.Digest // of Payload, by Names.Digest; zero: it is made here
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
		Key:   RecordMessageKey(d.ID, d.Version),
	}
	m.Headers = append(b.headers(hex.EncodeToString(m.Key), kind, contentSealed, d.At),
		exchange.Header{Name: headerDigest, Value: []byte(hex.EncodeToString(d.Digest[:]))},
		exchange.Header{Name: headerSchema, Value: append([]byte{0x01}, schema...)})
	return m, b.seal(&m, d.Payload)
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
	Signed  Moment // set on what was opened
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
	m.Headers = append(b.headers(hex.EncodeToString(m.Key), kindRejected, contentSealed, r.At),
		exchange.Header{Name: headerReason, Value: []byte(r.Code)},
		exchange.Header{Name: headerConnector, Value: []byte(b.sealer.adapter)},
		exchange.Header{Name: headerStage, Value: []byte("VALUE_CONVERTER")},
		exchange.Header{Name: headerMessage, Value: []byte(r.Code)})
	return m, b.seal(&m, plain)
}

// Resolution says that the adapter's row is no longer in quarantine: a tombstone under the row's id.
func (b *Batch) Resolution(row [16]byte, at time.Time) exchange.Message {
	return exchange.Message{Topic: QuarantineTopic(b.sealer.adapter.Department()), Key: row[:],
		Headers: b.headers(hex.EncodeToString(row[:]), kindResolved, contentSealed, at)}
}

// Statement is a coverage statement of the adapter. It is not sealed: it tells of nobody.
func (b *Batch) Statement(c exchange.Coverage) (exchange.Message, error) {
	value, err := json.Marshal(c)
	if err != nil {
		return exchange.Message{}, fmt.Errorf("write coverage of %s: %w", c.Adapter, err)
	}
	id := string(c.Adapter) + "@" + c.Alive.UTC().Format(timeLayout)
	return exchange.Message{Topic: CoverageTopic(b.sealer.adapter.Department()), Key: []byte(c.Adapter), Value: value,
		Headers: b.headers(id, kindCovered, contentJSON, c.Alive)}, nil
}

const timeLayout = time.RFC3339Nano

// headers are those of every message, with room for a record's or a row's own and the signature.
func (b *Batch) headers(id, kind, content string, at time.Time) []exchange.Header {
	return append(make([]exchange.Header, 0, 11),
		exchange.Header{Name: headerVersion, Value: []byte("1.0")},
		exchange.Header{Name: headerID, Value: []byte(id)},
		exchange.Header{Name: headerSource, Value: []byte("/" + string(b.sealer.adapter))},
		exchange.Header{Name: headerType, Value: []byte(kind)},
		exchange.Header{Name: headerTime, Value: []byte(at.UTC().Format(timeLayout))},
		exchange.Header{Name: headerContent, Value: []byte(content)})
}

// A sealed value is: format, suite, the name of the key it was sealed to, the wrapped data key, nonce, ciphertext with tag.
const (
	format    = 0x02
	nameSize  = 1 + 1 + keyIDSize
	nonceSize = 12
	tagSize   = 16
)

// seal gives the message its value: plain encrypted under the batch key, bound to all else that the message says. A key serves
// one batch only, so a counter is a sound nonce.
func (b *Batch) seal(m *exchange.Message, plain []byte) error {
	if b.aead == nil {
		if err := b.draw(); err != nil {
			return err
		}
	}
	out := append(make([]byte, 0, len(b.head)+nonceSize+len(plain)+tagSize), b.head...)
	b.count++
	out = binary.BigEndian.AppendUint64(append(out, 0, 0, 0, 0), b.count)
	b.buffer = appendBound(b.buffer[:0], m)
	m.Value = b.aead.Seal(out, out[len(b.head):], plain, b.buffer)
	return nil
}

// draw draws the data key and wraps it to the exchange.
func (b *Batch) draw() error {
	a, name := suites[b.to.name.suite], b.to.name
	key := make([]byte, a.keySize())
	rand.Read(key)
	wrapped, err := b.to.key.wrap(key)
	if err != nil {
		return err
	}
	b.head = append(append([]byte{format, byte(name.suite)}, name.id[:]...), wrapped...)
	b.aead, err = a.newAEAD(key)
	return err
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
