// Package vault is the authority kept in HashiCorp Vault.
//
// Vault's PKI signs certificates. Secrets are drawn by a node, wrapped by Vault's transit engine and kept in one document of
// its KV store, which changes only where nobody else was first. What a node has unwrapped it holds in memory for a stated
// time, and asks for again long before that is over.
//
// Vault is on the path of key changes, never on that of a query: Ring, Roots and State answer from memory. While Vault does
// not answer the authority is degraded, when the time is over it is closed, and a few seconds after Vault is back all is as
// before, without a restart and without a rush of all nodes at once.
package vault

import (
	"context"
	"crypto/x509"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

// Authority is a certs.Authority in Vault.
type Authority struct {
	config  Config
	clock   func() time.Time
	log     *slog.Logger
	metrics *metrics
	client  *api.Client // for everything but the renewal of its token
	renewer *api.Client

	life  context.Context // ends with Close
	end   context.CancelFunc
	work  sync.WaitGroup
	wake  chan struct{} // one place: look at Vault now
	turn  chan struct{} // one place: held by whoever asks Vault, or changes what is held
	close sync.Once

	session session

	mu      sync.RWMutex     // guards all below; never held over a request
	trouble error            // why Vault cannot be relied on; nil: it can
	until   time.Time        // when what is held must be given up
	held    map[string]*held // by name: what was asked for
	roots   []*x509.Certificate
	issuers []string // whose roots these are, as Vault lists them
}

var _ certs.Authority = (*Authority)(nil)

// Open logs in and learns the roots. It waits for Vault for as long as ctx lets it, but not where waiting is of no use: a
// wrong CA, a login that is refused, or a wrapped secret-id that somebody else has opened.
func Open(ctx context.Context, config Config) (*Authority, error) {
	config = config.withDefaults()
	if err := config.Check(); err != nil {
		return nil, err
	}
	a := &Authority{
		config: config, clock: config.Clock, log: config.Log,
		wake: make(chan struct{}, 1), turn: make(chan struct{}, 1),
		held: make(map[string]*held),
	}
	var err error
	if a.client, err = newClient(config, longest); err != nil {
		return nil, err
	}
	if a.renewer, err = newClient(config, config.Timeout); err != nil {
		return nil, err
	}
	if a.metrics, err = newMetrics(config.Metrics, a); err != nil {
		return nil, err
	}
	a.life, a.end = context.WithCancel(context.Background())
	if err := a.begin(ctx); err != nil {
		a.Close()
		return nil, err
	}
	a.work.Go(a.tend)
	return a, nil
}

// begin is the first look at Vault.
func (a *Authority) begin(ctx context.Context) error {
	ctx, give, err := a.take(ctx)
	if err != nil {
		return err
	}
	defer give()
	for {
		err := a.asking(ctx, a.refresh)
		if err == nil {
			return nil
		}
		a.metrics.failed("open", err)
		if why(err) == stolen {
			a.alarm(err)
		}
		if hopeful := why(err).away() && why(err) != untrusted; !hopeful || !sleep(ctx, pause()/4) {
			return a.problem(exchange.Text{ZH: "未能接上 Vault", EN: "Vault is not there to start with"}, err)
		}
		a.log.Warn("Vault does not answer as it should, trying again", "address", a.config.Address, "error", err)
	}
}

// Roots are the self-signed certificates at the ends of all chains of the mount's issuers.
func (a *Authority) Roots() []*x509.Certificate {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Clone(a.roots)
}

// State says how far the authority can be relied on.
func (a *Authority) State() certs.State {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.state()
}

// state is State; a.mu is held.
func (a *Authority) state() certs.State {
	switch {
	case !a.clock().Before(a.until):
		return certs.Closed
	case a.trouble != nil:
		return certs.Degraded
	}
	return certs.OK
}

// Close gives up what is held and hands the token back.
func (a *Authority) Close() error {
	a.close.Do(func() {
		relied := a.State() == certs.OK
		a.end()
		a.turn <- struct{}{} // for good: whoever has it gives it back at once, now that the life is over
		a.work.Wait()
		if relied && a.session.good(a.clock()) {
			a.write(context.Background(), a.config.Timeout, "auth/token/revoke-self", nil) // it ends by itself where this fails
		}
		a.leave()
		a.mu.Lock()
		defer a.mu.Unlock()
		a.drop()
		a.until, a.trouble = time.Time{}, errClosed
	})
	return nil
}
