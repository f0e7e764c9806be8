package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange/audit"
)

// Logged is an entry and where it stands in the log: its place there is its offset on the topic.
type Logged struct {
	Index uint64         `json:"index"`
	Raw   jsontext.Value `json:"entry"` // the entry as it lies in the topic and in the log
	Entry audit.Entry    `json:"-"`     // the same, read
}

// Entry finds an entry by its id. Where there is none, or none yet, the error is a Problem.
func (l *Ledger) Entry(ctx context.Context, id string) (Logged, error) {
	at, err := l.place(id)
	if err != nil {
		return Logged{}, err
	}
	return l.reader().logged(ctx, at)
}

// place is where the log has the entry.
func (l *Ledger) place(id string) (uint64, error) {
	if !audit.ValidID(id) {
		return 0, NoSuchEntry()
	}
	now := l.cfg.Clock()
	// Looked at first: what is not found after that may be on its way.
	behind := l.lag() > 0 || now.UnixNano()-l.looked.Load() > int64(l.pace.arrive)
	heard := time.Unix(0, min(l.heard.Load(), now.UnixNano()))
	at, _, found, err := l.index.find(id)
	switch {
	case err != nil:
		return 0, unreadable(err)
	case found:
		return at, nil
	case id < audit.FirstID(heard.Add(-l.pace.arrive)): // it would have come before what was heard since
		return 0, NoSuchEntry()
	case behind || id >= audit.FirstID(now.Add(-l.pace.arrive)):
		return 0, notYet()
	}
	return 0, NoSuchEntry()
}

// Proof proves that an entry is in the log: a text of C2SP's tlog-proof, which anybody can check who knows the log's key and those
// of its witnesses. The hash that is proved is that of the leaf: the proof's extra data, an end of line and the entry's bytes. Until
// the entry is under a published checkpoint, which takes seconds, the error is a Problem of the kind Unavailable.
func (l *Ledger) Proof(ctx context.Context, id string) ([]byte, error) {
	at, err := l.place(id)
	if err != nil {
		return nil, err
	}
	under := l.publisher.last()
	if under.raw == nil || at >= under.size {
		return nil, notYet()
	}
	leaf, err := l.tree.leaf(ctx, at, under.size)
	if err != nil {
		return nil, unreadable(err)
	}
	return l.tree.prove(ctx, &leaf, under)
}

// prove writes the proof of a leaf under a checkpoint.
func (t *tree) prove(ctx context.Context, l *leaf, under *publication) ([]byte, error) {
	path, err := t.inclusion(ctx, uint64(l.offset), under.size)
	if err != nil {
		return nil, unreadable(fmt.Errorf("prove leaf %d: %w", l.offset, err))
	}
	return proofText(l, path, under.raw), nil
}

// reader reads entries, most often several of one bundle.
type reader struct {
	tree   *tree
	size   uint64
	bundle uint64
	leaves [][]byte // of the bundle read last
}

func (l *Ledger) reader() *reader { return &reader{tree: l.tree, size: l.sequenced.Load()} }

func (r *reader) logged(ctx context.Context, at uint64) (Logged, error) {
	if r.leaves == nil || r.bundle != at/width {
		var err error
		r.bundle = at / width
		if r.leaves, err = r.tree.bundle(ctx, r.bundle, r.size); err != nil {
			return Logged{}, unreadable(err)
		}
	}
	leaf, err := readLeaf(at, r.leaves[at%width])
	if err != nil {
		return Logged{}, unreadable(err)
	}
	entry, err := audit.Parse([]byte(leaf.id), leaf.body)
	if err != nil {
		return Logged{}, unreadable(fmt.Errorf("read leaf %d: %w", at, err))
	}
	return Logged{Index: at, Entry: entry, Raw: leaf.body}, nil
}
