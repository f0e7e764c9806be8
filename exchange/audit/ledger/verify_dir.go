package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
)

// Files of Tessera's own below a log's directory.
const (
	stateFile   = ".state/treeState"
	versionFile = ".state/version"
	version     = "1"
)

// state checks what the sequencer goes on from, and gives how many leaves it says there are.
func (in *inspection) state() uint64 {
	if raw, err := in.local(versionFile); err != nil || string(raw) != version {
		in.find(Damaged, versionFile, "is not %q", version)
	}
	raw, err := in.local(stateFile)
	if errors.Is(err, fs.ErrNotExist) && in.report.Checkpoint == "" {
		return 0 // a log that was never begun
	}
	var state struct {
		Size uint64 `json:"size"`
		Root []byte `json:"root"`
	}
	if err != nil || json.Unmarshal(raw, &state) != nil {
		in.find(Damaged, stateFile, "cannot be read")
		return 0
	}
	if again, err := json.Marshal(state); err != nil || !bytes.Equal(again, raw) {
		in.find(Damaged, stateFile, "is not as it was written")
		return 0
	}
	if state.Size < in.report.Size {
		in.find(RolledBack, stateFile, "it has %d leaves, fewer than were published", state.Size)
		return 0
	}
	in.expect(root{state.Size, state.Root}, stateFile, Damaged)
	return state.Size
}

func (in *inspection) local(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(in.Dir, logDir, filepath.FromSlash(name)))
}

// files looks at every tile and bundle that lies in the directory, those too that nobody needs any more: each must be the
// beginning of the whole one. Files of no such name are what a crash left behind and no part of the log.
func (in *inspection) files(ctx context.Context, size uint64) {
	base := filepath.Join(in.Dir, logDir)
	err := filepath.WalkDir(filepath.Join(base, "tile"), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // tidied away meanwhile, or an empty log
		}
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(base, path)
		if err != nil {
			return err
		}
		return in.file(ctx, filepath.ToSlash(name), size)
	})
	if err != nil {
		in.find(Damaged, "tile", "%v", err)
	}
}

func (in *inspection) file(ctx context.Context, name string, size uint64) error {
	kind, number, _ := strings.Cut(strings.TrimPrefix(name, "tile/"), "/")
	index, partial, err := layout.ParseTileIndexPartial(number)
	if err != nil || partial == 0 {
		return nil // whole ones were compared already
	}
	level := uint64(0)
	if kind != "entries" {
		if level, err = layout.ParseTileLevel(kind); err != nil {
			return nil
		}
	}
	if (index*width+uint64(partial))<<(level*layout.TileHeight) > size {
		return nil // of a batch that was not finished
	}
	part, err := in.local(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	newest := layout.PartialTileSize(level, index, size)
	var whole []byte
	if kind == "entries" {
		whole, err = in.Source.ReadEntryBundle(ctx, index, newest)
		whole = firstOf(whole, int(partial))
	} else {
		whole, err = in.Source.ReadTile(ctx, level, index, newest)
		whole = whole[:min(len(whole), int(partial)*len(compactHash))]
	}
	if err != nil {
		return err
	}
	if !bytes.Equal(part, whole) {
		in.find(Damaged, name, "is not the beginning of the whole one")
	}
	return nil
}

// compactHash is as long as a hash in a tile.
var compactHash [32]byte

// firstOf is the part of a bundle that holds its first n leaves.
func firstOf(bundle []byte, n int) []byte {
	var b api.EntryBundle
	if b.UnmarshalText(bundle) != nil || len(b.Entries) < n {
		return nil
	}
	length := 0
	for _, e := range b.Entries[:n] {
		length += 2 + len(e)
	}
	return bundle[:length]
}

// indexCheck compares the index with the log, leaf by leaf.
type indexCheck struct {
	lock  *pebble.Lock
	index *index
	rows  int // that there must be
}

func (in *inspection) openIndex() (*indexCheck, error) {
	lock, err := pebble.LockDirectory(in.Dir, vfs.Default)
	if err != nil {
		return nil, held(in.Dir, err)
	}
	c := &indexCheck{lock: lock, rows: 1}
	if c.index, err = openIndex(filepath.Join(in.Dir, indexDir), slog.New(slog.DiscardHandler), true); err != nil {
		in.find(BadIndex, indexDir, "cannot be opened: %v", err)
	}
	return c, nil
}

func (c *indexCheck) leaf(in *inspection, at uint64, l *leaf) {
	if c.index == nil {
		return
	}
	for _, r := range rowsOf(at, l, sha256.Sum256(l.body)) {
		value, found, err := c.index.rows.Get(r.Key)
		if err != nil || !found || !bytes.Equal(value, r.Value) {
			in.find(BadIndex, indexDir, "does not say what leaf %d says (%v)", at, err)
		}
		c.rows++
	}
}

// finish counts the rows: one too many would find what is not there.
func (c *indexCheck) finish(in *inspection, size uint64) {
	if c.index == nil {
		return
	}
	if next, err := c.index.next(); err != nil || next != size {
		in.find(BadIndex, indexDir, "is at leaf %d of %d (%v)", next, size, err)
	}
	rows, err := c.index.rows.DB.NewIter(nil)
	if err != nil {
		in.find(BadIndex, indexDir, "cannot be read: %v", err)
		return
	}
	n := 0
	for ok := rows.First(); ok; ok = rows.Next() {
		n++
	}
	if err := errors.Join(rows.Error(), rows.Close()); err != nil || n != c.rows && size > 0 {
		in.find(BadIndex, indexDir, "has %d rows, want %d (%v)", n, c.rows, err)
	}
}

func (c *indexCheck) close() {
	if c.index != nil {
		c.index.close()
	}
	c.lock.Close()
}
