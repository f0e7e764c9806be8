package node

import (
	"context"
	"crypto/ed25519"
	"path/filepath"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/certs/vault"
	"github.com/onedoor/yimen/exchange"
)

// The names of the exchange's secrets. Each serves one purpose, so that no two parts can be joined by what one of them knows.
const (
	sealingKey   = "sealing"      // records are sealed to it; it rotates
	tokenKey     = "holder-token" // holders in the index
	indexKey     = "index"        // seals the index's rows
	auditKey     = "audit-token"  // subjects in the audit log
	signatureKey = "audit-signature"
	logKey       = "log"             // signs the transparency log's checkpoints
	ordersKey    = roll.OrdersSecret // signs what the exchange tells its nodes: roll, erasures
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
	for _, name := range []string{sealingKey, tokenKey, indexKey, auditKey, signatureKey, logKey, ordersKey} {
		if _, err := n.Authority.Ring(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// authority is the configured one: Vault, or files of this machine.
func (n *Node) authority(ctx context.Context) (certs.Authority, error) {
	if n.cfg.Vault.Address == "" {
		return certs.NewLocal(certs.LocalConfig{Dir: filepath.Join(n.cfg.Data, keysDir), City: n.cfg.City, Clock: n.around.Clock})
	}
	config := n.cfg.Vault
	config.Log, config.Metrics, config.Clock = n.around.Log, n.Metrics, n.around.Clock
	ctx, cancel := context.WithTimeout(ctx, startVault)
	defer cancel()
	return vault.Open(ctx, config)
}

// secret is the newest version of a secret that does not rotate while it is in use.
func (n *Node) secret(ctx context.Context, name string) ([]byte, error) {
	ring, err := n.Authority.Ring(ctx, name)
	if err != nil {
		return nil, err
	}
	return ring[len(ring)-1].Secret, nil
}

// signers are the signing keys that follow from every version of a secret, oldest first.
func (n *Node) signers(ctx context.Context, name string) (all []ed25519.PrivateKey, err error) {
	ring, err := n.Authority.Ring(ctx, name)
	for _, key := range ring {
		all = append(all, ed25519.NewKeyFromSeed(key.Secret))
	}
	return all, err
}

// sealingSecrets are all versions of the secret that records are sealed to.
func (n *Node) sealingSecrets(ctx context.Context) (all [][]byte, err error) {
	ring, err := n.Authority.Ring(ctx, sealingKey)
	for _, key := range ring {
		all = append(all, key.Secret)
	}
	return all, err
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
