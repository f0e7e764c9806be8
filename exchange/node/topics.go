package node

import (
	"time"

	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/schemas/registry"
)

// Records of queries are kept three years at least (政务数据共享条例 art. 29), and asOf needs coverage for as long.
const keepYears = 3 * 366 * 24 * time.Hour

// maxCompactionLag bounds how long an erased record's bytes stay in a topic.
const maxCompactionLag = "86400000" // ms: one day

// topicsOf lists every topic a city with this catalogue needs.
func topicsOf(c *catalogue.Catalogue, k Kafka) []bus.Topic {
	isr := 1
	if k.Replicas >= 3 {
		isr = 2
	}
	topic := func(name string, partitions int) bus.Topic {
		return bus.Topic{Name: name, Partitions: partitions, Replicas: k.Replicas, MinISR: isr}
	}
	mirror := topic(registry.Mirror, 1)
	mirror.Compact = true
	topics := []bus.Topic{topic(audit.Topic, 1), topic(registry.Proposals, 1), mirror}
	for _, e := range c.EvidenceTypes() {
		t := topic(envelope.EvidenceTopic(e.Type), k.Partitions)
		t.Compact = true
		t.Config = map[string]string{"max.compaction.lag.ms": maxCompactionLag}
		topics = append(topics, t)
	}
	for _, d := range c.Departments() {
		coverage := topic(envelope.CoverageTopic(d.Code), 1)
		coverage.Retention = keepYears
		quarantine := topic(envelope.QuarantineTopic(d.Code), 1)
		quarantine.Retention = keepYears
		topics = append(topics, coverage, quarantine)
	}
	return topics
}

// folded lists the topics the index is made of.
func folded(c *catalogue.Catalogue) []string {
	var names []string
	for _, e := range c.EvidenceTypes() {
		names = append(names, envelope.EvidenceTopic(e.Type))
	}
	for _, d := range c.Departments() {
		names = append(names, envelope.CoverageTopic(d.Code), envelope.QuarantineTopic(d.Code))
	}
	return names
}
