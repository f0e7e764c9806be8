package enrol

import (
	"context"
	"crypto/x509"
	"net/http"
	"regexp"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/envelope"
)

// Config is what the handler is made of. All is required.
type Config struct {
	City      string
	Roll      *roll.Roll
	Authority certs.Authority
	Suite     envelope.Suite // by which adapters that enrol are to sign
	// Admin finds out which administrator sent a request.
	Admin func(*http.Request) (who string, err error)
	// Act makes an audit entry of an administrator's act durable before it is done.
	Act func(ctx context.Context, who, act, target string) error
	// Exchange is what machines that sign by a suite are told along with their certificate.
	Exchange func(context.Context, envelope.Suite) (Exchange, error)
}

type handler struct{ cfg Config }

// read reads a body strictly.
func read[T any](r *http.Request) (T, error) { return contract.Read[T](r, sameVersion) }

func (h *handler) enrol(r *http.Request) (any, error) {
	asked, err := read[enrolment](r)
	if err != nil {
		return nil, err
	}
	if _, err := h.cfg.Exchange(r.Context(), h.cfg.Suite); err != nil { // first: a token that was used up for nothing is not given back
		return nil, err
	}
	made, err := h.cfg.Roll.Enrol(r.Context(), asked.Token, asked.Request)
	if err != nil {
		return nil, err
	}
	return h.joined(r.Context(), made)
}

// shown is the certificate that the caller shows; TLS has verified its chain.
func shown(r *http.Request) (*x509.Certificate, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil, noCertificate()
	}
	return r.TLS.VerifiedChains[0][0], nil
}

func (h *handler) renew(r *http.Request) (any, error) {
	current, err := shown(r)
	if err != nil {
		return nil, err
	}
	asked, err := read[renewal](r)
	if err != nil {
		return nil, err
	}
	made, err := h.cfg.Roll.Renew(r.Context(), current, asked.Request)
	if err != nil {
		return nil, err
	}
	return h.joined(r.Context(), made)
}

func (h *handler) joined(ctx context.Context, made certs.Issued) (any, error) {
	who, err := certs.IdentityOf(made.Certificate)
	if err != nil {
		return nil, err
	}
	signs, _, err := h.cfg.Roll.Signatory(ctx, envelope.SignerID(certs.FingerprintOf(made.Certificate.Raw)))
	if err != nil {
		return nil, err
	}
	about, err := h.cfg.Exchange(ctx, signs.Suite)
	return Joined{Identity: who.String(), Until: made.Certificate.NotAfter, Chain: made.Chain, Roots: h.rootsDER(), Crypto: signs.Suite, Exchange: about}, err
}

func (h *handler) rootsDER() (all [][]byte) {
	for _, root := range h.cfg.Authority.Roots() {
		all = append(all, root.Raw)
	}
	return all
}

func (h *handler) roots(*http.Request) (any, error) {
	answer := roots{Crypto: h.cfg.Suite, Roots: h.rootsDER()}
	for _, der := range answer.Roots {
		answer.Fingerprints = append(answer.Fingerprints, certs.FingerprintOf(der))
	}
	return answer, nil
}

func (h *handler) own(r *http.Request) (any, error) {
	current, err := shown(r)
	if err != nil {
		return nil, err
	}
	return h.cfg.Roll.Standing(current)
}

func (h *handler) identities(r *http.Request) (any, error) {
	if _, err := h.cfg.Admin(r); err != nil {
		return nil, err
	}
	return standings{h.cfg.Roll.Standings()}, nil
}

func (h *handler) invite(r *http.Request) (any, error) {
	by, err := h.cfg.Admin(r)
	if err != nil {
		return nil, err
	}
	asked, err := read[invitationRequest](r)
	if err != nil {
		return nil, err
	}
	if asked.Hours < 0 || asked.Hours > mostHours {
		return nil, badHours()
	}
	who, err := certs.ParsePrincipal(h.cfg.City, asked.Identity)
	if err != nil {
		return nil, badIdentity()
	}
	if err := h.cfg.Act(r.Context(), by, "identity-invite", who.Principal()); err != nil {
		return nil, err
	}
	token, until, err := h.cfg.Roll.Invite(r.Context(), who, time.Duration(asked.Hours)*time.Hour, by)
	return Invitation{who.String(), token, until}, err
}

// mostHours is how long an invitation may be good: 30 days. A token that lies about longer is found by somebody else.
const mostHours = 30 * 24

func badHours() error {
	return &exchange.Problem{Code: "YM-ENR-0106", Kind: exchange.Invalid, What: text("邀请的期限不对", "the invitation's life is not one"),
		Mend: text("写 1 至 720 小时；不写则由平台决定", "write 1 to 720 hours, or nothing for what the exchange thinks right")}
}

// reasonForm keeps names and numbers of people out of the roll, which is never cleaned.
var reasonForm = regexp.MustCompile(`^[a-z][a-z-]{1,39}$`)

func (h *handler) revoke(r *http.Request) (any, error) {
	return h.change(r, "identity-revoke", func(by string, target roll.Target, reason string) error {
		if !reasonForm.MatchString(reason) {
			return badReason()
		}
		return h.cfg.Roll.Revoke(r.Context(), target, by, reason)
	})
}

func (h *handler) restore(r *http.Request) (any, error) {
	return h.change(r, "identity-restore", func(by string, target roll.Target, _ string) error {
		return h.cfg.Roll.Restore(r.Context(), target, by)
	})
}

func (h *handler) change(r *http.Request, act string, do func(by string, target roll.Target, reason string) error) (any, error) {
	by, err := h.cfg.Admin(r)
	if err != nil {
		return nil, err
	}
	asked, err := read[revocation](r)
	if err != nil {
		return nil, err
	}
	target, err := roll.ParseTarget(h.cfg.City, asked.Target)
	if err != nil {
		return nil, badTarget()
	}
	if err := h.cfg.Act(r.Context(), by, act, h.short(target)); err != nil {
		return nil, err
	}
	return revocation{Target: target.String(), Reason: asked.Reason}, do(by, target, asked.Reason)
}

// short is a target as the audit log has it: it takes no colons but in fingerprints.
func (h *handler) short(target roll.Target) string {
	if target.Identity != (certs.Identity{}) {
		return target.Identity.Principal()
	}
	if target.Department != "" {
		return string(target.Department)
	}
	return "certificate/" + target.Certificate.Hex()
}
