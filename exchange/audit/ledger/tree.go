package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/storage/posix"
	"k8s.io/klog/v2"
)

// tree is the Merkle tree in a directory, in the form of C2SP's tlog-tiles, kept by Tessera. Only one process may have it open:
// whoever opens it holds a lock already.
type tree struct {
	tessera.LogReader
	driver tessera.Driver
	end    context.CancelFunc // of what tidies up in the background
}

const (
	width = layout.EntryBundleWidth // leaves in a bundle
	never = time.Duration(math.MaxInt64)
	// tidying is how often partial tiles and bundles that have become whole ones are removed: at most those of 100 bundles.
	tidying = 10 * time.Second
)

// quiet keeps Tessera's own log, of which a process has one, to errors: what matters is said in ours.
var quiet = sync.OnceFunc(func() {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
})

func openTree(dir string) (*tree, error) {
	quiet()
	ctx, end := context.WithCancel(context.Background())
	t := &tree{end: end}
	var err error
	if t.driver, err = posix.New(ctx, posix.Config{Path: dir}); err == nil {
		// Tessera makes the directory and then publishes the empty tree, which it may not here: the second try finds it made.
		for try := 0; t.LogReader == nil && try < 2; try++ {
			_, _, t.LogReader, err = tessera.NewAppender(ctx, t.driver, sequencing(1).WithGarbageCollectionInterval(tidying))
		}
	}
	if err != nil {
		end()
		return nil, fmt.Errorf("open log %s: %w", dir, err)
	}
	return t, nil
}

func (t *tree) close() { t.end() }

// sequencing are the options of an appender that makes leaves durable in batches of n and publishes nothing.
func sequencing(n int) *tessera.AppendOptions {
	return tessera.NewAppendOptions().WithCheckpointSigner(unwilling{}).WithBatching(uint(n), never).
		WithCheckpointInterval(never).WithCheckpointRepublishInterval(0).WithGarbageCollectionInterval(0)
}

// unwilling signs nothing. What is published was seen by the witnesses, and is signed elsewhere.
type unwilling struct{}

func (unwilling) Name() string    { return "sequencer" }
func (unwilling) KeyHash() uint32 { return 0 }

func (unwilling) Sign([]byte) ([]byte, error) {
	return nil, errors.New("the sequencer does not publish")
}

// append returns when the leaves are durable, in their order, from the place given on. After an error some may be: whoever goes on
// begins with what the tree says. Tessera keeps the order of what a full batch flushes but not of what time does, so that each call
// has an appender whose batch is full with the last leaf.
func (t *tree) append(from uint64, leaves [][]byte) error {
	ctx, cancel := context.WithCancel(context.Background()) // a flush under way is not called off
	defer cancel()
	appender, _, _, err := tessera.NewAppender(ctx, t.driver, sequencing(len(leaves)))
	if err != nil {
		return fmt.Errorf("append to log: %w", err)
	}
	futures := make([]tessera.IndexFuture, len(leaves))
	for i, l := range leaves {
		futures[i] = appender.Add(ctx, tessera.NewEntry(l))
	}
	for i, future := range futures {
		at, err := future()
		if err != nil {
			return fmt.Errorf("append to log: %w", err)
		}
		if at.Index != from+uint64(i) {
			return fmt.Errorf("append to log: leaf %d became leaf %d: somebody else writes to it", from+uint64(i), at.Index)
		}
	}
	return nil
}

// bundle is the leaves of one bundle in a tree of that size.
func (t *tree) bundle(ctx context.Context, index, size uint64) ([][]byte, error) {
	return bundleOf(ctx, t.ReadEntryBundle, index, size)
}

func bundleOf(ctx context.Context, read client.EntryBundleFetcherFunc, index, size uint64) ([][]byte, error) {
	b, err := client.GetEntryBundle(ctx, read, index, size)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	if want := min(size-index*width, width); uint64(len(b.Entries)) < want {
		return nil, fmt.Errorf("read log: bundle %d has %d leaves, want %d", index, len(b.Entries), want)
	}
	return b.Entries, nil
}

// each hands over the leaves from one on, up to the size.
func (t *tree) each(ctx context.Context, from, size uint64, handle func(index uint64, data []byte) error) error {
	for from < size {
		leaves, err := t.bundle(ctx, from/width, size)
		if err != nil {
			return err
		}
		for ; from < size; from++ {
			if err := handle(from, leaves[from%width]); err != nil {
				return err
			}
			if (from+1)%width == 0 {
				from++
				break
			}
		}
	}
	return nil
}

// leaf is one leaf of a tree of that size.
func (t *tree) leaf(ctx context.Context, index, size uint64) (leaf, error) {
	leaves, err := t.bundle(ctx, index/width, size)
	if err != nil {
		return leaf{}, err
	}
	return readLeaf(index, leaves[index%width])
}

func readLeaf(index uint64, data []byte) (leaf, error) {
	l, err := parseLeaf(data)
	if err != nil || l.offset != int64(index) {
		return leaf{}, fmt.Errorf("read leaf %d: %w", index, errNoLeaf)
	}
	return l, nil
}

// hashed are the rules by which the tree is made: those of RFC 6962.
var hashed = compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

// root is the root of the tree of that size, from its tiles.
func (t *tree) root(ctx context.Context, size uint64) ([]byte, error) {
	if size == 0 {
		return rfc6962.DefaultHasher.EmptyRoot(), nil
	}
	nodes, err := client.FetchRangeNodes(ctx, size, t.ReadTile)
	if err != nil {
		return nil, fmt.Errorf("read tiles: %w", err)
	}
	r, err := hashed.NewRange(0, size, nodes)
	if err != nil {
		return nil, fmt.Errorf("read tiles: %w", err)
	}
	return r.GetRootHash(nil)
}

// inclusion proves that the leaf is in the tree of that size.
func (t *tree) inclusion(ctx context.Context, index, size uint64) ([][]byte, error) {
	b, err := client.NewProofBuilder(ctx, size, t.ReadTile)
	if err != nil {
		return nil, fmt.Errorf("read tiles: %w", err)
	}
	return b.InclusionProof(ctx, index)
}

// extends says whether the tiles show that the newer root extends the older one.
func extends(ctx context.Context, tiles client.TileFetcherFunc, older, newer root) error {
	if older.size == 0 {
		return nil
	}
	if older.size > newer.size {
		return errForked
	}
	b, err := client.NewProofBuilder(ctx, newer.size, tiles)
	if err != nil {
		return fmt.Errorf("read tiles: %w", err)
	}
	hashes, err := b.ConsistencyProof(ctx, older.size, newer.size)
	if err != nil {
		return fmt.Errorf("read tiles: %w", err)
	}
	if proof.VerifyConsistency(rfc6962.DefaultHasher, older.size, newer.size, hashes, older.hash, newer.hash) != nil {
		return errForked
	}
	return nil
}

// errForked means that two roots cannot be of one log.
var errForked = errors.New("the log does not extend what it was")

// root is a tree's size and what it hashes to.
type root struct {
	size uint64
	hash []byte
}
