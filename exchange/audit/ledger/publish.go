package ledger

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/note"

	"github.com/onedoor/yimen/exchange/custody"
	"github.com/onedoor/yimen/exchange/durable"
)

// publisher signs checkpoints, has them cosigned and puts them where readers look. It never publishes a tree that does not extend
// the last one.
type publisher struct {
	tree  *tree
	path  string
	vkey  string
	key   *custody.Held[ed25519.PrivateKey]
	clock func() time.Time
	trust trust
	sign  func(ctx context.Context, size uint64, hash []byte) ([]byte, error)
	now   atomic.Pointer[publication]
}

// publication is the checkpoint that readers see.
type publication struct {
	root
	raw []byte    // nil: there is none that holds
	at  time.Time // zero: unknown
}

const (
	witnessPatience = 2 * time.Second
	// republish is how often a tree that did not grow is signed again, so that readers see that the log is alive.
	republish = 10 * time.Minute
)

func newPublisher(ctx context.Context, cfg Config, t *tree) (*publisher, error) {
	p := &publisher{tree: t, path: filepath.Join(cfg.Dir, logDir, layout.CheckpointPath), clock: cfg.Clock}
	p.key = custody.Of(func(ctx context.Context) (*ed25519.PrivateKey, error) {
		key, err := cfg.Key(ctx)
		if err == nil && len(key) != ed25519.PrivateKeySize {
			err = errors.New("key of the audit log is none")
		}
		return &key, err
	})
	first, err := p.key.Get(ctx)
	if err != nil {
		return nil, err
	}
	if p.vkey, err = VerifierKey(cfg.Origin, first.Public().(ed25519.PublicKey)); err != nil {
		return nil, fmt.Errorf("origin of the audit log: %w", err)
	}
	keys := Keys{Log: p.vkey}
	for _, w := range cfg.Witnesses {
		keys.Witnesses = append(keys.Witnesses, w.Key)
	}
	if p.trust, err = keys.trust(); err != nil {
		return nil, err
	}
	group, err := witnessGroup(cfg.Witnesses)
	if err != nil {
		return nil, err
	}
	p.sign = tessera.NewAppendOptions().WithCheckpointSigner(signer{p.trust.log, p.key}).
		WithWitnesses(group, &tessera.WitnessOptions{Timeout: witnessPatience}).CheckpointPublisher(t, cfg.HTTP)
	return p, p.load()
}

// load takes up what was published before. A checkpoint that is not signed as it must be, by a key of old or before there were
// witnesses, still binds what comes after it, but readers must wait for the next.
func (p *publisher) load() error {
	p.now.Store(&publication{})
	raw, err := os.ReadFile(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unusable(p.path, err)
	}
	r, err := p.trust.open(raw)
	if err != nil {
		old, oldErr := unsigned(raw, p.trust.log.Name())
		if oldErr != nil {
			return badCheckpoint(p.path, errors.Join(err, oldErr))
		}
		p.now.Store(&publication{root: old})
		return nil
	}
	info, err := os.Stat(p.path)
	if err != nil {
		return unusable(p.path, err)
	}
	at := info.ModTime()
	if now := p.clock(); at.After(now) {
		at = now
	}
	p.now.Store(&publication{root: r, raw: raw, at: at})
	return nil
}

// unsigned reads a checkpoint whatever its signatures.
func unsigned(raw []byte, origin string) (root, error) {
	_, err := note.Open(raw, note.VerifierList())
	unverified, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		return root{}, err
	}
	return rootOf(unverified.Note.Text, origin)
}

func (p *publisher) last() *publication { return p.now.Load() }

// publish publishes the tree of that size, if there is anything to tell.
func (p *publisher) publish(ctx context.Context, size uint64) error {
	last, now := p.last(), p.clock()
	if size < last.size || size == 0 || size == last.size && last.raw != nil && now.Sub(last.at) < republish {
		return nil
	}
	hash, err := p.tree.root(ctx, size)
	if err != nil {
		return err
	}
	r := root{size, hash}
	if err := extends(ctx, p.tree.ReadTile, last.root, r); err != nil {
		if errors.Is(err, errForked) {
			err = forked(err)
		}
		return err
	}
	raw, err := p.sign(ctx, size, hash)
	if err != nil {
		return fmt.Errorf("have the checkpoint cosigned: %w", err)
	}
	if signed, err := p.trust.open(raw); err != nil || signed.size != size {
		return fmt.Errorf("sign checkpoint: %w", err)
	}
	if err := durable.Replace(p.path, raw, 0o644); err != nil {
		return err
	}
	if err := os.Chtimes(p.path, now, now); err != nil { // a restart reads from it since when entries may wait
		return fmt.Errorf("date the checkpoint: %w", err)
	}
	p.now.Store(&publication{root: r, raw: raw, at: now})
	return nil
}

// publishing publishes a checkpoint every second until ctx ends, and keeps what Fresh goes by.
func (l *Ledger) publishing(ctx context.Context) error {
	tick := time.NewTicker(l.pace.publish)
	defer tick.Stop()
	said := ""
	for {
		err := l.round(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			said = ""
		default:
			l.metrics.unseen.Inc()
			if err.Error() != said { // not every second
				said = err.Error()
				l.cfg.Log.Error("no checkpoint of the audit log is published", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// round looks where the topic ends, publishes what is in the tree, and says up to when nothing waits.
func (l *Ledger) round(ctx context.Context) error {
	looked := l.cfg.Clock()
	end, lookErr := l.topicEnd(ctx)
	if err := l.publisher.publish(ctx, l.sequenced.Load()); err != nil {
		return err
	}
	if lookErr != nil {
		return lookErr
	}
	if last := l.publisher.last(); end == 0 || last.raw != nil && int64(last.size) >= end {
		l.confirmed.Store(max(l.confirmed.Load(), looked.UnixNano()))
	}
	return nil
}

// topicEnd asks where the topic ends.
func (l *Ledger) topicEnd(ctx context.Context) (int64, error) {
	ends, err := l.cfg.Topic.EndOffsets(ctx, topicName)
	if err != nil {
		return 0, err
	}
	if len(ends) != 1 {
		return 0, manyPartitions(len(ends))
	}
	l.end.Store(ends[0])
	l.looked.Store(l.cfg.Clock().UnixNano())
	return ends[0], nil
}

// lag is how many messages of the topic are not in the log.
func (l *Ledger) lag() int64 {
	return max(0, l.end.Load()-int64(l.sequenced.Load()))
}

// age is how many seconds ago everything on the topic was known to be published.
func (l *Ledger) age() float64 {
	return l.cfg.Clock().Sub(time.Unix(0, l.confirmed.Load())).Seconds()
}
