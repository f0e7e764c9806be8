package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/certs/vault"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/copies"
	"github.com/onedoor/yimen/exchange/holdings"
)

// The names of the exchange's secrets. Each serves one purpose, so that no two parts can be joined by what one of them knows.
const (
	sealingKey   = "sealing"      // records are sealed to it; it rotates
	tokenKey     = "holder-token" // holders in the index
	indexKey     = "index"        // seals the index's rows
	auditKey     = "audit-token"  // subjects in the audit log
	signatureKey = "audit-signature"
	doubtsKey    = "doubts"          // seals what people write of doubts
	logKey       = "log"             // signs the transparency log's checkpoints
	ordersKey    = roll.OrdersSecret // signs what the exchange tells its nodes: roll, erasures
	noticesKey   = "notices"         // signs what webhooks are sent
	copiesKey    = "copies"          // signs copies of records
	copyCodesKey = "copy-codes"      // seals what the codes on copies name
)

// startVault is how long a start waits for Vault to answer.
const startVault = time.Minute

// keep opens the authority, and asks it for every secret: in Vault the first question needs Vault itself, and later ones are
// answered from memory.
func (n *Node) keep(ctx context.Context) (err error) {
	if n.Authority, err = n.authority(ctx); err != nil {
		return err
	}
	n.close = append(n.close, n.Authority.Close)
	for _, s := range secrets {
		if _, err := n.Authority.Ring(ctx, s.name); err != nil {
			return err
		}
	}
	return nil
}

// authority is the configured one.
func (n *Node) authority(ctx context.Context) (certs.Authority, error) {
	if n.around.authority != nil {
		return n.around.authority, nil
	}
	return n.cfg.authority(ctx, n.around, n.Metrics)
}

// Authority opens a configuration's authority without a node, and gives the city that it is the authority of: for certificates that
// must be there before a node can run, those of Kafka. made says that its keys lie in files and were drawn just now.
func Authority(ctx context.Context, cfg Config, around Surroundings) (opened certs.Authority, city string, made bool, err error) {
	cfg = cfg.withDefaults()
	if cfg.Vault.Address == "" {
		_, err := os.Stat(cfg.keys())
		made = errors.Is(err, fs.ErrNotExist)
	}
	opened, err = cfg.authority(ctx, around, nil)
	return opened, cfg.City, made, err
}

// keys is where an authority in files has them.
func (c Config) keys() string { return filepath.Join(c.Data, keysDir) }

// authority is Vault, or files of this machine.
func (c Config) authority(ctx context.Context, around Surroundings, metrics prometheus.Registerer) (certs.Authority, error) {
	if c.Vault.Address == "" {
		return certs.NewLocal(certs.LocalConfig{Dir: c.keys(), City: c.City, Clock: around.Clock})
	}
	config := c.Vault
	config.Log, config.Metrics, config.Clock = around.Log, metrics, around.Clock
	ctx, cancel := context.WithTimeout(ctx, startVault)
	defer cancel()
	return vault.Open(ctx, config)
}

// orders are the keys of what the exchange tells its nodes.
func (n *Node) orders() roll.Orders {
	return roll.Orders{Authority: n.Authority, Clock: n.around.Clock}
}

// orderVerifiers are the public halves of all of them.
func (n *Node) orderVerifiers(ctx context.Context) ([]ed25519.PublicKey, error) {
	keys, err := n.orders().Verifiers(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKeyless, err)
	}
	return keys, nil
}

// errKeyless marks an error of the authority itself.
var errKeyless = errors.New("the authority gives no keys")

// ring is every version of a secret.
func (n *Node) ring(ctx context.Context, name string) ([]certs.Key, error) {
	ring, err := n.Authority.Ring(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKeyless, err)
	}
	return ring, nil
}

// secret is the newest version of a secret that does not rotate.
func (n *Node) secret(ctx context.Context, name string) ([]byte, error) {
	ring, err := n.ring(ctx, name)
	if err != nil {
		return nil, err
	}
	return ring[len(ring)-1].Secret, nil
}

// signer is the signing key that follows from a secret that does not rotate.
func (n *Node) signer(ctx context.Context, name string) (ed25519.PrivateKey, error) {
	seed, err := n.secret(ctx, name)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// indexKeys are those that the index is kept under.
func (n *Node) indexKeys(ctx context.Context) (keys holdings.Keys, err error) {
	if keys.Token, err = n.secret(ctx, tokenKey); err == nil {
		keys.Seal, err = n.secret(ctx, indexKey)
	}
	return keys, err
}

// auditKeys are those of the audit log.
func (n *Node) auditKeys(ctx context.Context) (keys audit.Keys, err error) {
	if keys.Token, err = n.secret(ctx, auditKey); err == nil {
		keys.Signature, err = n.signer(ctx, signatureKey)
	}
	return keys, err
}

// copyKeys are those of copies of records.
func (n *Node) copyKeys(ctx context.Context) (keys copies.Keys, err error) {
	if keys.Codes, err = n.secret(ctx, copyCodesKey); err == nil {
		keys.Signature, err = n.signer(ctx, copiesKey)
	}
	return keys, err
}

// sealingSecrets are all versions of the secret that records are sealed to.
func (n *Node) sealingSecrets(ctx context.Context) (all [][]byte, err error) {
	ring, err := n.ring(ctx, sealingKey)
	for _, key := range ring {
		all = append(all, key.Secret)
	}
	return all, err
}

// lookAgain is how often it is asked whether the authority is closed.
const lookAgain = 100 * time.Millisecond

// surrender has every part forget its keys while the authority is closed: what the authority gave up must not live on in what was
// derived from it. They are derived again when they are asked for and the authority is back.
func (n *Node) surrender(ctx context.Context) error {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if n.Authority.State() == certs.Closed { // each time: what was under way when it closed may have derived a key since
			n.Index.Forget()
			n.audit.Forget()
			n.Ledger.Forget()
			n.shelf.Forget()
		}
	}
}

// closedMeanwhile says whether an error is because the authority was closed.
func closedMeanwhile(err error) bool {
	return errors.Is(err, errKeyless) && exchange.KindOf(err) == exchange.Unavailable
}

// open errs while the authority is closed: what it held in memory has outlived its time, and nothing is answered by it.
func (n *Node) open() error {
	if n.Authority.State() != certs.Closed {
		return nil
	}
	return &exchange.Problem{Code: "YM-KEY-0301", Kind: exchange.Unavailable,
		What: text("密钥不可用，因此不给结论", "the keys are not to be had, so there is no answer"),
		Why:  text("Vault 已中断，超过了密钥可留在内存的时间", "Vault has been away for longer than keys may stay in memory"),
		Mend: text("恢复 Vault（启动、解封、网络）；恢复后几秒内自动继续", "bring Vault back (start it, unseal it, mend the network); the exchange goes on by itself within seconds")}
}
