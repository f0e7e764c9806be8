package roll

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/journal"
)

// state is the roll as it follows from the entries folded so far, and from nothing else.
type state struct {
	city         string
	seen         map[string]bool                // ids of entries
	invitations  map[string]*invitation         // by the hash of the token
	certificates map[envelope.SignerID]*license // by fingerprint
	keys         map[[sha256.Size]byte]bool     // of all certificates: each serves one
	members      map[certs.Identity]*member
	departments  map[exchange.Department]revocation // those revoked as a whole
}

type invitation struct {
	who      certs.Identity
	until    time.Time
	closedBy string // the entry that used it up, took its place or revoked it
}

// license is one certificate.
type license struct {
	who     certs.Identity
	leaf    *x509.Certificate
	signing []byte // SM2; nil: the certificate's own key signs
	revoked revocation
}

// member is one identity.
type member struct {
	latest     *license    // nil: invited only
	invitation *invitation // the last one; nil: never invited
	invited    time.Time
	until      time.Time // of the invitation
	revoked    revocation
}

// revocation is when somebody was revoked, by whom and why; the zero value: not.
type revocation struct {
	at     time.Time
	by     string
	reason string
}

func newState(city string) state {
	return state{city: city, seen: map[string]bool{}, invitations: map[string]*invitation{}, certificates: map[envelope.SignerID]*license{},
		keys: map[[sha256.Size]byte]bool{}, members: map[certs.Identity]*member{}, departments: map[exchange.Department]revocation{}}
}

// fold takes one entry. An error says why it changes nothing. An entry that comes again never does: a restoration sent once more
// must not lift a later revocation.
func (s *state) fold(e *entry) error {
	if s.seen[e.ID] {
		return journal.ErrRepeated
	}
	s.seen[e.ID] = true
	switch e.Kind {
	case invited:
		return s.foldInvited(e)
	case issued:
		return s.foldIssued(e)
	case revoked, restored:
		return s.foldRevoked(e)
	}
	return fmt.Errorf("entry of kind %q", e.Kind)
}

func (s *state) member(who certs.Identity) *member {
	m := s.members[who]
	if m == nil {
		m = &member{}
		s.members[who] = m
	}
	return m
}

// revokedOf is the revocation of an identity, by itself or with its department.
func (s *state) revokedOf(who certs.Identity) revocation {
	if m := s.members[who]; m != nil && !m.revoked.at.IsZero() {
		return m.revoked
	}
	return s.departments[who.Department]
}

func (s *state) identity(e *entry) (certs.Identity, error) {
	who, err := certs.ParseIdentity(e.Identity)
	if err == nil && who.City != s.city {
		err = fmt.Errorf("identity is of another city")
	}
	return who, err
}

func (s *state) foldInvited(e *entry) error {
	who, err := s.identity(e)
	if err != nil {
		return err
	}
	if len(e.Token) != 64 || s.invitations[e.Token] != nil {
		return fmt.Errorf("invitation without a token of its own")
	}
	if is := s.revokedOf(who); !is.at.IsZero() {
		return isRevoked(who.Principal(), is)
	}
	m := s.member(who)
	m.close(e.ID) // of two letters, the later counts
	m.invitation, m.invited, m.until = &invitation{who: who, until: e.Until}, e.At, e.Until
	s.invitations[e.Token] = m.invitation
	return nil
}

// close makes an open invitation useless.
func (m *member) close(by string) {
	if m.invitation != nil && m.invitation.closedBy == "" {
		m.invitation.closedBy = by
	}
}

func (s *state) foldIssued(e *entry) error {
	who, err := s.identity(e)
	if err != nil {
		return err
	}
	if len(e.Chain) == 0 {
		return fmt.Errorf("certificate is missing")
	}
	leaf, err := x509.ParseCertificate(e.Chain[0])
	if err != nil {
		return fmt.Errorf("certificate is not readable")
	}
	named, err := certs.IdentityOf(leaf)
	if err != nil || named != who {
		return fmt.Errorf("certificate is somebody else's")
	}
	if is := s.revokedOf(who); !is.at.IsZero() {
		return isRevoked(who.Principal(), is)
	}
	id, key := envelope.SignerID(certs.FingerprintOf(e.Chain[0])), keyOf(leaf.RawSubjectPublicKeyInfo)
	if s.certificates[id] != nil || s.keys[key] || e.Signing != nil && s.keys[keyOf(e.Signing)] {
		return sameKey()
	}
	if err := s.entitled(e, who); err != nil {
		return err
	}
	l := &license{who: who, leaf: leaf, signing: e.Signing}
	if l.signing != nil {
		s.keys[keyOf(l.signing)] = true
	}
	s.certificates[id], s.keys[key] = l, true
	s.member(who).latest = l
	return nil
}

// keyOf is what is kept of a public key: of a certificate's as it stands there, of SM2 the point.
func keyOf(spki []byte) [sha256.Size]byte { return sha256.Sum256(spki) }

// entitled says why a certificate may not be issued, and uses up the invitation that it may be issued by.
func (s *state) entitled(e *entry, who certs.Identity) error {
	switch {
	case e.Token != "":
		i := s.invitations[e.Token]
		if i == nil || i.who != who || i.closedBy != "" || e.At.After(i.until) {
			return badToken()
		}
		i.closedBy = e.ID
	case e.Renews != "":
		id, _ := idOf(e.Renews)
		l := s.certificates[id]
		if l == nil || l.who != who {
			return unknown()
		}
		return l.good(e.At)
	case who.Role != certs.Node:
		return fmt.Errorf("only nodes need no invitation")
	}
	return nil
}

// good says why a certificate does not hold at a moment.
func (l *license) good(at time.Time) error {
	switch {
	case !l.revoked.at.IsZero():
		return isRevoked(l.who.Principal(), l.revoked)
	case at.After(l.leaf.NotAfter):
		return outOfDate(l.who.Principal(), l.leaf.NotAfter)
	}
	return nil
}

func (s *state) foldRevoked(e *entry) error {
	target, err := ParseTarget(s.city, e.Target)
	if err != nil {
		return err
	}
	var r revocation
	if e.Kind == revoked {
		r = revocation{at: e.At, by: e.By, reason: e.Reason}
	}
	switch {
	case target.Department != "":
		s.departments[target.Department] = r
	case target.Identity != (certs.Identity{}):
		s.member(target.Identity).revoked = r
	case e.Kind == restored:
		return revokedForGood()
	case s.certificates[envelope.SignerID(target.Certificate)] == nil:
		return noSuchCertificate()
	}
	if e.Kind == restored {
		return nil // its certificates stay revoked: whoever was revoked enrols anew
	}
	for id, l := range s.certificates {
		if l.revoked.at.IsZero() && target.covers(l.who, id) {
			l.revoked = r
		}
	}
	for who, m := range s.members {
		if target.Certificate == (certs.Fingerprint{}) && target.covers(who, envelope.SignerID{}) {
			m.close(e.ID) // a token that was lost with the machine is of no use after a restoration
		}
	}
	return nil
}

// covers says whether a revocation of the target takes the certificate along.
func (t Target) covers(who certs.Identity, id envelope.SignerID) bool {
	switch {
	case t.Department != "":
		return who.Department == t.Department
	case t.Identity != (certs.Identity{}):
		return who == t.Identity
	}
	return id == envelope.SignerID(t.Certificate)
}
