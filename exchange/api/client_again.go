package api

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/wire"
)

// ask sends a request, again while that may help and Patience lasts. Each sending has a nonce of its own: a copy of one that went
// before would be refused.
func (c *Client) ask(ctx context.Context, method, path string, asked any) (wire.Answer, error) {
	key := rand.Text()
	renewed := false
	answer, err := backoff.Retry(ctx, func() (wire.Answer, error) {
		answer, err := c.send(ctx, method, path, asked, key)
		if !renewed && c.showsAnother(err) {
			renewed = true
			answer, err = c.send(ctx, method, path, asked, key)
		}
		return answer, c.passing(ctx, err)
	}, backoff.WithBackOff(pauses()), backoff.WithMaxElapsedTime(max(c.Patience, 1)))
	if p, ok := errors.AsType[*exchange.Problem](err); ok {
		return answer, p
	}
	return answer, err
}

func (c *Client) send(ctx context.Context, method, path string, asked any, key string) (wire.Answer, error) {
	request, err := c.request(ctx, method, path, asked, key)
	if err != nil {
		return wire.Answer{}, err
	}
	return wire.Ask(c.HTTP, request, maxAnswer, func(err error) error { return unreachable(c.Base, err) })
}

// showsAnother gives connections up that were made with a certificate which is out of date by now: the next one shows the
// certificate that took its place.
func (c *Client) showsAnother(err error) bool {
	if c.Token != "" || c.HTTP == nil || exchange.KindOf(err) != exchange.Unauthorised {
		return false
	}
	c.HTTP.CloseIdleConnections()
	return true
}

// passing marks errors as those that may pass, after the time that the exchange named, and those that will not.
func (c *Client) passing(ctx context.Context, err error) error {
	p, ok := errors.AsType[*exchange.Problem](err)
	var untrusted *tls.CertificateVerificationError
	switch {
	case err == nil:
		return nil
	case !ok || ctx.Err() != nil || c.Patience <= 0 || errors.As(err, &untrusted) || errors.Is(err, http.ErrSchemeMismatch):
		return backoff.Permanent(err)
	case p.Kind == exchange.Limited && p.After > 0, p.Kind == exchange.Unavailable && p.After > 0:
		return errors.Join(err, &backoff.RetryAfterError{Duration: p.After})
	case p.Kind == exchange.Unavailable:
		return err
	}
	return backoff.Permanent(err)
}

// pauses are the waits where the exchange named none, a quarter of a second first and never above eight: many clients that lost the
// exchange at once must not come back at once.
func pauses() backoff.BackOff {
	return &backoff.ExponentialBackOff{InitialInterval: 250 * time.Millisecond, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: 5 * time.Second}
}
