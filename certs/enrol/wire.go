package enrol

import (
	"crypto/x509"
	"errors"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange"
)

// Papers are what a machine needs to take part: its certificate, whom to trust, whom to seal to, and where Kafka is. Binary
// values are base64 in JSON.
type Papers struct {
	Chain       [][]byte     `json:"chain"` // DER, the certificate first, without the root
	Roots       [][]byte     `json:"roots"` // DER
	SealingKeys []SealingKey `json:"sealing_keys"`
	Kafka       []string     `json:"kafka"` // host:port
}

// Certs are the papers that a certs.Credential keeps.
func (p Papers) Certs() certs.Papers { return certs.Papers{Chain: p.Chain, Roots: p.Roots} }

// Leaf is the certificate.
func (p Papers) Leaf() (*x509.Certificate, error) {
	if len(p.Chain) == 0 {
		return nil, errors.New("papers without a certificate")
	}
	return x509.ParseCertificate(p.Chain[0])
}

// SealingKey is a public key of the exchange.
type SealingKey struct {
	ID     string `json:"id"`
	Public []byte `json:"public"`
}

// State is what an identity can do.
type State string

// The states.
const (
	Valid   State = "valid"   // it has a certificate
	Invited State = "invited" // it has none, and an open invitation
	Expired State = "expired" // its certificate is out of date
	Lapsed  State = "lapsed"  // its certificate is revoked; it may be invited
	Revoked State = "revoked" // it, or its department
	None    State = "none"    // it never had a certificate, and its invitation is out of date, or it was restored
)

// Row is one identity of the roll, or a department that is revoked.
type Row struct {
	Name        string              `json:"name"`               // such as scjg/adapter/licences; of a department its code
	Identity    string              `json:"identity,omitempty"` // the address
	Department  exchange.Department `json:"department,omitempty"`
	Role        certs.Role          `json:"role,omitempty"`
	State       State               `json:"state"`
	Fingerprint *certs.Fingerprint  `json:"fingerprint,omitempty"` // of the newest certificate
	Issued      time.Time           `json:"issued,omitzero"`
	Until       time.Time           `json:"until,omitzero"`
	Invited     time.Time           `json:"invited_until,omitzero"`
	Revoked     *Struck             `json:"revoked,omitempty"`
}

// Struck says when, by whom and why something was revoked.
type Struck struct {
	At     time.Time   `json:"at"`
	By     string      `json:"by,omitempty"`
	Reason roll.Reason `json:"reason"`
}

// Invitation is a one-time token, told once.
type Invitation struct {
	Name     string    `json:"name"`
	Identity string    `json:"identity"`
	Token    string    `json:"token"`
	Expires  time.Time `json:"expires"`
}

// Change is what was revoked or restored.
type Change struct {
	Target string      `json:"target"`
	Reason roll.Reason `json:"reason,omitempty"`
}

// The bodies of requests.
type (
	enrolment struct {
		Token   string `json:"token"`
		Request []byte `json:"request"` // PKCS #10, DER
	}
	renewal struct {
		Request []byte `json:"request"`
	}
	invitation struct {
		Identity string `json:"identity"`
		Life     string `json:"life,omitempty"` // such as 24h
	}
	revocation struct {
		Target string      `json:"target"`
		Reason roll.Reason `json:"reason"`
	}
	restoration struct {
		Target string `json:"target"`
	}
)

// rootsAnswer is the answer of GET /v1/roots.
type rootsAnswer struct {
	Roots [][]byte `json:"roots"`
}
