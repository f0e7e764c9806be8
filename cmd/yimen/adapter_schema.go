package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/registry"
)

// pastSchemas is how long the exchange's schemas may take to be read, once Kafka answers.
const pastSchemas = 30 * time.Second

// published is the schema by which the exchange takes records of the manifest's evidence type today. It is read from Kafka,
// so that an adapter needs no other way to the exchange.
func (s *session) published(ctx context.Context, kafka registry.Topics, m *adapters.Manifest, log *slog.Logger) (*schemas.Schema, error) {
	r, err := registry.New(registry.Config{Topics: kafka, ReadOnly: true, Clock: s.now, Log: log})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, pastSchemas)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	settled := make(chan error, 1)
	go func() { settled <- r.Settled(ctx) }()
	select {
	case err = <-ended:
	case err = <-settled:
		stop()
		<-ended
	}
	if err != nil {
		return nil, unreadSchemas(err)
	}
	return schemaOf(r, m)
}

// schemaOf is a registry's schema of the manifest's evidence type, if records of it are still taken.
func schemaOf(r *registry.Registry, m *adapters.Manifest) (*schemas.Schema, error) {
	latest, err := r.Version(registry.EvidenceSubject(m.Evidence), 0, false)
	if exchange.KindOf(err) == exchange.NotFound {
		return nil, unpublished(r, m.Evidence)
	}
	if err != nil {
		return nil, err
	}
	schema, known := r.Evidence().ByID(latest.GUID)
	if !known {
		return nil, &exchange.Problem{Code: "YM-CLI-0409", Kind: exchange.Conflict,
			What: both("这个程序读不懂证照类型 "+string(m.Evidence)+" 的 Schema", "this program cannot read the schema of the evidence type "+string(m.Evidence)),
			Why:  both("多半由更新的版本登记", "a newer program probably registered it"),
			Mend: both("升级 yimen", "upgrade yimen")}
	}
	return schema, fills(m, schema)
}

func unpublished(r *registry.Registry, t exchange.EvidenceType) error {
	var known []string
	for _, schema := range r.Evidence().All() {
		if schema.Type != t {
			known = append(known, string(schema.Type))
		}
	}
	if _, before := r.Evidence().ByType(t); before {
		return &exchange.Problem{Code: "YM-CLI-0410", Kind: exchange.NotFound,
			What: both("证照类型 "+string(t)+" 已停用，交换平台不再接收新记录", "the evidence type "+string(t)+" was retired: the exchange takes no new records of it"),
			Mend: both("停止这个适配器；详情见 yimen schema history "+string(t), "stop this adapter; see yimen schema history "+string(t))}
	}
	p := missing("0402", both("证照类型", "evidence type"), string(t), known, "yimen schema list --remote")
	if p.Why == nothingKnown() {
		p.Why = both("交换平台没有登记它", "it is not registered with the exchange")
	}
	return p
}

// unreadSchemas says why the exchange's schemas could not be read.
func unreadSchemas(err error) error {
	if p, ok := errors.AsType[*exchange.Problem](err); ok && p.Kind != exchange.Unavailable {
		return err
	}
	return &exchange.Problem{Code: "YM-CLI-0408", Kind: exchange.Unavailable, Err: err,
		What: both("从 Kafka 读不到交换平台登记的 Schema", "the exchange's schemas cannot be read from Kafka"),
		Why:  both("主题 "+registry.Proposals+" 没有应答：交换平台可能还没有启动过，或者没有读取权限", "the topic "+registry.Proposals+" does not answer: the exchange may never have been started, or the right to read is missing"),
		Mend: both("先启动交换平台；核对 --kafka 和该主题的读取权限", "start the exchange first; check --kafka and the right to read that topic")}
}
