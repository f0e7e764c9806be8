// Package webhook sends CloudEvents to addresses that departments have named, and lets nobody make it ask anything else.
//
// An address is an https URL (http on this machine only), and is dialled only where the configuration allows its network: the
// check is made on the address that is dialled, after the name was resolved, so that no name leads elsewhere. Redirects are not
// followed and proxies not used. Before an address is sent anything it is asked whether it wants to be (CloudEvents HTTP 1.1 Web
// Hooks for Event Delivery, section 4); what is sent is signed (Standard Webhooks, v1a: Ed25519), so that its receiver needs no secret.
package webhook

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Config is what a Sender is made of. Origin and Sign are required.
type Config struct {
	Origin string         // who sends, as receivers are told: a name in the form of a host's
	Allow  []netip.Prefix // networks that may be dialled
	Roots  *x509.CertPool // of the receivers' certificates; nil: those that this machine trusts
	// Sign gives the key that signs. Its errors are not the receiver's fault.
	Sign  func(context.Context) (ed25519.PrivateKey, error)
	Clock func() time.Time // nil: time.Now
}

// Sender sends. It is safe for concurrent use.
type Sender struct {
	cfg    Config
	client *http.Client
}

// patience is how long a receiver may take for one answer.
const patience = 10 * time.Second

// New makes a sender.
func New(cfg Config) *Sender {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	s := &Sender{cfg: cfg}
	s.client = &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: s.dialer().DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.Roots},
			TLSHandshakeTimeout: patience, ResponseHeaderTimeout: patience, MaxResponseHeaderBytes: 16 << 10, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute,
			ForceAttemptHTTP2: true,
		},
	}
	return s
}

// Close lets go of idle connections.
func (s *Sender) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// ErrGone means that the receiver wants nothing any more (410).
var ErrGone = errors.New("the receiver is gone for good")

// Failure is a delivery that was not taken. It holds nothing that the receiver said but its status.
type Failure struct {
	Status int           // 0: there was no answer
	After  time.Duration // how long the receiver asks to be left alone; 0: it does not say
	Err    error
}

// Error says the status, or that there was no answer.
func (f *Failure) Error() string {
	if f.Status != 0 {
		return "answered " + strconv.Itoa(f.Status)
	}
	return "no answer: " + f.Err.Error()
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Ask finds out whether an address wants to be sent events, and how many a minute at most; 0: as many as there are. It errs with a
// Problem.
func (s *Sender) Ask(ctx context.Context, url string) (perMinute int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodOptions, url, nil)
	if err != nil {
		return 0, badAddress()
	}
	request.Header.Set("WebHook-Request-Origin", s.cfg.Origin)
	answer, err := s.client.Do(request)
	if err != nil {
		return 0, notReached(bare(err))
	}
	discard(answer)
	allowed := answer.Header.Get("WebHook-Allowed-Origin") // the status alone says nothing
	if allowed != "*" && !strings.EqualFold(allowed, s.cfg.Origin) {
		return 0, notWanted(s.cfg.Origin, answer.StatusCode)
	}
	perMinute, _ = strconv.Atoi(answer.Header.Get("WebHook-Allowed-Rate")) // "*", or none: as many as there are
	return max(0, perMinute), nil
}

// Send delivers an event in structured mode. It errs with a Failure, with ErrGone, or with the error of Config.Sign.
func (s *Sender) Send(ctx context.Context, url, id string, event []byte) error {
	key, err := s.cfg.Sign(ctx)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(event))
	if err != nil {
		return &Failure{Err: errors.New("the address is none")}
	}
	at := strconv.FormatInt(s.cfg.Clock().Unix(), 10)
	request.Header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	request.Header.Set("Origin", s.cfg.Origin)
	request.Header.Set("User-Agent", "yimen")
	request.Header.Set("Webhook-Id", id)
	request.Header.Set("Webhook-Timestamp", at)
	request.Header.Set("Webhook-Signature", "v1a,"+base64.StdEncoding.EncodeToString(ed25519.Sign(key, fmt.Appendf(nil, "%s.%s.%s", id, at, event))))
	answer, err := s.client.Do(request)
	if err != nil {
		return &Failure{Err: bare(err)}
	}
	discard(answer)
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode < 300:
		return nil
	case answer.StatusCode == http.StatusGone:
		return ErrGone
	}
	f := &Failure{Status: answer.StatusCode}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds > 0 {
		f.After = min(time.Duration(seconds)*time.Second, time.Hour)
	}
	return f
}

// discard reads a little of what nobody wants, so that the connection can be used again.
func discard(answer *http.Response) {
	io.CopyN(io.Discard, answer.Body, 4<<10)
	answer.Body.Close()
}

// PublicKey is the key that verifies signatures, as Standard Webhooks spells it.
func PublicKey(key ed25519.PublicKey) string {
	return "whpk_" + base64.StdEncoding.EncodeToString(key)
}
