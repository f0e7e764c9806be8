// Package envelope seals and signs what goes onto a topic, verifies and opens what comes off.
//
// A record travels as a CloudEvent in binary mode whose value is ciphertext. Each batch has a fresh data key, wrapped once
// to the exchange's public key and carried by every record of the batch, so that each record opens alone and an adapter
// holds no key that opens what it has sent. Each batch has one signature too, of the root of a Merkle tree (RFC 6962) over
// its messages, and every message carries it with its own proof, so that each can be verified alone. Rows in quarantine,
// the tombstones that resolve them, and coverage statements are signed in the same way.
//
// What is signed is the topic, the key, all headers named here and the value: a message that was moved, relabelled, or that
// somebody else made is refused. Which algorithms do all this is a Suite.
package envelope

import (
	"encoding/binary"
	"errors"

	"github.com/onedoor/yimen/exchange"
)

// Header names. The ce_ ones are of the CloudEvents Kafka binding; the schema id stands where
// Confluent's clients look for it, as 0x01 and the schema's GUID.
const (
	headerVersion   = "ce_specversion"
	headerID        = "ce_id"
	headerSource    = "ce_source"
	headerType      = "ce_type"
	headerTime      = "ce_time"
	headerDigest    = "ce_contentdigest"
	headerContent   = "content-type"
	headerSchema    = "__value_schema_id"
	headerReason    = "reason-code"
	headerConnector = "__connect.errors.connector.name"
	headerStage     = "__connect.errors.stage"
	headerMessage   = "__connect.errors.exception.message"
	headerSignature = "batch-signature"

	contentSealed = "application/vnd.yimen.sealed"
	contentJSON   = "application/json"
)

// The kinds of event, as they stand in ce_type.
const (
	kindStated    = "yimen.record.stated"
	kindWithdrawn = "yimen.record.withdrawn"
	kindRejected  = "yimen.row.rejected"
	kindResolved  = "yimen.row.resolved"
	kindCovered   = "yimen.coverage.stated"
)

const (
	topicEvidence   = "evidence."
	topicQuarantine = "quarantine."
	topicCoverage   = "coverage."
	topicNotices    = "notices."
)

// EvidenceTopic is the topic that carries the records of a type.
func EvidenceTopic(t exchange.EvidenceType) string { return topicEvidence + string(t) }

// QuarantineTopic is the topic that carries the rows a department could not publish.
func QuarantineTopic(d exchange.Department) string { return topicQuarantine + string(d) }

// CoverageTopic is the topic that carries what a department's adapters say of how complete they are.
func CoverageTopic(d exchange.Department) string { return topicCoverage + string(d) }

// NoticesTopic is the topic that tells a department what became of records its cases relied on.
func NoticesTopic(d exchange.Department) string { return topicNotices + string(d) }

// Keys of messages.
const (
	recordKey = 16 + 8 // id and version
	rowKey    = 16
)

// ErrNotGenuine is what opening yields for a message that is damaged, was moved to another place, whose headers were
// changed, or that was sealed for somebody else.
var ErrNotGenuine = errors.New("message is not as it was sealed")

// appendBound appends what a reader relies on besides the value: the topic, the key, and every header with a name of ours
// but the signature's, in their order, so that none can be changed, added in front or left out. Headers of other names say
// nothing here, and tools on the way may add them.
func appendBound(out []byte, m *exchange.Message) []byte {
	out = appendText(out, m.Topic)
	out = appendText(out, m.Key)
	for i := range m.Headers {
		switch h := &m.Headers[i]; h.Name {
		case headerVersion, headerID, headerSource, headerType, headerTime, headerDigest, headerContent, headerSchema, headerReason,
			headerConnector, headerStage, headerMessage:
			out = appendText(out, h.Name)
			out = appendText(out, h.Value)
		}
	}
	return out
}

func appendText[T string | []byte](out []byte, part T) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
	return append(out, part...)
}
