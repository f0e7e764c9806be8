package roll

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/journal"
)

// The kinds of entry.
const (
	invited  = "invited"
	issued   = "issued"
	revoked  = "revoked"
	restored = "restored"
)

// entry is one entry of the roll as it stands on the topic.
type entry struct {
	Format   int       `json:"format"`
	Kind     string    `json:"kind"`
	ID       string    `json:"id"` // random, so that whoever appended it knows it again
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty"`       // the administrator: department and staff code
	Identity string    `json:"identity,omitempty"` // invited, issued
	Token    string    `json:"token,omitempty"`    // invited: SHA-256 of the one-time token; issued: the one that it used up
	Until    time.Time `json:"until,omitzero"`     // invited
	Chain    [][]byte  `json:"chain,omitempty"`    // issued
	Signing  []byte    `json:"signing,omitempty"`  // issued: the SM2 point that signs for the certificate; none: its own key does
	Renews   string    `json:"renews,omitempty"`   // issued: the certificate that it takes the place of
	Target   string    `json:"target,omitempty"`   // revoked, restored
	Reason   string    `json:"reason,omitempty"`   // revoked: a code
}

// format changes with the meaning of any member; the old ones fold for ever.
const format = 1

// maxEntry bounds an entry in bytes: a chain has a few kilobytes.
const maxEntry = 64 << 10

// parseEntry reads an entry strictly. It says nothing of what the entry means for the roll.
func parseEntry(value []byte) (*entry, error) {
	e, err := journal.Read[entry](value, maxEntry, "")
	if err != nil {
		return nil, err
	}
	if e.Format != format || e.ID == "" || e.At.IsZero() {
		return nil, fmt.Errorf("entry of format %d, or without id or time", e.Format)
	}
	return e, nil
}

func (e *entry) message() (exchange.Message, error) { return journal.Message(Topic, e.ID, e.At, e) }

// hashOf is a one-time token as the roll keeps it. A token is random and long, so a plain hash tells nothing of it.
func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func hexOf(id envelope.SignerID) string { return hex.EncodeToString(id[:]) }

// idOf is the way back from hexOf.
func idOf(s string) (id envelope.SignerID, ok bool) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(id) {
		return id, false
	}
	return envelope.SignerID(raw), true
}

// Target is whom or what a revocation is about: one identity, all of a department, or one certificate.
type Target struct {
	Identity    certs.Identity
	Department  exchange.Department
	Certificate certs.Fingerprint
}

const (
	targetDepartment  = "department:"
	targetCertificate = "certificate:"
)

// String is the target as entries and commands write it.
func (t Target) String() string {
	switch {
	case t.Identity != (certs.Identity{}):
		return t.Identity.String()
	case t.Department != "":
		return targetDepartment + string(t.Department)
	}
	return targetCertificate + t.Certificate.String()
}
