package certs

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/onedoor/yimen/exchange/envelope"
)

// CredentialConfig says where a credential lies and what it needs.
type CredentialConfig struct {
	Dir  string // holds Name.key, Name.crt and roots.crt
	Name string
	// Clock nil: time.Now. Random nil: crypto/rand, for keys and for the moment of renewal. Log nil: silent.
	Clock  func() time.Time
	Random io.Reader
	Log    *slog.Logger
}

// Files are where private key and chain stand, in one file, and where the roots.
func (c CredentialConfig) Files() (key, roots string) {
	return filepath.Join(c.Dir, c.Name+secretSuffix), filepath.Join(c.Dir, rootsFile)
}

// Written are all files of the credential.
func (c CredentialConfig) Written() []string {
	key, roots := c.Files()
	return []string{key, filepath.Join(c.Dir, c.Name+chainSuffix), roots}
}

func (c CredentialConfig) withDefaults() CredentialConfig {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Papers are what an authority hands to the holder of a key.
type Papers struct {
	Chain [][]byte       // DER, the certificate first, without the root
	Roots [][]byte       // DER of the certificates that chains of this authority end in
	Suite envelope.Suite // by which the roll has the holder sign; zero: by which the key can
}

// Credential is a certificate and its private key on the disk of the machine that drew the key, which never leaves it. All
// it does, it does with the pair that is current; Keep renews the pair in time. It is safe for concurrent use.
type Credential struct {
	cfg     CredentialConfig
	current atomic.Pointer[pair]
}

// pair is a key and its certificate; nothing in it changes.
type pair struct {
	key      crypto.Signer
	papers   Papers
	leaf     *x509.Certificate
	identity Identity
	id       envelope.SignerID
	roots    *x509.CertPool
}

// Identity is whom the certificate names.
func (c *Credential) Identity() Identity { return c.current.Load().identity }

// Leaf is the current certificate.
func (c *Credential) Leaf() *x509.Certificate { return c.current.Load().leaf }

// Until is when the current certificate ends.
func (c *Credential) Until() time.Time { return c.current.Load().leaf.NotAfter }

// Sign signs with the current pair, for envelope.Signer. A certificate that is out of date signs nothing: whoever reads the
// message later would refuse it, long after the signer took it for delivered.
func (c *Credential) Sign(message []byte) ([]byte, envelope.SignerID, error) {
	p := c.current.Load()
	if err := p.inTime(c.cfg.Clock()); err != nil {
		return nil, envelope.SignerID{}, err
	}
	switch key := p.key.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(key, message), p.id, nil
	case *nationalKey:
		signature, err := key.signing.SignWithSM2(c.cfg.Random, nil, message)
		return signature, p.id, err
	}
	return nil, envelope.SignerID{}, notForSigning()
}

// Suite is whose algorithms Sign signs by.
func (c *Credential) Suite() envelope.Suite { return c.current.Load().suite() }

func (p *pair) suite() envelope.Suite {
	if _, national := p.key.(*nationalKey); national {
		return envelope.National
	}
	return envelope.Standard
}

// Certificate is the current pair as TLS wants it, for a client or a server; GetCertificate of a server's configuration asks
// for it at every handshake. It errs once the certificate is out of date.
func (c *Credential) Certificate() (*tls.Certificate, error) {
	p := c.current.Load()
	if err := p.inTime(c.cfg.Clock()); err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: p.papers.Chain, PrivateKey: p.key, Leaf: p.leaf}, nil
}

// TLS is how to call the exchange and its Kafka: with whatever pair is current at the handshake, and trusting nobody but the
// roots that are pinned now.
func (c *Credential) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		RootCAs:    c.current.Load().roots,
		Time:       c.cfg.Clock,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return c.Certificate()
		},
	}
}

// inTime says whether the certificate holds at the moment.
func (p *pair) inTime(now time.Time) error {
	if now.Before(p.leaf.NotBefore) {
		return tooEarly(p.leaf.NotBefore)
	}
	if !now.Before(p.leaf.NotAfter) {
		return outOfDate(p.leaf.NotAfter)
	}
	return nil
}
