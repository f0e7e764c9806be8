package copies

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/ofd"
)

// sealName is the attachment that says whose copy it is, and sealFile where it lies.
const sealName = "seal.json"

var sealFile = ofd.AttachmentFile(sealName)

// context keeps a signature of a copy from passing for one of anything else.
const sealContext = "yimen copy v1"

// Seal is what the exchange signed of a copy. It holds nobody's data.
type Seal struct {
	Format     string                `json:"format"`
	Type       exchange.EvidenceType `json:"type"`
	Department exchange.Department   `json:"department"` // for whom it was made
	Made       time.Time             `json:"made"`
	Expires    time.Time             `json:"expires"`
	Digest     string                `json:"digest"`              // of all other files of the package; see digestOf
	Receipt    audit.Receipt         `json:"receipt"`             // of the query that the copy tells of
	Key        string                `json:"key"`                 // the KeyName of whose signature it is
	Signature  []byte                `json:"signature,omitempty"` // Ed25519 over the context, a line feed, and the seal without its signature
}

// sealOf seals the files of a copy.
func sealOf(c Copy, files []ofd.File, key ed25519.PrivateKey) ([]byte, error) {
	s := Seal{Format: sealContext, Type: c.Type, Department: c.Department, Made: c.Made.UTC(), Expires: c.Expires.UTC(), Digest: digestOf(files), Receipt: c.Receipt,
		Key: audit.KeyName(key.Public().(ed25519.PublicKey))}
	statement, err := s.statement()
	if err != nil {
		return nil, err
	}
	s.Signature = ed25519.Sign(key, statement)
	return s.spell()
}

func (s Seal) spell() ([]byte, error) { return json.Marshal(s, json.Deterministic(true)) }

// statement is what the signature is over.
func (s Seal) statement() ([]byte, error) {
	s.Signature = nil
	spelt, err := s.spell()
	return append([]byte(sealContext+"\n"), spelt...), err
}

// digestOf is the SHA-256 of a line for each file, in their order: its SHA-256 in hexadecimal, two spaces, its name, as sha256sum has it.
func digestOf(files []ofd.File) string {
	var lines bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(f.Content), f.Name)
	}
	sum := sha256.Sum256(lines.Bytes())
	return hex.EncodeToString(sum[:])
}

// Finding says what a file is.
type Finding int

// The findings.
const (
	Foreign Finding = iota // nothing that this exchange made, as far as can be told
	Changed                // it bears a seal that this exchange signed, and is not what was sealed: none of what it says is to be believed
	Genuine                // this exchange made it, and not a byte was changed
)

// Check says what a file is, and what was sealed where it is genuine. It errs where the keys are not to be had.
func (p *Press) Check(ctx context.Context, file []byte) (Finding, Seal, error) {
	keys, err := p.keys(ctx)
	if err != nil {
		return Foreign, Seal{}, err
	}
	if len(file) > MaxFile {
		return Foreign, Seal{}, nil
	}
	files, err := ofd.Unpack(file)
	if err != nil || len(files) == 0 || files[len(files)-1].Name != sealFile {
		return Foreign, Seal{}, nil
	}
	last := len(files) - 1
	public := keys.Signature.Public().(ed25519.PublicKey)
	s, err := readSeal(files[last].Content)
	if err != nil || !s.signedBy(public) { // the name of the key is public: anybody can write it into a seal
		return Foreign, Seal{}, nil
	}
	if !s.writtenSo(files[last].Content) || s.Digest != digestOf(files[:last]) || !packedSo(files, file) {
		return Changed, Seal{}, nil
	}
	return Genuine, s, nil
}

func readSeal(spelt []byte) (s Seal, err error) {
	err = json.Unmarshal(spelt, &s, json.RejectUnknownMembers(true))
	if err == nil && s.Format != sealContext {
		err = ofd.ErrForeign
	}
	return s, err
}

// signedBy says whether the key signed what the seal says.
func (s Seal) signedBy(public ed25519.PublicKey) bool {
	statement, err := s.statement()
	return err == nil && s.Key == audit.KeyName(public) && ed25519.Verify(public, statement, s.Signature)
}

// writtenSo says whether the seal is spelt as the exchange spells it.
func (s Seal) writtenSo(spelt []byte) bool {
	again, err := s.spell()
	return err == nil && bytes.Equal(again, spelt)
}

// packedSo says whether an archive is these files and nothing else: what stands before, between or behind them would be seen by others.
func packedSo(files []ofd.File, archive []byte) bool {
	again, err := ofd.Pack(files)
	return err == nil && bytes.Equal(again, archive)
}
