// Package envelope seals what goes onto a topic and opens what comes off.
//
// A record travels as a CloudEvent in binary mode whose value is ciphertext. Each batch has a fresh data key,
// wrapped once by HPKE (RFC 9180) to the exchange's public key and carried by every record of the batch, so that
// each record opens alone and an adapter holds no key that opens what it has sent. The associated data binds the
// value to its topic, key, adapter, schema, kind, digest and time: a record that was moved or relabelled is refused.
//
// What the envelope does not prove yet is who sealed a record: signatures take their place in Batch and Opener.
package envelope

import (
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// Header names. The ce_ ones are of the CloudEvents Kafka binding; the schema id stands where
// Confluent's clients look for it, as 0x01 and the schema's GUID.
const (
	headerVersion = "ce_specversion"
	headerID      = "ce_id"
	headerSource  = "ce_source"
	headerType    = "ce_type"
	headerTime    = "ce_time"
	headerDigest  = "ce_contentdigest"
	headerContent = "content-type"
	headerSchema  = "__value_schema_id"
	headerReason  = "reason-code"

	contentSealed = "application/vnd.yimen.sealed"
)

// The kinds of event, as they stand in ce_type.
const (
	kindStated    = "yimen.record.stated"
	kindWithdrawn = "yimen.record.withdrawn"
	kindRejected  = "yimen.row.rejected"
)

const (
	topicEvidence   = "evidence."
	topicQuarantine = "quarantine."
)

// EvidenceTopic is the topic that carries the records of a type.
func EvidenceTopic(t exchange.EvidenceType) string { return topicEvidence + string(t) }

// QuarantineTopic is the topic that carries the rows a department could not publish.
func QuarantineTopic(d exchange.Department) string { return topicQuarantine + string(d) }

// CoverageTopic is the topic that carries what a department's adapters say of how complete they are.
func CoverageTopic(d exchange.Department) string { return "coverage." + string(d) }

const (
	format     = 0x01 // first byte of a sealed value
	keySize    = 32   // AES-256
	wrapSize   = 32 + keySize + 16
	nonceSize  = 12
	headSize   = 1 + wrapSize + nonceSize
	tagSize    = 16
	recordKey  = 16 + 8
	wrapPurp   = "yimen batch key v1"
	timeLayout = time.RFC3339Nano
)

var (
	kem  = func() hpke.KEM { return hpke.DHKEM(ecdh.X25519()) }
	kdf  = hpke.HKDFSHA256
	aead = hpke.AES256GCM
)

// GenerateKey makes the exchange's key pair: the private key opens what was sealed to the public one.
func GenerateKey() (private, public []byte, err error) {
	key, err := kem().GenerateKey()
	if err != nil {
		return nil, nil, fmt.Errorf("generate sealing key: %w", err)
	}
	if private, err = key.Bytes(); err != nil {
		return nil, nil, fmt.Errorf("write sealing key: %w", err)
	}
	return private, append([]byte(publicMark), key.PublicKey().Bytes()...), nil
}

// publicMark stands in front of a public key, so that no other 32 bytes pass for one: what is sealed to them could never be
// opened again.
const publicMark = "yimen-exchange-key-1 "

// ErrNotGenuine is what opening yields for a message that is damaged, was moved to another place, or
// whose headers were changed.
var ErrNotGenuine = errors.New("message is not as it was sealed")

// bound is the associated data: everything outside the ciphertext that a reader relies on.
func bound(m *exchange.Message) []byte {
	parts := [...][]byte{
		[]byte(m.Topic), m.Key,
		[]byte(m.Header(headerID)), []byte(m.Header(headerSource)), []byte(m.Header(headerType)),
		[]byte(m.Header(headerTime)), []byte(m.Header(headerDigest)), []byte(m.Header(headerSchema)), []byte(m.Header(headerReason)),
	}
	size := 0
	for _, part := range parts {
		size += 4 + len(part)
	}
	out := make([]byte, 0, size)
	for _, part := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	return out
}
