package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// Until adapters enrol and the roll of identities says whose certificate is whose, an adapter on the exchange's own machine
// draws its key itself and leaves the public half in a folder of the data directory, which the exchange believes.
// signersDir and all in this file go with the roll.
const signersDir = "signers"

// selfSigner signs with a key that the adapter has drawn itself.
type selfSigner struct {
	key ed25519.PrivateKey
	id  envelope.SignerID
}

func (s selfSigner) Sign(message []byte) ([]byte, envelope.SignerID, error) {
	return ed25519.Sign(s.key, message), s.id, nil
}

// signerOf gives an adapter's signer and lets the exchange of this data directory know it.
func signerOf(data string, adapter exchange.Adapter) (envelope.Signer, error) {
	keys, err := certs.OpenLocal(filepath.Join(data, keysDir))
	if err != nil {
		return nil, err
	}
	seed, err := keys.Secret("signer-" + strings.ReplaceAll(string(adapter), "/", "."))
	if err != nil {
		return nil, err
	}
	s := selfSigner{key: ed25519.NewKeyFromSeed(seed)}
	public := s.key.Public().(ed25519.PublicKey)
	s.id = sha256.Sum256(public)
	dir := filepath.Join(data, signersDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of signers: %w", err)
	}
	path := filepath.Join(dir, hex.EncodeToString(s.id[:]))
	return s, noteSigner(path, append(public[:len(public):len(public)], adapter...))
}

// noteSigner writes the file whole: the exchange may be reading it.
func noteSigner(path string, content []byte) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	err := os.WriteFile(path+".new", content, 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("note signer: %w", err)
	}
	return nil
}

// ownSigners is the directory of those who left their key in a data directory.
type ownSigners struct {
	data  string
	known sync.Map // envelope.SignerID → envelope.Signatory
}

func (d *ownSigners) Signatory(_ context.Context, id envelope.SignerID) (envelope.Signatory, bool, error) {
	if known, ok := d.known.Load(id); ok {
		return known.(envelope.Signatory), true, nil
	}
	content, err := os.ReadFile(filepath.Join(d.data, signersDir, hex.EncodeToString(id[:])))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return envelope.Signatory{}, false, nil
	case err != nil:
		return envelope.Signatory{}, false, fmt.Errorf("read signer: %w", err)
	case len(content) <= ed25519.PublicKeySize || envelope.SignerID(sha256.Sum256(content[:ed25519.PublicKeySize])) != id:
		return envelope.Signatory{}, false, nil
	}
	who := envelope.Signatory{Adapter: exchange.Adapter(content[ed25519.PublicKeySize:]), Suite: envelope.Standard,
		Public: content[:ed25519.PublicKeySize], Until: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	d.known.Store(id, who)
	return who, true, nil
}
