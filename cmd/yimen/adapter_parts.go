package main

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
)

// parts are what an adapter is put together of, besides Kafka.
type parts struct {
	adapters.Config
	*machine
}

// placeOf is where an adapter keeps its identity.
func placeOf(data string, adapter exchange.Adapter) enrol.Place {
	return enrol.PlaceOf(data, identityOf(adapter).Principal())
}

// identityOf is the adapter as certificates name it, but for the city.
func identityOf(adapter exchange.Adapter) certs.Identity {
	_, name, _ := strings.Cut(string(adapter), "/")
	return certs.Identity{Department: adapter.Department(), Role: certs.Adapter, Name: name}
}

// partsOf puts an adapter together: source, identity, keys and state. What is wrong with them shows before Kafka is asked,
// which then gives the schema.
func (s *session) partsOf(m *adapters.Manifest, how running) (*parts, error) {
	source, err := openSource(m, s.now)
	if err != nil {
		return nil, err
	}
	log := s.logger(how.watch)
	made := &parts{}
	if made.machine, err = s.machineAt(placeOf(how.data, m.Adapter), log); err != nil {
		return nil, err
	}
	key, err := departmentKey(how.data, m.Adapter.Department())
	if err != nil {
		return nil, err
	}
	made.Config = adapters.Config{Manifest: m, Source: source, DepartmentKey: key, ExchangePublicKey: made.member.SealingKey, Signer: made.credential,
		StateDir: stateDir(how.data, m.Adapter), Clock: s.now, Log: log, AllowWithdrawals: how.allowWithdrawals, Explain: made.explain}
	return made, nil
}

// connect prepares the connection to Kafka: where the exchange said, showing the certificate where Kafka asks for it.
func (p *parts) connect(how running) (*bus.Bus, error) {
	config := bus.Config{Brokers: p.member.Kafka, ClientID: "yimen-" + string(p.Manifest.Adapter.Department()), Log: p.Log}
	if how.kafka != "" {
		config.Brokers = strings.Split(how.kafka, ",")
	}
	if p.member.KafkaTLS {
		config.TLS = p.credential.TLS()
	}
	return bus.Connect(config)
}

// refresh renews the certificate if that is due.
func (p *parts) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, renewalPatience)
	defer cancel()
	return p.credential.Refresh(ctx, func(ctx context.Context, request []byte) (certs.Papers, error) {
		joined, err := p.renew(ctx, request)
		p.ExchangePublicKey = p.member.SealingKey
		return joined.Papers(), err
	})
}

// stay reads again and again, and keeps the certificate fresh, until ctx ends.
func (p *parts) stay(ctx context.Context, runner *adapters.Runner) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return runner.Serve(ctx) })
	group.Go(func() error {
		err := p.credential.Keep(ctx, func(ctx context.Context, request []byte) (certs.Papers, error) {
			joined, err := p.renew(ctx, request)
			if err != nil {
				return certs.Papers{}, err
			}
			return joined.Papers(), runner.SealTo(joined.SealingKey)
		})
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
	return group.Wait()
}
