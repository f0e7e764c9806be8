package node

import (
	"context"
	"crypto/ed25519"
	"path/filepath"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/audit/ledger"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/durable"
	"github.com/onedoor/yimen/exchange/limits"
)

// askAgain is how soon something is tried again that did not work.
const askAgain = time.Second

// record sets up the audit log, the ledger that nobody can rewrite, and the limits, which follow from the log.
func (n *Node) record(ctx context.Context) (err error) {
	n.audit, err = audit.New(audit.Config{Appender: n.clock, Keys: n.auditKeys, Clock: n.around.Clock, Recent: &n.recent, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	if err := n.bound(ctx); err != nil {
		return err
	}
	return n.sequence(ctx)
}

// bound begins to fold the limits.
func (n *Node) bound(ctx context.Context) (err error) {
	n.Limits, err = limits.New(limits.Config{Rules: n.cfg.Limits, Clock: n.around.Clock, Log: n.around.Log, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	ends, err := n.Bus.EndOffsets(ctx, audit.Topic)
	if err != nil {
		return err
	}
	n.Limits.Await(ends[0])
	n.goes("fold limits", func(ctx context.Context) error {
		return n.Bus.Follow(ctx, audit.Topic, map[int]int64{0: 0}, n.Limits.Take)
	})
	return nil
}

// sequence opens the ledger and lets it follow the log.
func (n *Node) sequence(ctx context.Context) (err error) {
	key := func(ctx context.Context) (ed25519.PrivateKey, error) { return n.signer(ctx, logKey) }
	var witnesses []ledger.Witness
	if n.cfg.Audit.Witness != "" {
		witnesses = append(witnesses, ledger.Witness{URL: n.cfg.Audit.Witness, Key: n.cfg.Audit.WitnessKey})
	}
	origin := n.cfg.City + ".yimen/audit"
	n.Ledger, err = ledger.Open(ctx, ledger.Config{Dir: filepath.Join(n.cfg.Data, auditDir), Origin: origin, Key: key,
		Topic: n.Bus, Witnesses: witnesses, StaleAfter: n.cfg.Audit.StaleAfter, Delay: func(i exchange.Item) time.Duration { return n.cfg.Audit.Delays[i] },
		Clock: n.around.Clock, Log: n.around.Log, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	n.close = append(n.close, n.Ledger.Close)
	if err := n.showKey(); err != nil {
		return err
	}
	n.goes("audit ledger", n.Ledger.Run)
	n.awaitLedger(ctx)
	return nil
}

// AuditKeyFile, below a node's data directory, holds the public key of its audit log, which verifiers and witnesses need.
const AuditKeyFile = "audit.vkey"

func (n *Node) showKey() error {
	return durable.Replace(filepath.Join(n.cfg.Data, AuditKeyFile), []byte(n.Ledger.VerifierKey()+"\n"), 0o644)
}

// ledgerPatience is how long a start waits for the ledger. Where its witness is away, the node starts all the same and says to
// whoever asks why there is no answer.
const ledgerPatience = 5 * time.Second

// awaitLedger waits for what was asked before the last stop to be published.
func (n *Node) awaitLedger(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	n.await(ctx, func() (bool, error) { return n.Ledger.Fresh(n.around.Clock()) == nil, nil }) // an error is a start that does not wait
}

// stand puts the doorkeeper in place.
func (n *Node) stand(context.Context) error {
	proxies, err := n.cfg.proxies()
	if err != nil {
		return err
	}
	reporter := door.NewReporter(n.audit, n.around.Log, n.Metrics)
	n.goes("report rejections", reporter.Run)
	cfg := door.Config{Callers: n.callers, City: n.cfg.City, Roll: n.Roll, Proxies: proxies, Clock: n.around.Clock, Report: reporter.Report}
	if n.cfg.Login.Issuer != "" {
		client, err := n.cfg.loginClient()
		if err != nil {
			return err
		}
		cfg.Logins = door.NewOpenID(n.cfg.Login, client, n.around.Clock)
	}
	n.door = door.New(cfg)
	return nil
}

// act makes an administrator's act durable in the audit log before it is done. who is department and staff code.
func (n *Node) act(ctx context.Context, who, act, target string) error {
	department, clerk, _ := strings.Cut(who, "/")
	_, err := n.audit.Append(ctx, audit.Entry{Kind: audit.Act, Department: exchange.Department(department), Clerk: clerk, Act: act, Target: target})
	return err
}

// later gives a channel that is closed after a while, or when ctx ends.
func later(ctx context.Context, d time.Duration) <-chan struct{} {
	done, cancel := context.WithTimeout(ctx, d)
	context.AfterFunc(done, cancel)
	return done.Done()
}
