package certs

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// LocalAuthority is the authority of a single machine: a root whose key, like every secret, is a file below one directory that nobody
// else can read. It is always OK.
type LocalAuthority struct {
	dir   string
	city  string
	clock func() time.Time
	root  *x509.Certificate
	key   *ecdsa.PrivateKey

	mu    sync.Mutex // guards rings
	rings map[string][]Key
}

// LocalConfig says where a local authority keeps its keys and for which city it speaks.
type LocalConfig struct {
	Dir   string // made (0700) where there is none
	City  string
	Clock func() time.Time // nil: time.Now
}

// rootLife is how long a root lives. Everything hangs on it, and there is no other way to replace it than to enrol anew.
const rootLife = 20 * 365 * 24 * time.Hour

// NewLocal opens a local authority; at the first opening it draws its root.
func NewLocal(cfg LocalConfig) (*LocalAuthority, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if _, err := OpenLocal(cfg.Dir); err != nil { // refuses what others can read
		return nil, err
	}
	a := &LocalAuthority{dir: cfg.Dir, city: cfg.City, clock: cfg.Clock, rings: map[string][]Key{}}
	path := filepath.Join(cfg.Dir, "root"+secretSuffix)
	store := &Local{dir: cfg.Dir}
	content, err := store.read("root"+secretSuffix, a.drawRoot)
	if err != nil {
		return nil, err
	}
	if a.root, a.key, err = parseRoot(content); err != nil {
		return nil, damagedRoot(path, err)
	}
	return a, a.publishRoot()
}

// drawRoot makes the root: its key and its certificate in one file, so that neither is ever there without the other.
func (a *LocalAuthority) drawRoot() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("draw root key: %w", err)
	}
	now := a.clock()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: a.city + " root", Organization: []string{a.city}},
		NotBefore: now.Add(-clockLeeway), NotAfter: now.Add(rootLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make root certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write root key: %w", err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...), nil
}

func parseRoot(content []byte) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	secret, rest := pem.Decode(content)
	block, _ := pem.Decode(rest)
	if secret == nil || block == nil {
		return nil, nil, fmt.Errorf("key or certificate is missing")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(secret.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return nil, nil, fmt.Errorf("its key cannot be read")
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("its certificate cannot be read")
	}
	if !key.PublicKey.Equal(root.PublicKey) {
		return nil, nil, fmt.Errorf("key and certificate are not each other's")
	}
	return root, key, nil
}

// publishRoot lays the root's certificate beside the keys, readable by all, for tools such as curl and Kafka.
func (a *LocalAuthority) publishRoot() error {
	path := filepath.Join(a.dir, "root"+publicSuffix)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	err := write(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw}), 0o644)
	if os.IsExist(err) {
		return nil
	}
	return err
}

// Issue makes a certificate for the request's key.
func (a *LocalAuthority) Issue(ctx context.Context, order Order) (Issued, error) {
	public, err := CheckRequest(order.Request)
	if err != nil {
		return Issued{}, err
	}
	template, err := order.Template(a.city, a.clock())
	if err != nil {
		return Issued{}, err
	}
	template.SerialNumber = serial()
	der, err := x509.CreateCertificate(rand.Reader, template, a.root, public, a.key)
	if err != nil {
		return Issued{}, fmt.Errorf("issue certificate: %w", err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		return Issued{}, fmt.Errorf("issue certificate: %w", err)
	}
	return Issued{Certificate: made, Chain: [][]byte{der}}, ctx.Err()
}

// serial is a random number of 128 bits.
func serial() *big.Int {
	n := make([]byte, 16)
	rand.Read(n)
	n[0] &= 0x7f // a serial number is positive
	return new(big.Int).SetBytes(n)
}

// Roots is the one root.
func (a *LocalAuthority) Roots() []*x509.Certificate { return []*x509.Certificate{a.root} }

// State is always OK: files do not go away.
func (a *LocalAuthority) State() State { return OK }

// Close does nothing.
func (a *LocalAuthority) Close() error { return nil }

var _ Authority = (*LocalAuthority)(nil)
