package certs

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Renewer asks for a certificate for a new key, with the credential that is still current.
type Renewer func(ctx context.Context, request []byte) (Papers, error)

const (
	jitterShare  = 20               // so that a city's machines do not all come at once: up to 1/20 of the life earlier
	lookEvery    = time.Minute      // a machine that slept finds its certificate due when it wakes
	renewalLimit = 30 * time.Second // for one attempt
)

// Keep renews the credential at two thirds of its life, until ctx ends, and gives the cause. Each attempt draws a new key. One
// that fails is logged and made again, in longer and longer pauses; the pair that was current stays so until the new one is
// durable. What was enrolled anew on the disk meanwhile is taken over.
func (c *Credential) Keep(ctx context.Context, renew Renewer) error {
	for {
		due, err := c.due()
		if err != nil {
			return err
		}
		for wait := due.Sub(c.cfg.Clock()); wait > 0; wait = due.Sub(c.cfg.Clock()) {
			if err := pause(ctx, min(wait, lookEvery)); err != nil {
				return err
			}
		}
		_, err = backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, c.renew(ctx, renew) },
			backoff.WithBackOff(renewalPauses()), backoff.WithMaxElapsedTime(0), backoff.WithNotify(c.notRenewed))
		if err != nil {
			return err // the cause of the end of ctx: nothing else ends the attempts
		}
		c.cfg.Log.Info("certificate renewed", "until", c.Until())
		if err := pause(ctx, c.breath()); err != nil {
			return err
		}
	}
}

// breath is the least time between two renewals: by a clock that is days ahead, every new certificate is due at once.
func (c *Credential) breath() time.Duration {
	leaf := c.current.Load().leaf
	return min(lookEvery, leaf.NotAfter.Sub(leaf.NotBefore)/10)
}

// Refresh renews the credential if that is due, once. It is for whoever runs now and then: Keep is for whoever stays.
func (c *Credential) Refresh(ctx context.Context, renew Renewer) error {
	due, err := c.due()
	if err != nil || c.cfg.Clock().Before(due) {
		return err
	}
	return c.renew(ctx, renew)
}

func (c *Credential) notRenewed(err error, next time.Duration) {
	c.cfg.Log.Warn("certificate not renewed; trying again", "until", c.Until(), "in", next.Round(time.Second), "error", err)
}

func renewalPauses() backoff.BackOff {
	return &backoff.ExponentialBackOff{InitialInterval: 5 * time.Second, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: 5 * time.Minute}
}

// Due is by when the current certificate is to be renewed: at two thirds of its life, or a little earlier.
func (c *Credential) Due() time.Time { return DueOf(c.current.Load().leaf) }

// DueOf is by when a certificate is to be renewed.
func DueOf(leaf *x509.Certificate) time.Time {
	return leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) * 2 / 3)
}

// due is when the current certificate is to be renewed.
func (c *Credential) due() (time.Time, error) {
	leaf := c.current.Load().leaf
	jitter, err := fraction(c.cfg.Random, leaf.NotAfter.Sub(leaf.NotBefore)/jitterShare)
	if err != nil {
		return time.Time{}, fmt.Errorf("draw the moment of renewal: %w", err)
	}
	return DueOf(leaf).Add(-jitter), nil
}

// fraction draws a part of a time span.
func fraction(random io.Reader, of time.Duration) (time.Duration, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, err
	}
	return time.Duration(binary.BigEndian.Uint64(b[:]) % uint64(max(1, of))), nil
}

// renewedElsewhere takes over what another process, or a person who enrolled anew, has saved meanwhile.
func (c *Credential) renewedElsewhere() bool {
	if c.cfg.Dir == "" {
		return false
	}
	saved, err := OpenCredential(c.cfg)
	if err != nil || saved.Identity() != c.Identity() || saved.Suite() != c.Suite() || !saved.Until().After(c.Until()) {
		return false
	}
	c.current.Store(saved.current.Load())
	return true
}

// renew makes one attempt.
func (c *Credential) renew(ctx context.Context, renew Renewer) error {
	if c.renewedElsewhere() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, renewalLimit)
	defer cancel()
	old := c.current.Load()
	key, request, err := old.another(c.cfg.Random)
	if err != nil {
		return err
	}
	papers, err := renew(ctx, request)
	if err != nil {
		return err
	}
	renewed, err := pairOf(key, papers)
	if err == nil {
		err = renewed.verify(c.cfg.Clock())
	}
	if err == nil && renewed.identity != old.identity {
		err = errors.New("it names somebody else")
	}
	if err != nil {
		return badPapers(err)
	}
	if err := c.save(renewed); err != nil {
		return err
	}
	c.current.Store(renewed)
	return nil
}

// another draws a key of the same kind, and a request for it.
func (p *pair) another(random io.Reader) (crypto.Signer, []byte, error) {
	if _, server := p.key.(*ecdsa.PrivateKey); server {
		return NewServerRequest(random, p.identity.Principal())
	}
	return NewRequest(p.suite(), random, p.identity.Principal())
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
