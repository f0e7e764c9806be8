package roll

import (
	"crypto/ed25519"
	"crypto/sha256"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// Revocation says when, by whom and why something was revoked; the zero value: it is not.
type Revocation struct {
	At     time.Time
	By     string
	Reason Reason
}

func (r Revocation) stands() bool { return !r.At.IsZero() }

// state is what the entries up to an offset amount to. It changes by fold only.
type state struct {
	next         int64 // offset after the last folded message
	nonces       map[nonce]struct{}
	members      map[certs.Identity]*member
	certificates map[envelope.SignerID]*held
	keys         map[[sha256.Size]byte]struct{} // of all certificates ever: a key serves one
	open         map[nonce]*invitation          // not used, revoked or replaced; some are out of date
	departments  map[exchange.Department]Revocation
}

// member is what is known of an identity.
type member struct {
	newest     *held
	held       []*held // all, in the order of the topic
	invitation *invitation
	revoked    Revocation
}

// held is a certificate on the roll.
type held struct {
	id       envelope.SignerID
	identity certs.Identity
	public   ed25519.PublicKey // nil where the key is of another kind, which signs no records
	issued   time.Time
	from     time.Time
	until    time.Time
	revoked  Revocation // never lifted
}

type invitation struct {
	nonce    nonce
	identity certs.Identity
	hash     [sha256.Size]byte
	until    time.Time
}

func newState() *state {
	return &state{nonces: map[nonce]struct{}{}, members: map[certs.Identity]*member{}, certificates: map[envelope.SignerID]*held{},
		keys: map[[sha256.Size]byte]struct{}{}, open: map[nonce]*invitation{}, departments: map[exchange.Department]Revocation{}}
}

// fold takes the next entry. The same entries give the same state on every node. The error is why an entry is void, for the
// one who sent it.
func (s *state) fold(e *entry) error {
	if _, known := s.nonces[e.Nonce]; known {
		return errRepeated
	}
	s.nonces[e.Nonce] = struct{}{}
	switch e.Kind {
	case isInvited:
		return s.invite(e)
	case isIssued:
		return s.issue(e)
	case isRevoked:
		return s.revoke(e.target, Revocation{At: e.At, By: e.By, Reason: e.Reason})
	default:
		return s.restore(e.target)
	}
}

// of is what is known of an identity, made where nothing is.
func (s *state) of(i certs.Identity) *member {
	m := s.members[i]
	if m == nil {
		m = &member{}
		s.members[i] = m
	}
	return m
}

// struck is the revocation that stands against an identity: its own or its department's.
func (s *state) struck(i certs.Identity) Revocation {
	if m := s.members[i]; m != nil && m.revoked.stands() {
		return m.revoked
	}
	return s.departments[i.Department] // no node has one
}

// invite opens an invitation, in the place of one that was open: of two letters, the later counts.
func (s *state) invite(e *entry) error {
	if s.struck(e.who).stands() {
		return stillRevoked()
	}
	s.close(s.of(e.who))
	i := &invitation{nonce: e.Nonce, identity: e.who, hash: [sha256.Size]byte(e.TokenHash), until: e.Until}
	s.of(e.who).invitation, s.open[e.Nonce] = i, i
	return nil
}

func (s *state) close(m *member) {
	if m.invitation != nil {
		delete(s.open, m.invitation.nonce)
		m.invitation = nil
	}
}

func (s *state) issue(e *entry) error {
	id, key := envelope.SignerID(certs.FingerprintOf(e.Chain[0])), keyOf(e.leaf.RawSubjectPublicKeyInfo)
	if _, used := s.keys[key]; used {
		return keyUsed()
	}
	if revocation := s.struck(e.who); revocation.stands() {
		return revoked(revocation)
	}
	if err := s.entitled(e); err != nil {
		return err
	}
	h := &held{id: id, identity: e.who, issued: e.At, from: e.leaf.NotBefore, until: e.leaf.NotAfter}
	h.public, _ = e.leaf.PublicKey.(ed25519.PublicKey)
	m := s.of(e.who)
	if e.Invitation != nil {
		s.close(m)
	}
	m.newest, m.held = h, append(m.held, h)
	s.certificates[id], s.keys[key] = h, struct{}{}
	return nil
}

// entitled says whether an invitation or an earlier certificate entitles to a new one.
func (s *state) entitled(e *entry) error {
	switch {
	case e.Invitation != nil:
		i := s.open[*e.Invitation]
		if i == nil || i.identity != e.who || !e.At.Before(i.until) {
			return noInvitation()
		}
	case e.Renews != nil:
		old := s.certificates[envelope.SignerID(*e.Renews)]
		if old == nil || old.identity != e.who {
			return notOnRoll()
		}
		return old.admitted(e.At)
	}
	return nil
}

// admitted says whether a certificate is good at a moment.
func (h *held) admitted(at time.Time) error {
	switch {
	case h.revoked.stands():
		return revoked(h.revoked)
	case !at.Before(h.until):
		return expired(h.until)
	}
	return nil
}

// keyOf is what is kept of a public key.
func keyOf(spki []byte) [sha256.Size]byte { return sha256.Sum256(spki) }

func (s *state) revoke(t Target, why Revocation) error {
	switch {
	case t.Department != "":
		if !s.departments[t.Department].stands() {
			s.departments[t.Department] = why
		}
		for identity, m := range s.members {
			if identity.Department == t.Department {
				s.strike(m, why)
			}
		}
	case t.Identity != (certs.Identity{}):
		m := s.of(t.Identity)
		if !m.revoked.stands() {
			m.revoked = why
		}
		s.strike(m, why)
	default:
		h := s.certificates[envelope.SignerID(t.Certificate)]
		if h == nil {
			return noSuchCertificate()
		}
		h.strike(why)
	}
	return nil
}

// strike revokes all that an identity holds.
func (s *state) strike(m *member, why Revocation) {
	s.close(m)
	for _, h := range m.held {
		h.strike(why)
	}
}

func (h *held) strike(why Revocation) {
	if !h.revoked.stands() {
		h.revoked = why
	}
}

// restore lets an identity, or those of a department, be invited again, and log in by other means than a certificate.
func (s *state) restore(t Target) error {
	if t.Department != "" {
		if !s.departments[t.Department].stands() {
			return nothingToRestore()
		}
		delete(s.departments, t.Department)
		return nil
	}
	m := s.members[t.Identity]
	if m == nil || !m.revoked.stands() {
		return nothingToRestore()
	}
	m.revoked = Revocation{}
	return nil
}
