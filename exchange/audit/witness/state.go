package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

const logsDir = "logs"

// statePath is where the last checkpoint of a log lies; origins can hold slashes.
func statePath(dir, origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return filepath.Join(dir, logsDir, hex.EncodeToString(sum[:16]))
}

// checkpoint is a tree that was cosigned.
type checkpoint struct {
	size uint64
	hash []byte
}

var errCheckpoint = errors.New("this is no checkpoint")

// parse reads a checkpoint's text. Extension lines are signed with it, but nothing is read from them.
func parse(n *note.Note, origin string) (checkpoint, error) {
	var c log.Checkpoint
	rest, err := c.Unmarshal([]byte(n.Text))
	if err != nil || c.Origin != origin || len(c.Hash) != sha256.Size || string(c.Marshal())+string(rest) != n.Text {
		return checkpoint{}, errCheckpoint
	}
	if c.Size == 0 && !bytes.Equal(c.Hash, rfc6962.DefaultHasher.EmptyRoot()) {
		return checkpoint{}, errCheckpoint
	}
	return checkpoint{size: c.Size, hash: c.Hash}, nil
}

// load reads the last checkpoint that was cosigned. One that this witness did not sign was not written by this program: whoever went
// on from there could be made to sign anything.
func (k *known) load(own note.Verifier) error {
	k.last = checkpoint{hash: rfc6962.DefaultHasher.EmptyRoot()}
	raw, err := os.ReadFile(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unusable(k.path, err)
	}
	n, err := note.Open(raw, note.VerifierList(own))
	if err != nil {
		return damaged(k.path)
	}
	again := fmt.Sprintf("%s\n— %s %s\n", n.Text, n.Sigs[0].Name, n.Sigs[0].Base64)
	if _, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64); err != nil || again != string(raw) {
		return damaged(k.path)
	}
	last, err := parse(n, k.origin)
	if err != nil {
		return damaged(k.path)
	}
	k.last = last
	return nil
}
