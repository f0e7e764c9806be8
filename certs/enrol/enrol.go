// Package enrol lets departments' machines get and renew their certificates over HTTP, and administrators invite and revoke.
//
// A machine enrols with two things from its letter of access: a one-time token, and the fingerprint of the exchange's root.
// By the fingerprint it knows the server before it sends the token, and by the token the server knows it; the key it drew
// stays with it. From then on it shows its certificate, and renews it with that.
package enrol

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll"
)

// Config is what the server side is made of. Everything but Known, Log and Clock is required.
type Config struct {
	Roll *roll.Roll
	City string
	// Roots are those of the authority.
	Roots func() []*x509.Certificate
	// SealingKeys are the exchange's public keys that records are sealed to, the current one first.
	SealingKeys func(ctx context.Context) ([]SealingKey, error)
	// Kafka are the brokers' addresses as departments reach them.
	Kafka []string
	// Admin finds out which administrator sent a request, or why none did.
	Admin func(*http.Request) (who string, err error)
	// Known says whether an identity may be invited, such as whether its department is in the catalogue. Nil: all may.
	Known func(certs.Identity) error
	// Fail answers a request with an error.
	Fail  func(http.ResponseWriter, *http.Request, error)
	Log   *slog.Logger     // nil: silent
	Clock func() time.Time // nil: time.Now
}

// New is a handler for the addresses below /v1 that are listed in it. The server must ask for client certificates and verify
// those given against the authority's roots (tls.VerifyClientCertIfGiven).
func New(cfg Config) (http.Handler, error) {
	if cfg.Roll == nil || cfg.City == "" || cfg.Roots == nil || cfg.SealingKeys == nil || cfg.Admin == nil || cfg.Fail == nil {
		return nil, errors.New("enrolment lacks a part it needs")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	s := &server{cfg}
	mux := http.NewServeMux()
	for route, do := range map[string]func(*http.Request) (any, error){
		"GET /v1/roots":         s.roots,
		"POST /v1/enrolments":   s.enrol,
		"POST /v1/renewals":     s.renew,
		"GET /v1/identities":    s.administrator(s.identities),
		"POST /v1/invitations":  s.administrator(s.invite),
		"POST /v1/revocations":  s.administrator(s.revoke),
		"POST /v1/restorations": s.administrator(s.restore),
	} {
		mux.HandleFunc(route, s.answer(do))
	}
	return mux, nil
}

type server struct{ cfg Config }

// answer turns a function that gives a value or an error into a handler. No answer is kept by anybody on the way: some hold
// tokens.
func (s *server) answer(do func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		w.Header().Set("Cache-Control", "no-store")
		value, err := do(r)
		if err != nil {
			s.cfg.Fail(w, r, err)
			return
		}
		body, err := json.Marshal(value, json.Deterministic(true))
		if err != nil {
			s.cfg.Fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Write(append(body, '\n')) // a client that is gone needs no answer
	}
}

func (s *server) roots(*http.Request) (any, error) { return rootsAnswer{s.rootsDER()}, nil }

func (s *server) rootsDER() [][]byte {
	var all [][]byte
	for _, root := range s.cfg.Roots() {
		all = append(all, root.Raw)
	}
	return all
}

func (s *server) enrol(r *http.Request) (any, error) {
	var asked enrolment
	if err := decode(r, &asked); err != nil {
		return nil, err
	}
	keys, err := s.cfg.SealingKeys(r.Context()) // first: a token that was used up for nothing is not given back
	if err != nil {
		return nil, err
	}
	issued, err := s.cfg.Roll.Enrol(r.Context(), asked.Token, asked.Request)
	if err != nil {
		return nil, err
	}
	s.cfg.Log.Info("certificate issued by invitation", "until", issued.Certificate.NotAfter)
	return s.papers(issued, keys), nil
}

func (s *server) renew(r *http.Request) (any, error) {
	current, err := shown(r)
	if err != nil {
		return nil, err
	}
	var asked renewal
	if err := decode(r, &asked); err != nil {
		return nil, err
	}
	keys, err := s.cfg.SealingKeys(r.Context())
	if err != nil {
		return nil, err
	}
	issued, err := s.cfg.Roll.Renew(r.Context(), current, asked.Request)
	if err != nil {
		return nil, err
	}
	return s.papers(issued, keys), nil
}

// shown is the certificate that the caller holds the key of. Only the connection says so; what a header says is anybody's.
func shown(r *http.Request) (*x509.Certificate, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil, noCertificate()
	}
	return r.TLS.VerifiedChains[0][0], nil
}

func (s *server) papers(issued certs.Issued, keys []SealingKey) Papers {
	return Papers{Chain: issued.Chain, Roots: s.rootsDER(), SealingKeys: keys, Kafka: s.cfg.Kafka}
}
