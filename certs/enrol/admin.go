package enrol

import (
	"net/http"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll"
)

// administrator lets administrators alone pass, before anything of the request is read.
func (s *server) administrator(do func(r *http.Request, who string) (any, error)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		who, err := s.cfg.Admin(r)
		if err != nil {
			return nil, err
		}
		return do(r, who)
	}
}

func (s *server) identities(*http.Request, string) (any, error) {
	standings, err := s.cfg.Roll.Identities()
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, standing := range standings {
		rows = append(rows, rowOf(standing, s.cfg.Clock()))
	}
	return rows, nil
}

func rowOf(s roll.Standing, now time.Time) Row {
	row := Row{Name: string(s.Identity.Department), Department: s.Identity.Department, State: stateOf(s, now), Issued: s.Issued, Until: s.Until, Invited: s.Invited}
	if s.Identity.Role != "" {
		row.Name, row.Identity, row.Role = s.Identity.Principal(), s.Identity.String(), s.Identity.Role
	}
	if !s.Issued.IsZero() {
		row.Fingerprint = &s.Certificate
	}
	if struck := revocationOf(s); !struck.At.IsZero() {
		row.Revoked = &Struck{struck.At, struck.By, struck.Reason}
	}
	return row
}

func revocationOf(s roll.Standing) roll.Revocation {
	if !s.Revoked.At.IsZero() {
		return s.Revoked
	}
	return s.Lapsed
}

// stateOf says in a word what an identity can do: act, be enrolled, or neither and why.
func stateOf(s roll.Standing, now time.Time) State {
	switch {
	case !s.Revoked.At.IsZero():
		return Revoked
	case !s.Issued.IsZero() && s.Lapsed.At.IsZero() && now.Before(s.Until):
		return Valid
	case !s.Invited.IsZero():
		return Invited
	case !s.Lapsed.At.IsZero():
		return Lapsed
	case !s.Issued.IsZero():
		return Expired
	}
	return None
}

func (s *server) invite(r *http.Request, who string) (any, error) {
	var asked invitation
	if err := decode(r, &asked); err != nil {
		return nil, err
	}
	identity, err := certs.ParsePrincipal(s.cfg.City, asked.Identity)
	if err != nil {
		return nil, badIdentity()
	}
	life, err := asked.life()
	if err != nil {
		return nil, err
	}
	if s.cfg.Known != nil {
		if err := s.cfg.Known(identity); err != nil {
			return nil, err
		}
	}
	token, until, err := s.cfg.Roll.Invite(r.Context(), identity, life, who)
	if err != nil {
		return nil, err
	}
	return Invitation{Name: identity.Principal(), Identity: identity.String(), Token: token, Expires: until}, nil
}

func (i invitation) life() (time.Duration, error) {
	if i.Life == "" {
		return 0, nil
	}
	life, err := time.ParseDuration(i.Life)
	if err != nil || life <= 0 {
		return 0, badBody(text("life 应为时长，如 72h", "life must be a span of time such as 72h"))
	}
	return life, nil
}

func (s *server) revoke(r *http.Request, who string) (any, error) {
	var asked revocation
	if err := decode(r, &asked); err != nil {
		return nil, err
	}
	target, err := roll.ParseTarget(s.cfg.City, asked.Target)
	if err == nil {
		err = s.cfg.Roll.Revoke(r.Context(), target, who, asked.Reason)
	}
	if err != nil {
		return nil, err
	}
	s.cfg.Log.Info("revoked", "what", kindOf(target), "reason", asked.Reason, "by", who)
	return Change{Target: nameOf(target), Reason: asked.Reason}, nil
}

func (s *server) restore(r *http.Request, who string) (any, error) {
	var asked restoration
	if err := decode(r, &asked); err != nil {
		return nil, err
	}
	target, err := roll.ParseTarget(s.cfg.City, asked.Target)
	if err == nil {
		err = s.cfg.Roll.Restore(r.Context(), target, who)
	}
	if err != nil {
		return nil, err
	}
	s.cfg.Log.Info("restored", "what", kindOf(target), "by", who)
	return Change{Target: nameOf(target)}, nil
}

// kindOf is what may be logged of a target.
func kindOf(t roll.Target) string {
	switch {
	case t.Department != "":
		return "department"
	case t.Identity != (certs.Identity{}):
		return string(t.Identity.Role)
	}
	return "certificate"
}

func nameOf(t roll.Target) string {
	if t.Identity != (certs.Identity{}) {
		return t.Identity.Principal()
	}
	return t.String()
}
