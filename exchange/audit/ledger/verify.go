package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/wire"
)

// Source is where a log is read from. Dir and Server make one.
type Source interface {
	// ReadCheckpoint gives the published checkpoint. What is not there is fs.ErrNotExist, here and below.
	ReadCheckpoint(ctx context.Context) ([]byte, error)
	// ReadTile gives a tile, or a longer one where only that is there. A partial width of 0 means a whole one.
	ReadTile(ctx context.Context, level, index uint64, partial uint8) ([]byte, error)
	// ReadEntryBundle gives the leaves of a tile of level 0 likewise.
	ReadEntryBundle(ctx context.Context, index uint64, partial uint8) ([]byte, error)
}

// Dir is a log in the directory of a ledger, be it in use or a copy.
func Dir(dir string) Source { return client.FileFetcher{Root: filepath.Join(dir, logDir)} }

// Server is the log that an exchange shows to auditors below LogPath. A nil client is one that waits half a minute.
func Server(base, token string, h *http.Client) (Source, error) {
	quiet()
	if h == nil {
		h = &http.Client{Timeout: wire.Patience}
	}
	at, err := url.Parse(strings.TrimSuffix(base, "/") + LogPath)
	if err != nil {
		return nil, fmt.Errorf("address of the server: %w", err)
	}
	source, err := client.NewHTTPFetcher(at, h)
	if err == nil && token != "" {
		source.SetAuthorizationHeader("Bearer " + token)
	}
	return source, err
}

// Verification says what to verify and against what.
type Verification struct {
	Source Source
	Keys   Keys
	// Earlier is a checkpoint that the verifier kept; the log must extend it. Nil: none was kept.
	Earlier []byte
	// Topic, unless nil, must hold what the leaves say.
	Topic Topic
	// Dir, unless empty, is the ledger's directory that Source reads: everything in it is looked at, what is not published yet too.
	Dir string
	// Index says that the index in Dir is compared with the log too. No process may have it open.
	Index bool
}

// Fault is a way in which a log fails verification.
type Fault string

// The faults.
const (
	Unsigned   Fault = "unsigned"    // there is no checkpoint that the log and its witnesses signed
	Damaged    Fault = "damaged"     // tiles, leaves and checkpoint do not belong together
	RolledBack Fault = "rolled_back" // the log is shorter than it was
	Forked     Fault = "forked"      // the log is another than it was
	TopicLost  Fault = "topic"       // the topic does not hold what the log says, or the log not what the topic has
	BadIndex   Fault = "index"       // the index is not that of the log
)

// Finding is one thing that is wrong.
type Finding struct {
	Fault Fault  `json:"fault"`
	Where string `json:"where"` // a file below the log's directory, a leaf or an offset
	What  string `json:"what"`
}

// Report is what came of a verification.
type Report struct {
	Result     string           `json:"result"` // "ok", or the fault that was found first
	Origin     string           `json:"origin"`
	Size       uint64           `json:"size"` // of the published checkpoint
	Root       string           `json:"root,omitempty"`
	Witnesses  []string         `json:"witnesses,omitempty"` // that cosigned
	Leaves     map[string]int64 `json:"leaves"`              // by kind
	Waiting    int64            `json:"waiting,omitempty"`   // messages of the topic that are not under the checkpoint yet
	Findings   []Finding        `json:"findings,omitempty"`
	More       int              `json:"more_findings,omitempty"` // beyond those listed
	Checkpoint string           `json:"checkpoint,omitempty"`    // to keep as Earlier for the next time
}

const mostFindings = 20

// Verify looks at a log as a stranger does: it makes the whole tree again from the leaves and compares every tile and root, the
// signatures, an earlier checkpoint and the topic. What is wrong is in the report; an error means that it could not be found out.
func Verify(ctx context.Context, v Verification) (Report, error) {
	t, err := v.Keys.trust()
	if err != nil {
		return Report{}, badKeys(err)
	}
	in := &inspection{Verification: v, trust: t, ids: map[[16]byte][sha256.Size]byte{},
		report: Report{Origin: t.log.Name(), Leaves: map[string]int64{}}, tiles: map[uint64]*api.HashTile{}}
	if err := in.look(ctx); err != nil {
		return Report{}, err
	}
	in.report.Result = "ok"
	if len(in.report.Findings) > 0 {
		in.report.Result = string(in.report.Findings[0].Fault)
	}
	return in.report, nil
}

// inspection is a verification under way.
type inspection struct {
	Verification
	trust  trust
	report Report
	// roots are those that the tree must have on its way, by size.
	roots map[uint64][]expected
	// ids are the entries met so far, by the beginning of the id's hash, with the hash of their bytes.
	ids   map[[16]byte][sha256.Size]byte
	tiles map[uint64]*api.HashTile // the tile that is being filled, by level
	index *indexCheck
}

// expected is a root that somebody vouches for.
type expected struct {
	hash  []byte
	where string
	fault Fault
}

func (in *inspection) find(fault Fault, where, what string, args ...any) {
	if len(in.report.Findings) == mostFindings {
		in.report.More++
		return
	}
	in.report.Findings = append(in.report.Findings, Finding{fault, where, fmt.Sprintf(what, args...)})
}

// missing makes a finding of what is not there, and an error of what could not be read.
func (in *inspection) missing(err error, where string) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return &exchange.Problem{Code: "YM-AUD-0308", Kind: exchange.Unavailable, Err: err,
			What: text("审计日志读不到："+where, "the audit log cannot be read: "+where),
			Mend: text("检查地址、令牌和权限", "check the address, the token and the permissions")}
	}
	in.find(Damaged, where, "is missing")
	return nil
}

func (in *inspection) look(ctx context.Context) error {
	in.roots = map[uint64][]expected{}
	size, err := in.checkpoint(ctx)
	if err != nil {
		return err
	}
	if in.Dir != "" {
		size = max(size, in.state())
	}
	if in.Index {
		if in.index, err = in.openIndex(); err != nil {
			return err
		}
		defer in.index.close()
	}
	whole, err := in.walk(ctx, size)
	if err != nil {
		return err
	}
	if in.Dir != "" && whole {
		in.files(ctx, size)
	}
	if in.index != nil {
		in.index.finish(in, size)
	}
	if in.Topic != nil && whole {
		return in.compareTopic(ctx, size)
	}
	return nil
}

// checkpoint checks the published checkpoint and the earlier one, and gives the size of the first.
func (in *inspection) checkpoint(ctx context.Context) (uint64, error) {
	var earlier root
	if in.Earlier != nil {
		var err error
		if earlier, err = (trust{log: in.trust.log}).open(in.Earlier); err != nil {
			return 0, badKeys(fmt.Errorf("earlier checkpoint: %w", err))
		}
		in.expect(earlier, "the earlier checkpoint", Forked)
	}
	raw, err := in.Source.ReadCheckpoint(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		if earlier.size > 0 {
			in.find(RolledBack, layout.CheckpointPath, "there is none, and there was one of %d leaves", earlier.size)
		}
		return 0, nil
	}
	if err != nil {
		return 0, in.missing(err, layout.CheckpointPath)
	}
	r, err := in.trust.open(raw)
	if err != nil {
		in.find(Unsigned, layout.CheckpointPath, "%v", err)
		return 0, nil
	}
	in.report.Size, in.report.Root, in.report.Checkpoint = r.size, hex.EncodeToString(r.hash), string(raw)
	for _, w := range in.trust.witnesses {
		in.report.Witnesses = append(in.report.Witnesses, w.Name())
	}
	if r.size < earlier.size {
		in.find(RolledBack, layout.CheckpointPath, "it has %d leaves, and had %d", r.size, earlier.size)
	}
	in.expect(r, layout.CheckpointPath, Damaged)
	return r.size, nil
}

func (in *inspection) expect(r root, where string, fault Fault) {
	in.roots[r.size] = append(in.roots[r.size], expected{r.hash, where, fault})
}

// walk makes the tree again from all leaves before size. It says whether it came to the end.
func (in *inspection) walk(ctx context.Context, size uint64) (whole bool, err error) {
	tree := hashed.NewEmptyRange(0)
	in.compareRoots(tree)
	for index := uint64(0); tree.End() < size; index++ {
		partial := layout.PartialTileSize(0, index, size)
		where := layout.EntriesPath(index, partial)
		raw, err := in.Source.ReadEntryBundle(ctx, index, partial)
		if err != nil {
			return false, in.missing(err, where)
		}
		var bundle api.EntryBundle
		want := min(size-tree.End(), width)
		if err := bundle.UnmarshalText(raw); err != nil || uint64(len(bundle.Entries)) < want {
			in.find(Damaged, where, "is no bundle of %d leaves", want)
			return false, nil
		}
		if uint64(len(bundle.Entries)) > want && partial == 0 {
			in.find(Damaged, where, "has %d leaves", len(bundle.Entries))
		}
		for _, data := range bundle.Entries[:want] {
			in.leaf(tree.End(), data)
			if err := in.grow(ctx, tree, data); err != nil {
				return false, err
			}
		}
	}
	return true, in.partials(ctx, tree, size)
}

// grow adds a leaf to the tree and compares the tiles and roots that are complete with it.
func (in *inspection) grow(ctx context.Context, tree *compact.Range, data []byte) error {
	var full []compact.NodeID
	err := tree.Append(rfc6962.DefaultHasher.HashLeaf(data), func(id compact.NodeID, hash []byte) {
		if id.Level%layout.TileHeight != 0 {
			return
		}
		level := uint64(id.Level / layout.TileHeight)
		if in.tiles[level] == nil {
			in.tiles[level] = &api.HashTile{}
		}
		in.tiles[level].Nodes = append(in.tiles[level].Nodes, hash)
		if id.Index%width == width-1 {
			full = append(full, compact.NodeID{Level: uint(level), Index: id.Index / width})
		}
	})
	if err != nil {
		return fmt.Errorf("make the tree again: %w", err)
	}
	for _, id := range full {
		if err := in.tile(ctx, uint64(id.Level), id.Index, 0); err != nil {
			return err
		}
		delete(in.tiles, uint64(id.Level))
	}
	in.compareRoots(tree)
	return nil
}

// partials compares the tiles at the right edge of the tree.
func (in *inspection) partials(ctx context.Context, tree *compact.Range, size uint64) error {
	for level, tile := range in.tiles {
		if err := in.tile(ctx, level, size>>(level*layout.TileHeight)/width, uint8(len(tile.Nodes))); err != nil {
			return err
		}
	}
	for at, all := range in.roots {
		for _, r := range all {
			if at > tree.End() {
				in.find(r.fault, r.where, "is of %d leaves, and there are %d", at, tree.End())
			}
		}
	}
	return nil
}

// tile compares a tile of the source with the one that was made.
func (in *inspection) tile(ctx context.Context, level, index uint64, partial uint8) error {
	where := layout.TilePath(level, index, partial)
	raw, err := in.Source.ReadTile(ctx, level, index, partial)
	if err != nil {
		return in.missing(err, where)
	}
	want, err := in.tiles[level].MarshalText()
	if err != nil {
		return err
	}
	if partial != 0 && len(raw) > len(want) { // a longer tile stands for it
		raw = raw[:len(want)]
	}
	if !bytes.Equal(raw, want) {
		in.find(Damaged, where, "does not follow from the leaves")
	}
	return nil
}

func (in *inspection) compareRoots(tree *compact.Range) {
	all := in.roots[tree.End()]
	if len(all) == 0 {
		return
	}
	hash := rfc6962.DefaultHasher.EmptyRoot()
	if tree.End() > 0 {
		var err error
		if hash, err = tree.GetRootHash(nil); err != nil {
			in.find(Damaged, "tree", "%v", err)
			return
		}
	}
	for _, r := range all {
		if !bytes.Equal(r.hash, hash) {
			in.find(r.fault, r.where, "the leaves make another root")
		}
	}
}

// leaf checks one leaf by itself and against those before it.
func (in *inspection) leaf(at uint64, data []byte) {
	where := fmt.Sprintf("leaf %d", at)
	l, err := readLeaf(at, data)
	if err != nil {
		in.find(Damaged, where, "is no leaf of an audit log at its place")
		return
	}
	in.report.Leaves[string(l.kind)]++
	id := idKey(l.id)
	known, met := in.ids[id]
	sum := sha256.Sum256(l.body)
	switch l.kind {
	case entryLeaf:
		if met {
			in.find(Damaged, where, "is an entry whose id the log has already")
		}
		in.ids[id] = sum
	case againLeaf:
		if !met {
			in.find(Damaged, where, "repeats an entry that the log has not")
		}
	case conflictLeaf:
		if !met || known == sum {
			in.find(Damaged, where, "contradicts no entry")
		}
	case missingLeaf:
		in.find(TopicLost, where, "the topic had lost this message before it was sequenced")
	}
	if in.index != nil {
		in.index.leaf(in, at, &l)
	}
}

// idKey stands for an id in little room.
func idKey(id string) [16]byte {
	sum := sha256.Sum256([]byte(id))
	return [16]byte(sum[:])
}

func badKeys(err error) error {
	return &exchange.Problem{Code: "YM-AUD-0102", Kind: exchange.Invalid, Err: err,
		What: text("用来核验的公钥或旧检查点不可用", "a key or the earlier checkpoint to verify by cannot be used"),
		Mend: text("公钥写成 名称+八位十六进制+Base64，与 yimen serve、yimen witness 启动时所示相同",
			"write keys as NAME+HASH+BASE64, as yimen serve and yimen witness show them when they start")}
}
