package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/exchange"
)

// machine is one identity that this machine enrolled as.
type machine struct {
	place      enrol.Place
	credential *certs.Credential
	member     enrol.Membership
}

// machineAt opens what was kept at enrolment.
func (s *session) machineAt(place enrol.Place, log *slog.Logger) (*machine, error) {
	m := &machine{place: place}
	var err error
	if m.member, err = place.Membership(); err != nil {
		return nil, err
	}
	at := place.Credential()
	at.Clock, at.Log = s.now, log
	m.credential, err = certs.OpenCredential(at)
	return m, err
}

const (
	renewalPatience = 10 * time.Second // bounds a renewal before other work, which does not depend on it yet
	whyPatience     = 5 * time.Second  // bounds a question whose answer only explains what went wrong anyway
	doubtAfter      = 2 * time.Second  // Kafka that keeps silent for longer may have something against this identity
)

// calling lends a client that shows the present certificate.
func (m *machine) calling(patience time.Duration, use func(*enrol.Client) error) error {
	transport := &http.Transport{TLSClientConfig: m.credential.TLS()}
	defer transport.CloseIdleConnections()
	return use(&enrol.Client{Base: m.member.Server, HTTP: &http.Client{Transport: transport, Timeout: patience}})
}

// renew asks the exchange for the next certificate, and notes what else it tells.
func (m *machine) renew(ctx context.Context, request []byte) (joined enrol.Joined, err error) {
	err = m.calling(renewalPatience, func(c *enrol.Client) error {
		joined, err = c.Renew(ctx, request)
		return err
	})
	if err != nil {
		return joined, err
	}
	m.member.Exchange = joined.Exchange
	return joined, m.place.Save(m.member)
}

// explain finds the reason of an error of Kafka's. Kafka serves nobody who was revoked and tells nobody why: it refuses, hides its
// topics, or keeps silent until time is up. The exchange says why, so it is asked, once. Where it has nothing against this
// identity, or does not answer either, the error stays what it is.
func (m *machine) explain(ctx context.Context, err error) error {
	kind := exchange.KindOf(err)
	if ctx.Err() != nil || kind != exchange.Denied && kind != exchange.NotFound && kind != exchange.Unavailable {
		return err
	}
	if refused := m.refused(ctx); refused != nil {
		refused.Err = err
		return refused
	}
	return err
}

// refused is why the exchange does not take this identity any more, nil where it does or does not say.
func (m *machine) refused(ctx context.Context) *exchange.Problem {
	why := m.calling(whyPatience, func(c *enrol.Client) error {
		_, err := c.Own(ctx)
		return err
	})
	if p, ok := errors.AsType[*exchange.Problem](why); ok && p.Kind == exchange.Unauthorised {
		told := *p
		return &told
	}
	return nil
}

// unlessRefused does what Kafka is needed for. Where that takes long the exchange is asked whether it still takes this identity, and
// where it does not, there is nothing to wait for.
func (m *machine) unlessRefused(ctx context.Context, do func(context.Context) error) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	doubt := time.AfterFunc(doubtAfter, func() {
		if refused := m.refused(ctx); refused != nil {
			end(refused)
		}
	})
	defer doubt.Stop()
	err := do(ctx)
	if refused, ok := errors.AsType[*exchange.Problem](context.Cause(ctx)); ok && err != nil {
		return refused // err may wrap it, being how that ended
	}
	return err
}
