package certs

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// LocalConfig says where a local authority keeps its keys, and for which city it answers.
type LocalConfig struct {
	Dir    string           // made (0700) where it is not there
	City   string           // the trust domain, such as "liling"
	Clock  func() time.Time // nil: time.Now
	Random io.Reader        // nil: the system's
}

// LocalAuthority is the authority of one machine: its keys lie in files that nobody else may read. Whoever has the files is the
// authority, so several processes may open the same directory.
type LocalAuthority struct {
	city   string
	clock  func() time.Time
	random io.Reader
	root   root
	rings  rings

	mu    sync.RWMutex // guards known
	known map[string][]Key
}

// NewLocal opens the authority kept in a directory, making its root on the first opening. It refuses a directory or a file
// that others could read.
func NewLocal(config LocalConfig) (*LocalAuthority, error) {
	if config.Clock == nil {
		config.Clock = time.Now
	}
	if config.Random == nil {
		config.Random = rand.Reader
	}
	if !exchange.ValidName(config.City) {
		return nil, fmt.Errorf("open authority: %q is no name of a city", config.City)
	}
	files, err := OpenLocal(config.Dir)
	if err != nil {
		return nil, err
	}
	file, err := files.read(rootFile, func() ([]byte, error) {
		return makeRoot(config.City, config.Clock(), config.Random)
	})
	if err != nil {
		return nil, err
	}
	root, err := parseRoot(filepath.Join(config.Dir, rootFile), file, config.City)
	if err != nil {
		return nil, err
	}
	return &LocalAuthority{
		city: config.City, clock: config.Clock, random: config.Random, root: root,
		rings: rings{dir: config.Dir, clock: config.Clock, random: config.Random},
		known: make(map[string][]Key),
	}, nil
}

// Issue makes a certificate.
func (a *LocalAuthority) Issue(_ context.Context, order Order) (Issued, error) {
	draft, err := order.Draft(a.clock())
	if err != nil {
		return Issued{}, err
	}
	if order.Identity.City != a.city {
		return Issued{}, refused(exchange.Text{ZH: "身份属于另一个城市", EN: "the identity is another city's"})
	}
	if draft.SerialNumber, err = newSerial(a.random); err != nil {
		return Issued{}, err
	}
	raw, err := x509.CreateCertificate(a.random, draft, a.root.certificate, draft.PublicKey, a.root.key)
	if err != nil {
		return Issued{}, fmt.Errorf("sign certificate of %s: %w", order.Identity, err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		return Issued{}, fmt.Errorf("read certificate of %s: %w", order.Identity, err)
	}
	return Issued{Certificate: certificate, Chain: [][]byte{raw}}, nil
}

// Roots is the one root.
func (a *LocalAuthority) Roots() []*x509.Certificate {
	return []*x509.Certificate{a.root.certificate}
}

// Ring is every version of the secret, read from its files once.
func (a *LocalAuthority) Ring(_ context.Context, name string) ([]Key, error) {
	a.mu.RLock()
	known := a.known[name]
	a.mu.RUnlock()
	if len(known) > 0 && !a.rings.more(name, known) {
		return copied(known), nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	known, err := a.learn(name)
	if err == nil && len(known) == 0 {
		known, err = a.rings.first(name)
	}
	if err != nil {
		return nil, err
	}
	a.known[name] = known
	return copied(known), nil
}

// Rotate draws the next version of the secret.
func (a *LocalAuthority) Rotate(_ context.Context, name string) (Key, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, err := a.learn(name)
	if err != nil {
		return Key{}, err
	}
	known, version, err := a.rings.add(name, known)
	if err != nil {
		return Key{}, err
	}
	a.known[name] = known
	return copied(known)[version-1], nil
}

// learn reads what is there of a ring. a.mu is held.
func (a *LocalAuthority) learn(name string) ([]Key, error) {
	if !exchange.ValidName(name) {
		return nil, fmt.Errorf("%q is no name of a secret", name)
	}
	if known := a.known[name]; len(known) > 0 {
		return a.rings.extend(name, known)
	}
	return a.rings.load(name)
}

// State is always OK: the files are here.
func (a *LocalAuthority) State() State { return OK }

// Close forgets the secrets.
func (a *LocalAuthority) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, ring := range a.known {
		for _, key := range ring {
			clear(key.Secret)
		}
	}
	clear(a.known)
	return nil
}

// copied is the ring for a caller, who may do with it as he likes.
func copied(ring []Key) []Key {
	out := make([]Key, len(ring))
	for i, key := range ring {
		key.Secret = append([]byte(nil), key.Secret...)
		out[i] = key
	}
	return out
}
