package registry

import (
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// The subject of an evidence type is named after its topic, by Kafka's TopicNameStrategy.
const (
	evidencePrefix = "evidence."
	valueSuffix    = "-value"
)

// EvidenceSubject is the subject of an evidence type.
func EvidenceSubject(t exchange.EvidenceType) string { return evidencePrefix + string(t) + valueSuffix }

// EvidenceType is the type whose subject it is, "" where it is another kind of subject.
func EvidenceType(subject string) exchange.EvidenceType {
	name, ok := strings.CutPrefix(subject, evidencePrefix)
	name, valued := strings.CutSuffix(name, valueSuffix)
	if !ok || !valued || !exchange.ValidName(name) {
		return ""
	}
	return exchange.EvidenceType(name)
}
