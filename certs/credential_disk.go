package certs

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange/durable"
	"github.com/onedoor/yimen/exchange/envelope"
)

// The files of a credential. Name.key holds the private key and, after it, the chain: one file, so that one rename replaces
// both and no crash leaves a key without its certificate. (Kafka calls that a PEM key store.) By the national suite the SM2 key stands last in it. Name.crt is the chain again, for
// people and tools, and is never read here.
const (
	chainSuffix = ".crt"
	rootsFile   = "roots.crt"
)

const (
	keyBlock         = "PRIVATE KEY"
	certificateBlock = "CERTIFICATE"
)

// OpenCredential reads a credential. It refuses files that others can read, and a certificate that is out of date. Where
// nothing was saved yet, its Problem is of the kind NotFound.
func OpenCredential(cfg CredentialConfig) (*Credential, error) {
	c := &Credential{cfg: cfg.withDefaults()}
	keyPath := c.path(secretSuffix)
	content, err := ReadPrivate(keyPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notEnrolled(keyPath)
	}
	if err != nil {
		return nil, err
	}
	roots, err := ReadPrivate(c.rootsPath())
	if err != nil {
		return nil, err
	}
	key, chain, err := parseKeyFile(content)
	if err != nil {
		return nil, unreadable(keyPath, err)
	}
	p, err := pairOf(key, Papers{Chain: chain, Roots: certificatesIn(roots)})
	if err != nil {
		return nil, unreadable(keyPath, err)
	}
	if err := p.inTime(c.cfg.Clock()); err != nil {
		return nil, err
	}
	c.current.Store(p)
	return c, nil
}

// SaveCredential keeps a new key and its papers, in the place of what was there. It checks first that they belong together
// and that the chain ends in one of the roots. What was there stays whole until the new pair is durable.
func SaveCredential(cfg CredentialConfig, key crypto.Signer, papers Papers) (*Credential, error) {
	c := &Credential{cfg: cfg.withDefaults()}
	p, err := pairOf(key, papers)
	if err == nil {
		err = p.verify(c.cfg.Clock())
	}
	if err != nil {
		return nil, badPapers(err)
	}
	if err := c.save(p); err != nil {
		return nil, err
	}
	c.current.Store(p)
	return c, nil
}

// HoldCredential keeps a key and its papers in memory only, for whoever gets new ones at each start.
func HoldCredential(cfg CredentialConfig, key crypto.Signer, papers Papers) (*Credential, error) {
	cfg.Dir = ""
	return SaveCredential(cfg, key, papers)
}

// pairOf puts a key and its papers together, and sees that they belong together.
func pairOf(key crypto.Signer, papers Papers) (*pair, error) {
	key, err := bySuite(key, papers.Suite)
	if err != nil {
		return nil, err
	}
	p := &pair{key: key, papers: papers, roots: x509.NewCertPool()}
	if len(papers.Chain) == 0 || len(papers.Roots) == 0 {
		return nil, errors.New("a certificate or its root is missing")
	}
	if p.leaf, err = x509.ParseCertificate(papers.Chain[0]); err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	public, ok := p.leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(key.Public()) {
		return nil, errors.New("the certificate is not for this key")
	}
	if p.identity, err = IdentityOf(p.leaf); err != nil {
		return nil, err
	}
	for _, der := range papers.Roots {
		root, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("read root: %w", err)
		}
		p.roots.AddCert(root)
	}
	p.id = envelope.SignerID(FingerprintOf(papers.Chain[0]))
	return p, nil
}

// verify says whether the chain ends in one of the roots.
func (p *pair) verify(now time.Time) error {
	between := x509.NewCertPool()
	for _, der := range p.papers.Chain[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("read chain: %w", err)
		}
		between.AddCert(c)
	}
	_, err := p.leaf.Verify(x509.VerifyOptions{Roots: p.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}

// save writes a pair. The roots come first: with them the pair that is there still works, while the new pair may not work
// without them.
func (c *Credential) save(p *pair) error {
	if c.cfg.Dir == "" {
		return nil
	}
	for _, step := range c.steps(p) {
		if err := step(); err != nil {
			return notSaved(c.cfg.Dir, err)
		}
	}
	return nil
}

// steps are the writings of a save in order; each is done whole or not at all, and after each the pair on the disk is usable.
func (c *Credential) steps(p *pair) []func() error {
	return []func() error{
		func() error { return os.MkdirAll(c.cfg.Dir, 0o700) },
		func() error { return durable.Replace(c.rootsPath(), certificates(p.papers.Roots), 0o600) },
		func() error {
			key, err := keyFile(p.key, p.papers.Chain)
			if err != nil {
				return err
			}
			return durable.Replace(c.path(secretSuffix), key, 0o600)
		},
		func() error { return durable.Replace(c.path(chainSuffix), certificates(p.papers.Chain), 0o600) },
	}
}

func (c *Credential) path(suffix string) string {
	return filepath.Join(c.cfg.Dir, c.cfg.Name+suffix)
}

func (c *Credential) rootsPath() string { return filepath.Join(c.cfg.Dir, rootsFile) }

func keyFile(key crypto.Signer, chain [][]byte) ([]byte, error) {
	var signing []byte
	if national, is := key.(*nationalKey); is {
		var err error
		if signing, err = national.signingPEM(); err != nil {
			return nil, err
		}
		key = national.PrivateKey
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write key: %w", err)
	}
	return slices.Concat(pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der}), certificates(chain), signing), nil
}

// parseKeyFile reads what keyFile wrote.
func parseKeyFile(content []byte) (crypto.Signer, [][]byte, error) {
	block, rest := pem.Decode(content)
	if block == nil || block.Type != keyBlock {
		return nil, nil, errors.New("it does not begin with a private key in PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, nil, errors.New("its private key cannot be read") // the cause might show some of it
	}
	switch key := parsed.(type) {
	case ed25519.PrivateKey:
		with, err := withSigning(key, rest)
		return with, certificatesIn(rest), err
	case *ecdsa.PrivateKey:
		return key, certificatesIn(rest), nil
	}
	return nil, nil, errors.New("its private key is of a kind that is not used here")
}

func certificates(all [][]byte) []byte {
	var b bytes.Buffer
	for _, der := range all {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: der}))
	}
	return b.Bytes()
}

func certificatesIn(content []byte) (all [][]byte) {
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == certificateBlock {
			all = append(all, block.Bytes)
		}
	}
	return all
}
