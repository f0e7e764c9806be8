package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/durable"
)

// A proof and a log are checked here without any code of ours: by the Go checksum database's libraries and by Tessera's fsck.
func TestOthersCanVerify(t *testing.T) {
	w, _ := witnessed(t)
	receipts := w.ask(600)
	w.fill()
	verifier, err := note.NewVerifier(w.keys().Log)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{0, 1, 255, 256, 300, 599} {
		text, err := w.Proof(t.Context(), receipts[at].ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkByHand(text, w.topic.msgs[at].Value, verifier); err != nil {
			t.Errorf("entry %d: %v\n%s", at, err, text)
		}
		if err := checkByHand(text, w.topic.msgs[(at+1)%600].Value, verifier); err == nil {
			t.Errorf("the proof of entry %d proves another one too", at)
		}
	}
	if err := fscked(t, w.cfg.Dir, verifier); err != nil {
		t.Errorf("fsck: %v", err)
	}
	for _, file := range []string{"tile/entries/001", "tile/0/000", "tile/1/000.p/2", "checkpoint"} {
		path := filepath.Join(w.cfg.Dir, logDir, filepath.FromSlash(file))
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := bytes.Clone(whole)
		changed[len(changed)/2] ^= 4
		if err := durable.Replace(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := fscked(t, w.cfg.Dir, verifier); err == nil {
			t.Errorf("fsck does not see a change to %s", file)
		}
		if err := durable.Replace(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// checkByHand reads C2SP's tlog-proof and checks it: the checkpoint's signature by sumdb/note, the path by sumdb/tlog.
func checkByHand(text, entry []byte, verifier note.Verifier) error {
	head, checkpoint, _ := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	n, err := note.Open([]byte(checkpoint), note.VerifierList(verifier))
	if err != nil {
		return err
	}
	parts := strings.Split(n.Text, "\n")
	size, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || parts[0] != verifier.Name() {
		return fmt.Errorf("checkpoint %q, %w", n.Text, err)
	}
	root, err := tlog.ParseHash(parts[2])
	if err != nil {
		return err
	}
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	leaf := string(extra) + "\n" + string(entry)
	return tlog.CheckRecord(path, size, root, index, tlog.RecordHash([]byte(leaf)))
}

// fscked runs Tessera's fsck over a log's directory. It is given as many workers as there are files, because those that have found
// something stop working.
func fscked(t *testing.T, dir string, verifier note.Verifier) error {
	t.Helper()
	quiet()
	hasher := func(raw []byte) ([][]byte, error) {
		var b api.EntryBundle
		err := b.UnmarshalText(raw)
		var hashes [][]byte
		for _, e := range b.Entries {
			hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(e))
		}
		return hashes, err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return fsck.New(origin, verifier, client.FileFetcher{Root: filepath.Join(dir, logDir)}, hasher, fsck.Opts{N: 16}).Check(ctx)
}

// No number is in the tiles, the index or anything else of the ledger's, whatever somebody writes onto the topic.
func TestNoNumberIsKept(t *testing.T) {
	w := oddWorld(t)
	w.log.Append(t.Context(), audit.Entry{Kind: audit.Access, Department: "zwfw", Clerk: "portal-1", Decision: audit.Answered, Holder: company})
	w.fill()
	w.close()
	sum, companySum := sha256.Sum256([]byte(number)), sha256.Sum256([]byte(company.Number))
	canaries := [][]byte{[]byte(number), []byte(number[6:14]), []byte(company.Number), []byte("张晓明"), sum[:], []byte(hex.EncodeToString(sum[:])),
		companySum[:], []byte(hex.EncodeToString([]byte(number))), []byte(base64.StdEncoding.EncodeToString([]byte(number)))}
	searched, tokens := 0, 0
	err := filepath.WalkDir(w.cfg.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, c := range canaries {
			if bytes.Contains(content, c) {
				t.Errorf("%s holds %q", path, c)
			}
		}
		searched++
		if bytes.Contains(content, []byte(w.token(person))) {
			tokens++
		}
		return err
	})
	if err != nil || searched < 10 || tokens == 0 {
		t.Errorf("searched %d files, %d with the token, %v", searched, tokens, err)
	}
}

// An export is checked with nothing but its lines and the keys, by us and by others.
func TestExport(t *testing.T) {
	w, _ := witnessed(t)
	oddOnes := oddWorld(t)
	w.topic.Append(t.Context(), "", oddOnes.topic.msgs)
	w.ask(300)
	w.fill()
	verifier, err := note.NewVerifier(w.keys().Log)
	if err != nil {
		t.Fatal(err)
	}
	var all []Exported
	collect := func(e Exported) error { all = append(all, e); return nil }
	if err := Export(t.Context(), Dir(w.cfg.Dir), w.keys(), 0, 0, collect); err != nil {
		t.Fatal(err)
	}
	if len(all) != 312 {
		t.Errorf("%d leaves", len(all))
	}
	for i, e := range all {
		if p, err := e.Verify(w.keys()); err != nil || p.Index != uint64(i) || p.Size != 312 {
			t.Errorf("leaf %d: %+v, %v", i, p, err)
		}
		_, entry, _ := strings.Cut(e.Leaf, "\n")
		if err := checkByHand([]byte(e.Proof), []byte(entry), verifier); err != nil {
			t.Errorf("leaf %d, by others: %v", i, err)
		}
		for name, spoiled := range map[string]Exported{
			"another place": {e.Index + 1, e.Leaf, e.Proof},
			"another leaf":  {e.Index, all[(i+1)%len(all)].Leaf, e.Proof},
			"another proof": {e.Index, e.Leaf, all[(i+1)%len(all)].Proof},
			"more behind":   {e.Index, e.Leaf + " ", e.Proof},
		} {
			if _, err := spoiled.Verify(w.keys()); err == nil {
				t.Errorf("leaf %d with %s", i, name)
			}
		}
	}
	part := []Exported{}
	if err := Export(t.Context(), Dir(w.cfg.Dir), w.keys(), 250, 260, func(e Exported) error { part = append(part, e); return nil }); err != nil || len(part) != 10 || part[9] != all[259] {
		t.Errorf("%d leaves, %v", len(part), err)
	}
	stop := fmt.Errorf("enough")
	if err := Export(t.Context(), Dir(w.cfg.Dir), w.keys(), 0, 0, func(Exported) error { return stop }); err != stop {
		t.Error(err)
	}
	for name, do := range map[string]func() error{
		"no log":    func() error { return Export(t.Context(), Dir(t.TempDir()), w.keys(), 0, 0, collect) },
		"no key":    func() error { return Export(t.Context(), Dir(w.cfg.Dir), Keys{}, 0, 0, collect) },
		"other log": func() error { return Export(t.Context(), Dir(oddOnes.cfg.Dir), w.keys(), 0, 0, collect) },
	} {
		if err := do(); err == nil {
			t.Errorf("%s: exported", name)
		}
	}
}
