package node

import (
	"strconv"
	"time"

	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/doubts"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/erasure"
	"github.com/onedoor/yimen/exchange/notice"
	"github.com/onedoor/yimen/schemas/registry"
)

// Records of queries are kept three years at least (政务数据共享条例 art. 29), and asOf needs coverage for as long.
const keepYears = 3 * 366 * 24 * time.Hour

// noticesKept is how long a department may be away and still finds its notices on Kafka.
const noticesKept = 366 * 24 * time.Hour

// stamped topics date messages by the broker's clock, not the one of whoever writes.
var stamped = map[string]string{"message.timestamp.type": "LogAppendTime"}

// rest is how long Kafka may leave a part of a topic as it is. What was erased is gone after this, a second tombstone, and a turn of
// Kafka's cleaner: the other half of the time is for them.
func (k Kafka) rest() time.Duration { return k.EraseWithin / 2 }

// forgetful topics give the bytes of a tombstoned key back within the time given, once something stands behind the tombstone.
func (k Kafka) forgetful() map[string]string {
	return map[string]string{"message.timestamp.type": "LogAppendTime", "max.compaction.lag.ms": strconv.FormatInt(k.rest().Milliseconds(), 10)}
}

// Topics lists every topic a city with this catalogue needs.
func Topics(c *catalogue.Catalogue, k Kafka) []bus.Topic {
	topic := func(name string, partitions int, config map[string]string) bus.Topic {
		return bus.Topic{Name: name, Partitions: partitions, Replicas: k.Replicas, MinISR: min(2, k.Replicas), Config: config}
	}
	mirror := topic(registry.Mirror, 1, nil)
	mirror.Compact = true
	texts := topic(doubts.TextsTopic, 1, k.forgetful())
	texts.Compact = true
	topics := []bus.Topic{topic(audit.Topic, 1, stamped), topic(roll.Topic, 1, stamped), topic(erasure.Topic, 1, stamped), topic(catalogue.Topic, 1, stamped),
		topic(notice.SubscriptionsTopic, 1, stamped), topic(doubts.Topic, 1, stamped), texts,
		topic(registry.Proposals, 1, nil), mirror}
	for _, e := range c.EvidenceTypes() {
		t := topic(envelope.EvidenceTopic(e.Type), k.Partitions, k.forgetful())
		t.Compact = true
		topics = append(topics, t)
	}
	for _, d := range c.Departments() {
		coverage := topic(envelope.CoverageTopic(d.Code), 1, stamped)
		coverage.Retention = keepYears
		quarantine := topic(envelope.QuarantineTopic(d.Code), 1, k.forgetful())
		quarantine.Compact, quarantine.Retention = true, keepYears
		notices := topic(envelope.NoticesTopic(d.Code), 1, stamped)
		notices.Retention = noticesKept
		topics = append(topics, coverage, quarantine, notices)
	}
	return topics
}

// folded lists the topics the index is made of.
func folded(c *catalogue.Catalogue) []string {
	names := []string{erasure.Topic}
	for _, e := range c.EvidenceTypes() {
		names = append(names, envelope.EvidenceTopic(e.Type))
	}
	for _, d := range c.Departments() {
		names = append(names, envelope.CoverageTopic(d.Code), envelope.QuarantineTopic(d.Code))
	}
	return names
}
