package envelope

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// SignerID names the certificate whose key made a signature: the SHA-256 of its DER.
type SignerID [32]byte

// Suite is a set of algorithms.
type Suite byte

// The suites. National is SM2, SM3 and SM4 (GB/T 32918, 32905, 32907), by configuration.
const (
	Standard Suite = 1 // Ed25519, SHA-256, AES-256-GCM, HPKE over X25519
	National Suite = 2 // SM2, SM3, SM4-GCM
)

var suiteNames = map[Suite]string{Standard: "standard", National: "national"}

// MarshalText is the suite's name, as configurations write it.
func (s Suite) MarshalText() ([]byte, error) {
	name, known := suiteNames[s]
	if !known {
		return nil, unknownSuite(s)
	}
	return []byte(name), nil
}

// UnmarshalText reads standard or national.
func (s *Suite) UnmarshalText(text []byte) error {
	for known, name := range suiteNames {
		if name == string(text) {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("%q is neither standard nor national", text)
}

// Signer signs for one adapter, with the key of the certificate that is current at the moment. It is safe for concurrent use.
type Signer interface {
	// Suite is whose algorithms it signs by; it does not change.
	Suite() Suite
	// Sign signs the message as it is (Ed25519 hashes it itself) and names the certificate.
	Sign(message []byte) (signature []byte, by SignerID, err error)
}

// Signatory is whose signature it is.
type Signatory struct {
	Adapter exchange.Adapter
	Suite   Suite
	Public  []byte // Ed25519: 32 bytes; SM2: the uncompressed point, 65 bytes
	From    time.Time
	Until   time.Time
	Revoked time.Time // zero: it is not
}

// Directory knows the certificates that were issued to adapters. It is safe for concurrent use.
type Directory interface {
	// Signatory finds a certificate's holder; false: no such certificate was issued. An error means that it cannot be
	// said yet, and whoever folds must stop and ask again.
	Signatory(ctx context.Context, id SignerID) (Signatory, bool, error)
}

// ErrNotSigned is what opening yields for a message whose signature does not hold: there is none, it is somebody else's, the
// certificate was not valid when it signed, or was revoked before the message was written.
var ErrNotSigned = errors.New("message is not signed by whom it names")

const headerOrder = "ce_ordersignature"

// SignOrder signs a message that the exchange itself gives to all its nodes, such as an entry of the roll of identities or
// an order to forget: topic, key and value are bound.
func SignOrder(key ed25519.PrivateKey, m *exchange.Message) {
	m.Headers = append(m.Headers, exchange.Header{Name: headerOrder, Value: ed25519.Sign(key, order(m))})
}

// VerifyOrder says whether the exchange gave the message.
func VerifyOrder(key ed25519.PublicKey, m *exchange.Message) error {
	if !ed25519.Verify(key, order(m), []byte(m.Header(headerOrder))) {
		return fmt.Errorf("order of the exchange: %w", ErrNotSigned)
	}
	return nil
}

func order(m *exchange.Message) []byte {
	out := []byte("yimen order v1")
	for _, part := range [...][]byte{[]byte(m.Topic), m.Key, m.Value} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	return out
}
