// Package enrol lets departments join the exchange over HTTP, and keeps their certificates fresh.
//
// Handler is the exchange's side, over the roll of identities; Client is a department's. A machine that joins trusts nothing but the
// fingerprint on its letter of access: before the one-time token is sent, the server must show a certificate of a node of
// that root. The private key is drawn on the machine and never leaves it.
package enrol

import (
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange/envelope"
)

// The addresses, below the exchange's.
const (
	pathEnrolments   = "/v1/enrolments"
	pathRenewals     = "/v1/renewals"
	pathRoots        = "/v1/roots"
	pathOwn          = "/v1/identity"
	pathIdentities   = "/v1/identities"
	pathInvitations  = "/v1/invitations"
	pathRevocations  = "/v1/revocations"
	pathRestorations = "/v1/restorations"
)

// Joined is what the exchange hands to a machine that enrols or renews: all it needs to publish or to ask.
type Joined struct {
	Identity string         `json:"identity"`
	Until    time.Time      `json:"until"`
	Chain    [][]byte       `json:"chain"`           // DER, the certificate first
	Roots    [][]byte       `json:"roots"`           // DER
	Crypto   envelope.Suite `json:"crypto,omitzero"` // by which the machine is to sign; zero: an exchange of old, which has the standard one only
	Exchange
}

// Papers are the certificate and its roots.
func (j Joined) Papers() certs.Papers {
	return certs.Papers{Chain: j.Chain, Roots: j.Roots, Suite: max(j.Crypto, envelope.Standard)}
}

// Exchange is what a machine must know of the exchange besides whom to trust. It changes, and comes anew with every renewal.
type Exchange struct {
	SealingKey []byte   `json:"sealing_key"` // what records are sealed to, of the suite that the machine signs by; see package envelope
	Kafka      []string `json:"kafka"`       // addresses of brokers
	KafkaTLS   bool     `json:"kafka_tls"`   // whether they want the certificate
}

// enrolment is the body of POST /v1/enrolments, renewal that of POST /v1/renewals.
type enrolment struct {
	Token   string `json:"token"`
	Request []byte `json:"request" pattern:"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"` // see certs.NewRequest
}

type renewal struct {
	Request []byte `json:"request" pattern:"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"`
}

// Invitation is a one-time token and how long it is good.
type Invitation struct {
	Identity string    `json:"identity"`
	Token    string    `json:"token"`
	Until    time.Time `json:"until"`
}

type invitationRequest struct {
	Identity string `json:"identity"`
	Hours    int    `json:"hours,omitzero" minimum:"0" maximum:"720"` // 0: as long as the exchange thinks right
}

type revocation struct {
	Target string `json:"target"`
	Reason string `json:"reason,omitempty"` // revocations only
}

// roots is the answer of GET /v1/roots: what a machine must know before it draws its keys.
type roots struct {
	// Crypto is by which suite whoever enrols here for the first time signs; zero: an exchange of old, which has the standard one only.
	Crypto       envelope.Suite      `json:"crypto,omitzero"`
	Roots        [][]byte            `json:"roots"`
	Fingerprints []certs.Fingerprint `json:"fingerprints"`
}

type standings struct {
	Identities []roll.Standing `json:"identities"`
}
