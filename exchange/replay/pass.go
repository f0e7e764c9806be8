package replay

import (
	"context"
	"errors"
	"maps"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/erasure"
)

// pass is one way through the topics, from their beginning on.
type pass struct {
	cfg        Config
	index      Index
	at         map[string]map[int]int64 // how far each topic is folded
	ends       map[string]map[int]int64 // how far it goes
	catalogues map[edition]*catalogue.Catalogue
}

// edition is a catalogue with what was decided up to an offset, on a day.
type edition struct {
	version string
	upTo    int64
	day     exchange.Date
}

// errOver means that a topic is folded further already than it was when the answer was given.
var errOver = errors.New("the moment of the answer is over in this pass")

// obey folds all orders to forget, those of after the answers too, so that nothing else is opened that must not be.
func (p *pass) obey(ctx context.Context) error {
	ends, err := p.cfg.Topics.EndOffsets(ctx, erasure.Topic)
	if err != nil {
		return err
	}
	p.index.ErasuresUpTo(ends[0])
	return p.fold(ctx, erasure.Topic, ends)
}

func (p *pass) catalogue(ctx context.Context, e *audit.Entry) (*catalogue.Catalogue, error) {
	of := edition{e.Catalogue, e.Inputs.Next(catalogue.Topic)[0], exchange.DateOf(e.Evaluated)}
	if c, known := p.catalogues[of]; known {
		return c, nil
	}
	c, err := p.cfg.Catalogue(ctx, of.version, of.upTo, e.Evaluated)
	if err == nil {
		p.catalogues[of] = c
	}
	return c, err
}

// moment is the index as of the offsets an entry recorded for each of those it looked up, for the types that are asked for.
type moment struct {
	pass      *pass
	catalogue *catalogue.Catalogue
	inputs    map[exchange.Holder]exchange.Inputs
}

// Find brings the topics of the types to the moment first.
func (m moment) Find(ctx context.Context, holder exchange.Holder, types []exchange.EvidenceType) (exchange.Found, error) {
	inputs := m.inputs[holder]
	for _, topic := range m.topics(types) {
		if m.pass.isPast(topic, inputs.Next(topic)) {
			return exchange.Found{}, errOver
		}
	}
	for _, topic := range m.topics(types) {
		if err := m.pass.fold(ctx, topic, inputs.Next(topic)); err != nil {
			return exchange.Found{}, err
		}
	}
	return m.pass.index.Find(ctx, holder, types)
}

// topics are those that answers about the types rest on, but for the orders to forget.
func (m moment) topics(types []exchange.EvidenceType) (all []string) {
	for _, t := range types {
		e, _ := m.catalogue.Evidence(t) // an answer about a type without it there was none
		all = append(all, envelope.EvidenceTopic(t), envelope.CoverageTopic(e.Keeper), envelope.QuarantineTopic(e.Keeper))
	}
	return all
}

// isPast says whether a partition is folded further than until, where what is absent was not folded at all.
func (p *pass) isPast(topic string, until map[int]int64) bool {
	for partition, at := range p.at[topic] {
		if at > until[partition] {
			return true
		}
	}
	return false
}

// fold folds a topic until there.
func (p *pass) fold(ctx context.Context, topic string, until map[int]int64) error {
	at, left := p.at[topic], maps.Clone(until)
	maps.DeleteFunc(left, func(partition int, end int64) bool { return at[partition] >= end })
	if len(left) == 0 {
		return nil
	}
	if err := p.reaches(ctx, topic, left); err != nil {
		return err
	}
	if err := p.cfg.Topics.Read(ctx, topic, at, left, p.index.Fold); err != nil {
		return err
	}
	if at == nil {
		at = map[int]int64{}
		p.at[topic] = at
	}
	maps.Copy(at, left)
	return nil
}

// reaches refuses to wait for messages that never come.
func (p *pass) reaches(ctx context.Context, topic string, until map[int]int64) (err error) {
	if p.ends[topic] == nil {
		if p.ends[topic], err = p.cfg.Topics.EndOffsets(ctx, topic); err != nil {
			return err
		}
	}
	for partition, end := range until {
		if p.ends[topic][partition] < end {
			return &exchange.Problem{Code: "YM-RPL-0301", Kind: exchange.Conflict,
				What: text("主题比作出结论时还短："+topic, "the topic is shorter than when the answer was given: "+topic),
				Why:  text("它多半被删除后重建，或连到了另一个 Kafka", "it was deleted and made anew, or this is another Kafka"),
				Mend: text("核对 kafka.brokers；从备份恢复该主题后再重放", "check kafka.brokers; restore the topic from its backup and replay again")}
		}
	}
	return nil
}
