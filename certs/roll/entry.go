package roll

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/certs"
)

// What an entry says.
const (
	isInvited  = "invited"
	isIssued   = "issued"
	isRevoked  = "revoked"
	isRestored = "restored"
)

const (
	entryFormat = 1
	nonceSize   = 16
)

// nonce is an entry's own number: random, and the same when a lost message is sent again. That of an invitation names it.
type nonce [nonceSize]byte

// MarshalText writes it in hexadecimal.
func (n nonce) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(n[:])), nil }

// UnmarshalText reads what MarshalText wrote.
func (n *nonce) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(nonceSize) {
		return errors.New("nonce of another length")
	}
	_, err := hex.Decode(n[:], text)
	return err
}

// entry is one message of the roll. Its key is whom or what it is about.
type entry struct {
	Format int       `json:"v"`
	Kind   string    `json:"kind"`
	Nonce  nonce     `json:"nonce"`
	At     time.Time `json:"at"` // by the clock of the node that sent it
	By     string    `json:"by,omitempty"`

	Identity string `json:"identity,omitempty"` // invited, issued: its address

	TokenHash []byte    `json:"token_sha256,omitempty"` // invited
	Until     time.Time `json:"until,omitzero"`         // invited: the token's end

	Chain      [][]byte           `json:"chain,omitempty"`      // issued: DER, the certificate first
	Invitation *nonce             `json:"invitation,omitempty"` // issued: the invitation it consumes
	Renews     *certs.Fingerprint `json:"renews,omitempty"`     // issued: the certificate it takes the place of

	Target string `json:"target,omitempty"` // revoked, restored
	Reason Reason `json:"reason,omitempty"` // revoked

	// What parse reads out of the above.
	who    certs.Identity
	leaf   *x509.Certificate
	target Target
}

// key is the message's key.
func (e *entry) key() string {
	if e.Identity != "" {
		return e.Identity
	}
	return e.Target
}

// bytes are the message's value.
func (e *entry) bytes() ([]byte, error) { return json.Marshal(e, json.Deterministic(true)) }

// What makes a message no entry.
var (
	errNewer     = errors.New("an entry of a newer format")
	errMalformed = errors.New("a malformed entry")
)

// parse reads a message whose signature holds. Whether it is an entry depends on its bytes and the city alone.
func parse(city string, key, value []byte) (*entry, error) {
	var head struct {
		Format int `json:"v"`
	}
	switch err := json.Unmarshal(value, &head); {
	case err != nil || head.Format < 1:
		return nil, errMalformed
	case head.Format > entryFormat:
		return nil, errNewer
	}
	e := new(entry)
	if err := json.Unmarshal(value, e, json.RejectUnknownMembers(true)); err != nil {
		return nil, errMalformed
	}
	if string(key) != e.key() || e.Nonce == (nonce{}) || e.At.IsZero() {
		return nil, errMalformed
	}
	if err := e.read(city); err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	return e, nil
}

// read sees that an entry has what its kind needs, and nothing of another kind's.
func (e *entry) read(city string) error {
	invited := e.TokenHash != nil || !e.Until.IsZero()
	issued := e.Chain != nil || e.Invitation != nil || e.Renews != nil
	struck := e.Target != "" || e.Reason != ""
	switch {
	case e.Kind == isInvited && !issued && !struck:
		return e.readInvited(city)
	case e.Kind == isIssued && !invited && !struck:
		return e.readIssued(city)
	case e.Kind == isRevoked && !invited && !issued && e.Identity == "" && e.Reason != "":
		return e.readTarget(city)
	case e.Kind == isRestored && !invited && !issued && e.Identity == "" && e.Reason == "":
		if err := e.readTarget(city); err != nil {
			return err
		}
		if e.target.Certificate != (certs.Fingerprint{}) {
			return errors.New("a certificate is not restored")
		}
		return nil
	}
	return errors.New("members that do not go together")
}

func (e *entry) readIdentity(city string) (err error) {
	if e.who, err = certs.ParseIdentity(e.Identity); err != nil {
		return err
	}
	if e.who.City != city {
		return errors.New("identity of another city")
	}
	return nil
}

func (e *entry) readInvited(city string) error {
	if len(e.TokenHash) != sha256.Size || e.Until.IsZero() {
		return errors.New("invitation without a token or an end")
	}
	if err := e.readIdentity(city); err != nil {
		return err
	}
	if e.who.Role == certs.Node {
		return errors.New("a node is not invited")
	}
	return nil
}

// readIssued: only a node's certificate comes of nothing, because only nodes hold the key that signs entries.
func (e *entry) readIssued(city string) error {
	if err := e.readIdentity(city); err != nil {
		return err
	}
	if e.Invitation != nil && e.Renews != nil || e.Invitation == nil && e.Renews == nil && e.who.Role != certs.Node {
		return errors.New("a certificate comes of an invitation or of the one it renews")
	}
	if len(e.Chain) == 0 {
		return errors.New("no certificate")
	}
	var err error
	if e.leaf, err = x509.ParseCertificate(e.Chain[0]); err != nil {
		return err
	}
	named, err := certs.IdentityOf(e.leaf)
	if err != nil {
		return err
	}
	if named != e.who {
		return errors.New("the certificate names somebody else")
	}
	return nil
}

// readTarget takes the written form only, so that one target has one key.
func (e *entry) readTarget(city string) (err error) {
	if e.target, err = ParseTarget(city, e.Target); err != nil {
		return err
	}
	if e.target.String() != e.Target {
		return errors.New("a target in another form")
	}
	return nil
}
