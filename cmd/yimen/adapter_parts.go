package main

import (
	"context"
	"net/http"
	"strings"
	"time"

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
	place      enrol.Place
	credential *certs.Credential
	member     enrol.Membership
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
	made := &parts{place: placeOf(how.data, m.Adapter)}
	if made.member, err = made.place.Membership(); err != nil {
		return nil, err
	}
	log := s.logger(how.watch)
	at := made.place.Credential()
	at.Clock, at.Log = s.now, log
	if made.credential, err = certs.OpenCredential(at); err != nil {
		return nil, err
	}
	key, err := departmentKey(how.data, m.Adapter.Department())
	if err != nil {
		return nil, err
	}
	made.Config = adapters.Config{Manifest: m, Source: source, DepartmentKey: key, ExchangePublicKey: made.member.SealingKey, Signer: made.credential,
		StateDir: stateDir(how.data, m.Adapter), Clock: s.now, Log: log, AllowWithdrawals: how.allowWithdrawals}
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

// renewalPatience bounds a renewal before a reading: the reading does not depend on it yet.
const renewalPatience = 10 * time.Second

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

// renew asks the exchange for the next certificate, and notes what else it tells.
func (p *parts) renew(ctx context.Context, request []byte) (enrol.Joined, error) {
	transport := &http.Transport{TLSClientConfig: p.credential.TLS()}
	defer transport.CloseIdleConnections()
	client := enrol.Client{Base: p.member.Server, HTTP: &http.Client{Transport: transport, Timeout: renewalPatience}}
	joined, err := client.Renew(ctx, request)
	if err != nil {
		return joined, err
	}
	p.member.Exchange = joined.Exchange
	return joined, p.place.Save(p.member)
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
