package ledger

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	formats "github.com/transparency-dev/formats/log"
	cosigned "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera"
	"golang.org/x/mod/sumdb/note"

	"github.com/onedoor/yimen/exchange/custody"
)

// Keys are those that a checkpoint must be signed by, in the form NAME+HASH+KEY of signed notes.
type Keys struct {
	Log       string   // its name is the log's origin
	Witnesses []string // all of them
}

// VerifierKey is the public half of the key that signs checkpoints, as verifiers take it.
func VerifierKey(origin string, public ed25519.PublicKey) (string, error) {
	return note.NewEd25519VerifierKey(origin, public)
}

// signer signs notes as the log, for note.Signer, with the key for as long as it may be held.
type signer struct {
	log note.Verifier // of the same name and key
	key *custody.Held[ed25519.PrivateKey]
}

func (s signer) Name() string    { return s.log.Name() }
func (s signer) KeyHash() uint32 { return s.log.KeyHash() }

func (s signer) Sign(text []byte) ([]byte, error) {
	key, err := s.key.Get(context.Background()) // answered from memory
	if err != nil {
		return nil, err
	}
	return ed25519.Sign(*key, text), nil
}

// trust is what a checkpoint is held against.
type trust struct {
	log       note.Verifier
	witnesses []note.Verifier
}

func (k Keys) trust() (trust, error) {
	var t trust
	var err error
	if t.log, err = note.NewVerifier(k.Log); err != nil {
		return trust{}, fmt.Errorf("key of the log: %w", err)
	}
	for i, key := range k.Witnesses {
		witness, err := cosigned.NewVerifierForCosignatureV1(key)
		if err != nil {
			return trust{}, fmt.Errorf("key of witness %d: %w", i+1, err)
		}
		t.witnesses = append(t.witnesses, witness)
	}
	return t, nil
}

// The ways in which a checkpoint can fail.
var (
	errNotSigned   = errors.New("checkpoint is not signed by the log")
	errNotCosigned = errors.New("checkpoint is not cosigned by a witness that must")
	errMalformed   = errors.New("checkpoint is not in its one form")
)

// open checks a checkpoint: the log's signature, each witness's, and that it is written in the one way there is.
func (t trust) open(raw []byte) (root, error) {
	n, err := note.Open(raw, note.VerifierList(append([]note.Verifier{t.log}, t.witnesses...)...))
	if unverified, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		n = unverified.Note
	} else if err != nil {
		return root{}, fmt.Errorf("%w: %w", errMalformed, err)
	}
	if !signed(n, t.log) {
		return root{}, errNotSigned
	}
	for _, w := range t.witnesses {
		if !signed(n, w) {
			return root{}, fmt.Errorf("%s: %w", w.Name(), errNotCosigned)
		}
	}
	r, err := rootOf(n.Text, t.log.Name())
	if err == nil && !oneForm(raw, n) {
		err = errMalformed
	}
	return r, err
}

func signed(n *note.Note, by note.Verifier) bool {
	for _, s := range n.Sigs {
		if s.Name == by.Name() && s.Hash == by.KeyHash() {
			return true
		}
	}
	return false
}

// rootOf reads the text of a checkpoint, which has neither a second spelling nor extensions.
func rootOf(text, origin string) (root, error) {
	var c formats.Checkpoint
	_, err := c.Unmarshal([]byte(text))
	if err != nil || c.Origin != origin || len(c.Hash) != sha256.Size || string(c.Marshal()) != text {
		return root{}, errMalformed
	}
	return root{c.Size, c.Hash}, nil
}

// oneForm says whether a note's signatures are written in the one way there is: Base64 has several spellings of the same bytes, and
// a signature can be repeated.
func oneForm(raw []byte, n *note.Note) bool {
	lines := strings.Split(strings.TrimSuffix(strings.TrimPrefix(string(raw), n.Text+"\n"), "\n"), "\n")
	if len(lines) != len(n.Sigs)+len(n.UnverifiedSigs) {
		return false
	}
	for _, line := range lines {
		sig := line[strings.LastIndexByte(line, ' ')+1:]
		if _, err := base64.StdEncoding.Strict().DecodeString(sig); err != nil {
			return false
		}
	}
	return true
}

// Witness is somebody who cosigns checkpoints: one that runs `yimen witness`, or any other of C2SP's tlog-witness.
type Witness struct {
	Key string // NAME+HASH+KEY, as the witness shows it
	URL string // where its add-checkpoint is
}

// witnessGroup is all witnesses, each of which must sign.
func witnessGroup(witnesses []Witness) (tessera.WitnessGroup, error) {
	group := tessera.WitnessGroup{N: len(witnesses)}
	for i, w := range witnesses {
		at, err := url.Parse(w.URL)
		if err != nil || at.Host == "" {
			return group, fmt.Errorf("witness %d has no address", i+1)
		}
		known, err := tessera.NewWitness(w.Key, at)
		if err != nil {
			return group, fmt.Errorf("witness %d: %w", i+1, err)
		}
		group.Components = append(group.Components, known)
	}
	return group, nil
}
