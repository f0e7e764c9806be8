package roll

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// state is the roll as it follows from the entries folded so far, and from nothing else.
type state struct {
	city         string
	next         int64                          // offset of the next entry
	invitations  map[string]*invitation         // by the hash of the token
	certificates map[envelope.SignerID]*license // by fingerprint
	members      map[certs.Identity]*member
	departments  map[exchange.Department]revocation // those revoked as a whole
}

type invitation struct {
	who    certs.Identity
	until  time.Time
	usedBy string // the entry that used it up
}

// license is one certificate.
type license struct {
	who     certs.Identity
	leaf    *x509.Certificate
	entry   string
	revoked revocation
}

// member is one identity.
type member struct {
	latest  *license // nil: invited only
	invited time.Time
	until   time.Time // of the invitation
	revoked revocation
}

// revocation is when somebody was revoked, by whom and why; the zero value: not.
type revocation struct {
	at     time.Time
	by     string
	reason string
}

func newState(city string) state {
	return state{city: city, invitations: map[string]*invitation{}, certificates: map[envelope.SignerID]*license{},
		members: map[certs.Identity]*member{}, departments: map[exchange.Department]revocation{}}
}

// fold takes one entry. An error says why it changes nothing.
func (s *state) fold(e *entry) error {
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
	s.invitations[e.Token] = &invitation{who: who, until: e.Until}
	m := s.member(who)
	m.invited, m.until = e.At, e.Until
	return nil
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
	if !s.revokedOf(who).at.IsZero() {
		return fmt.Errorf("identity was revoked before")
	}
	id := envelope.SignerID(certs.FingerprintOf(e.Chain[0]))
	if s.certificates[id] != nil {
		return fmt.Errorf("certificate stands on the roll already")
	}
	if err := s.entitled(e, who); err != nil {
		return err
	}
	l := &license{who: who, leaf: leaf, entry: e.ID}
	s.certificates[id] = l
	s.member(who).latest = l
	return nil
}

// entitled says why a certificate may not be issued, and uses up the invitation that it may be issued by.
func (s *state) entitled(e *entry, who certs.Identity) error {
	switch {
	case e.Token != "":
		i := s.invitations[e.Token]
		if i == nil || i.who != who || i.usedBy != "" || e.At.After(i.until) {
			return fmt.Errorf("there is no invitation for it, or no longer")
		}
		i.usedBy = e.ID
	case e.Renews != "":
		id, _ := idOf(e.Renews)
		l := s.certificates[id]
		if l == nil || l.who != who || !l.revoked.at.IsZero() || e.At.After(l.leaf.NotAfter) {
			return fmt.Errorf("the certificate that it renews is not on the roll, another's, revoked or out of date")
		}
	case who.Role != certs.Node:
		return fmt.Errorf("only nodes need no invitation")
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
		return fmt.Errorf("a certificate is revoked for good")
	}
	if e.Kind == restored {
		return nil // its certificates stay revoked: whoever was revoked enrols anew
	}
	for id, l := range s.certificates {
		if l.revoked.at.IsZero() && target.covers(l.who, id) {
			l.revoked = r
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
