// Package witness cosigns the checkpoints of logs, each only if it extends the one before.
//
// It follows C2SP's tlog-witness: a log posts a checkpoint with a proof that it extends the last one this witness cosigned, and gets
// a cosignature. The witness holds no entries and needs no trust but this: that it never signs two checkpoints of a log that
// contradict each other. What it has signed is on its disk before anybody sees the signature, so that this holds over every crash.
//
// It does not hold where its directory is rolled back: a witness restored from a backup has forgotten what it signed since, and
// would sign another history from there on. Restore the key alone and remove the folder "logs", which makes the next checkpoint of
// each log count as its first, only after verifying the logs from their topics; better, give the restored witness a new key.
package witness

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	cosigned "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/durable"
)

// Log is a log that the witness knows.
type Log struct {
	Origin string
	Key    string // NAME+HASH+KEY, as the log shows it
}

// Config is what a Witness is made of.
type Config struct {
	Dir  string // of the key and of what was signed; made if it is not there, and readable by its owner only
	Name string // in the witness's key; counts only when the key is made
	Logs []Log
	Log  *slog.Logger // nil: silent
}

// Witness cosigns checkpoints. It is safe for concurrent use, and an http.Handler for POST /add-checkpoint.
type Witness struct {
	log    *slog.Logger
	lock   *pebble.Lock
	signer *cosigned.Signer
	vkey   string
	logs   map[string]*known // by origin
}

// known is a log, with the last checkpoint that was cosigned.
type known struct {
	origin string
	key    note.Verifier
	path   string

	mu   sync.Mutex // held from looking at last until it has been replaced on the disk
	last checkpoint
}

const keyFile = "witness.key"

// Open opens or makes a witness's directory. A directory that another process holds is a Problem of the kind Conflict.
func Open(cfg Config) (*Witness, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(filepath.Join(cfg.Dir, logsDir), 0o700); err != nil {
		return nil, unusable(cfg.Dir, err)
	}
	lock, err := pebble.LockDirectory(cfg.Dir, vfs.Default)
	if err != nil {
		return nil, held(cfg.Dir, err)
	}
	w := &Witness{log: cfg.Log, lock: lock, logs: map[string]*known{}}
	if err = w.readKey(cfg); err == nil {
		err = w.readLogs(cfg)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return w, nil
}

// Close gives the directory free. No request may be under way.
func (w *Witness) Close() error { return w.lock.Close() }

// VerifierKey is what logs and verifiers need to know this witness by.
func (w *Witness) VerifierKey() string { return w.vkey }

// readKey reads the witness's key, or makes one.
func (w *Witness) readKey(cfg Config) error {
	path := filepath.Join(cfg.Dir, keyFile)
	secret, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		secret, err = makeKey(path, cfg.Name)
	} else if err == nil {
		err = private(path)
	}
	if err != nil {
		return unusable(path, err)
	}
	if w.signer, w.vkey, err = parseKey(strings.TrimSpace(string(secret))); err != nil {
		return damaged(path)
	}
	return nil
}

func makeKey(path, name string) ([]byte, error) {
	secret, _, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return nil, err
	}
	if _, _, err := parseKey(secret); err != nil {
		return nil, badName()
	}
	return []byte(secret), durable.Replace(path, []byte(secret+"\n"), 0o600)
}

// parseKey reads a key of signed notes as that of a cosigner. Errors do not hold it.
func parseKey(secret string) (signer *cosigned.Signer, vkey string, err error) {
	if signer, err = cosigned.NewSignerForCosignatureV1(secret); err != nil {
		return nil, "", err
	}
	part := strings.SplitN(secret, "+", 5) // PRIVATE, KEY, name, hash, and the key, which can hold a plus sign
	seed, err := base64.StdEncoding.DecodeString(part[len(part)-1])
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return nil, "", errors.New("key of the witness is none of Ed25519")
	}
	public := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	if vkey, err = note.NewEd25519VerifierKey(signer.Name(), public); err == nil {
		vkey, err = cosigned.VKeyToCosignatureV1(vkey)
	}
	return signer, vkey, err
}

// readLogs takes up what was signed before.
func (w *Witness) readLogs(cfg Config) error {
	for _, l := range cfg.Logs {
		key, err := note.NewVerifier(l.Key)
		if err != nil || l.Origin == "" || w.logs[l.Origin] != nil {
			return &exchange.Problem{Code: "YM-WIT-0101", Kind: exchange.Invalid, Err: err,
				What: text("日志的公钥或名称不可用", "the key or the origin of a log cannot be used"),
				Mend: text("写成 公钥@名称，公钥如 yimen serve 启动时所示；每份日志一次", "write KEY@ORIGIN, the key as yimen serve shows it when it starts; each log once")}
		}
		k := &known{origin: l.Origin, key: key, path: statePath(cfg.Dir, l.Origin)}
		if err := k.load(w.signer.Verifier()); err != nil {
			return err
		}
		w.logs[l.Origin] = k
	}
	return nil
}

// refusal is why a checkpoint is not cosigned, by the status that the protocol has for it.
type refusal struct {
	status int
	why    string
	size   *uint64 // with statusConflict: that of the last one cosigned
}

func (r *refusal) Error() string { return r.why }

// cosign cosigns the checkpoint of a request, or says why not.
func (w *Witness) cosign(r request) (signature []byte, err error) {
	origin, _, _ := strings.Cut(string(r.checkpoint), "\n")
	k := w.logs[origin]
	if k == nil {
		return nil, &refusal{status: statusUnknown, why: "the log is not known"}
	}
	n, err := note.Open(r.checkpoint, note.VerifierList(k.key))
	if _, unverified := errors.AsType[*note.UnverifiedNoteError](err); unverified {
		return nil, &refusal{status: statusUnsigned, why: "no signature is by the key known for the log"}
	}
	if _, invalid := errors.AsType[*note.InvalidSignatureError](err); invalid {
		return nil, &refusal{status: statusUnsigned, why: "the log's signature does not hold"}
	}
	if err != nil {
		return nil, &refusal{status: statusMalformed, why: "the checkpoint is no signed note"}
	}
	next, err := parse(n, origin)
	if err != nil {
		return nil, &refusal{status: statusMalformed, why: "the checkpoint is not well formed"}
	}
	if r.old > next.size {
		return nil, &refusal{status: statusMalformed, why: "the old size is above the checkpoint's"}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.follows(r, next); err != nil {
		return nil, err
	}
	kept, signature, err := w.sign(n)
	if err != nil {
		return nil, err
	}
	if err := durable.Replace(k.path, kept, 0o600); err != nil {
		return nil, err
	}
	k.last = next
	return signature, nil
}

// follows says whether a checkpoint extends the last one. The caller holds mu.
func (k *known) follows(r request, next checkpoint) error {
	if r.old != k.last.size {
		size := k.last.size
		return &refusal{status: statusConflict, why: "the old size is not that of the last checkpoint cosigned", size: &size}
	}
	if k.last.size == next.size {
		if !bytes.Equal(k.last.hash, next.hash) {
			return &refusal{status: statusConflict, why: "another root of the same size was cosigned"}
		}
		if len(r.proof) > 0 {
			return &refusal{status: statusUnproved, why: "a proof where there is nothing to prove"}
		}
		return nil
	}
	if k.last.size == 0 {
		if len(r.proof) > 0 {
			return &refusal{status: statusUnproved, why: "a proof from an empty log"}
		}
		return nil
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, k.last.size, next.size, r.proof, k.last.hash, next.hash); err != nil {
		return &refusal{status: statusUnproved, why: "the proof does not hold"}
	}
	return nil
}

// sign cosigns a checkpoint's text. It gives the text with the cosignature, which is what is kept, and the cosignature's line.
func (w *Witness) sign(n *note.Note) (kept, line []byte, err error) {
	kept, err = note.Sign(&note.Note{Text: n.Text}, w.signer)
	if err != nil {
		return nil, nil, fmt.Errorf("cosign: %w", err)
	}
	return kept, kept[len(n.Text)+1:], nil
}
