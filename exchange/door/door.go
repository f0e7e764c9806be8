// Package door finds out who sends a request, and what they may do.
//
// There is one door for all that the exchange serves over HTTP. A Keeper knows callers by the certificate of their connection,
// by a bearer token or a password of the callers file, or by a login's token (OpenID Connect); it believes nothing that a header says of
// who is calling or from where. Whom it turns away it reports, so that the audit log has it.
package door

import (
	"context"
	"crypto/x509"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
)

// Role is something that a caller may do besides asking for cases.
type Role string

// The roles, as they stand in a callers file.
const (
	Schemas    Role = "schemas"    // changes the schema registry
	Admin      Role = "admin"      // invites and revokes identities, lifts suspensions, has data erased
	Supervisor Role = "supervisor" // searches the audit log for the own department (监察)
	Auditor    Role = "auditor"    // reads the whole audit log (审计)
	Citizens   Role = "citizens"   // tells people and companies who looked at their data
	Items      Role = "items"      // drafts and decides on the own department's items (事项管理员)
	Grants     Role = "grants"     // asks for grants, decides on those of the own department's evidence, and answers doubts about it (数据共享负责人)
)

// Caller is who sent a request.
type Caller struct {
	broker.Caller
	// Certified says that a certificate of the city vouches for the caller: a machine, of which more is asked than of people.
	Certified bool
	roles     map[Role]bool
}

// Name is the caller as the audit log has it: department and staff code.
func (c Caller) Name() string { return string(c.Department) + "/" + c.Clerk }

// Standing is the caller's name with all that the caller may do: it changes with a role that is given or taken.
func (c Caller) Standing() string {
	standing := c.Name()
	for _, role := range slices.Sorted(maps.Keys(c.roles)) {
		if c.roles[role] {
			standing += " " + string(role)
		}
	}
	return standing
}

// Roll knows the certificates and identities of the city. It is asked with every request, so that a revocation works at once,
// on open connections too.
type Roll interface {
	// Admits errs with a Problem where a certificate, whose chain has been verified, is not to be trusted (any more).
	Admits(*x509.Certificate) error
	// AdmitsIdentity is the same for somebody known by other means.
	AdmitsIdentity(certs.Identity) error
}

// Logins knows the tokens of a login service.
type Logins interface {
	// Verify says whose token it is. It errs with a Problem: Unauthorised where the token is not good, Unavailable where that
	// could not be found out.
	Verify(ctx context.Context, token string) (broker.Caller, error)
}

// Config is what a Keeper is made of.
type Config struct {
	Callers *Callers
	City    string // of the certificates
	Roll    Roll   // nil: there are no certificates
	Logins  Logins // nil: there is no login service
	Proxies Proxies
	Clock   func() time.Time // nil: time.Now
	// Report takes what was turned away. It must be quick, and outlast floods. nil: nobody is told.
	Report func(context.Context, audit.Entry)
}

// Keeper is the doorkeeper. It is safe for concurrent use.
type Keeper struct {
	cfg       Config
	guesses   *guesses
	computing chan struct{} // slots for the hashing of passwords
}

// New makes the doorkeeper.
func New(cfg Config) *Keeper {
	if cfg.Report == nil {
		cfg.Report = func(context.Context, audit.Entry) {}
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	return &Keeper{cfg: cfg, guesses: newGuesses(cfg.Clock), computing: make(chan struct{}, computed)}
}

// Guard stands before every handler: a request that carries somebody else's word of who is calling goes no further. fail
// answers it.
func (k *Keeper) Guard(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := k.cfg.Proxies.check(r); err != nil {
			k.turnAway(r, Caller{}, err)
			fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Caller finds out who sent the request. It errs with a Problem.
func (k *Keeper) Caller(r *http.Request) (Caller, error) {
	caller, err := k.find(r)
	if err != nil {
		k.turnAway(r, caller, err)
	}
	return caller, err
}

// May says whether the caller has the role.
func (c Caller) May(role Role) bool { return c.roles[role] }

// With finds out who sent the request, and turns away whoever lacks the role. It gives the caller's name.
func (k *Keeper) With(role Role) func(*http.Request) (string, error) {
	return func(r *http.Request) (string, error) {
		caller, err := k.Caller(r)
		if err == nil && !caller.roles[role] {
			err = lacks(role)
			k.turnAway(r, caller, err)
		}
		if err != nil {
			return "", err
		}
		return caller.Name(), nil
	}
}

// Reject reports a request that was found wrong after its caller was known, such as one that names another department in its
// body, and gives the error back.
func (k *Keeper) Reject(r *http.Request, caller Caller, err error) error {
	k.turnAway(r, caller, err)
	return err
}

// RejectAbout is Reject for a request about what a receipt names.
func (k *Keeper) RejectAbout(r *http.Request, caller Caller, receipt string, err error) error {
	k.report(r, caller, receipt, err)
	return err
}

func (k *Keeper) turnAway(r *http.Request, caller Caller, err error) { k.report(r, caller, "", err) }

// report tells of a refusal by its code. What could not be found out is no refusal.
func (k *Keeper) report(r *http.Request, caller Caller, receipt string, err error) {
	var problem *exchange.Problem
	if !errors.As(err, &problem) || problem.Kind == exchange.Unavailable || problem.Kind == exchange.Internal {
		return
	}
	k.cfg.Report(r.Context(), audit.Entry{Kind: audit.Rejection, Decision: audit.Refused, Refusal: problem.Code,
		Department: caller.Department, Clerk: caller.Clerk, Target: receipt})
}

// Remember gives what says later whether the roll still lets in who sent a request. It keeps who that is, and a certificate; not the
// token: one that runs out in the meantime was good when it was shown. Nobody is reported, for nobody has come.
func (k *Keeper) Remember(r *http.Request, caller Caller) func() error {
	if k.cfg.Roll == nil {
		return func() error { return nil }
	}
	who := Caller{Caller: caller.Caller}
	certificate := shown(r)
	_, stated, _ := bearer(r)
	return func() error {
		if certificate != nil {
			if err := k.cfg.Roll.Admits(certificate); err != nil || !stated {
				return err
			}
		}
		return k.admits(who)
	}
}

func (k *Keeper) find(r *http.Request) (Caller, error) {
	token, stated, err := bearer(r)
	if err != nil {
		return Caller{}, err
	}
	certified, err := k.certified(r)
	if err != nil || !stated {
		if err == nil && certified == nil {
			err = unauthorised(text("缺少证书或 Authorization: Bearer 令牌", "there is neither a certificate nor an Authorization: Bearer token"))
		}
		if certified == nil {
			certified = &Caller{}
		}
		return *certified, err
	}
	caller, err := k.holder(r.Context(), token)
	if err != nil {
		return caller, err
	}
	if certified == nil {
		return caller, nil
	}
	caller.Certified = true
	return caller, agree(*certified, caller)
}

// certified is whom the certificate of the connection names, nil where there is none. TLS has verified its chain.
func (k *Keeper) certified(r *http.Request) (*Caller, error) {
	certificate := shown(r)
	if k.cfg.Roll == nil || certificate == nil {
		return nil, nil
	}
	identity, err := certs.IdentityOf(certificate)
	if err != nil || identity.City != k.cfg.City {
		return nil, foreign()
	}
	caller := k.cfg.Callers.named(broker.Caller{Department: identity.Department, Clerk: identity.Name})
	caller.Certified = true
	if err := k.cfg.Roll.Admits(certificate); err != nil {
		return &caller, err
	}
	if identity.Role != certs.Service && identity.Role != certs.Clerk {
		return &caller, cannotAsk(identity.Role)
	}
	return &caller, nil
}

// shown is the certificate of the connection, nil where there is none.
func shown(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil
	}
	return r.TLS.VerifiedChains[0][0]
}

// holder is whose token it is.
func (k *Keeper) holder(ctx context.Context, token string) (Caller, error) {
	caller, known := k.cfg.Callers.find(token)
	if !known {
		if k.cfg.Logins == nil || strings.Count(token, ".") != 2 {
			return Caller{}, unauthorised(text("令牌不认识或已更换", "the token is not known, or no longer"))
		}
		who, err := k.cfg.Logins.Verify(ctx, token)
		if err != nil {
			return Caller{}, err
		}
		caller = k.cfg.Callers.named(who)
	}
	return caller, k.admits(caller)
}

// agree refuses a token that comes over the connection of somebody else. A service carries its own department's clerks.
func agree(connection, token Caller) error {
	if connection.Department != token.Department {
		return mismatch(text("连接的证书属于另一部门", "the connection's certificate is another department's"))
	}
	return nil
}

// bearer is the token of a request. Stock Kafka clients know Basic authentication best: its password is the token, its user
// name does not count.
func bearer(r *http.Request) (token string, stated bool, err error) {
	headers := r.Header.Values("Authorization")
	switch len(headers) {
	case 0:
		return "", false, nil
	case 1:
	default:
		return "", false, unauthorised(text("有多个 Authorization", "there is more than one Authorization"))
	}
	if _, password, basic := r.BasicAuth(); basic {
		return strings.Trim(password, " "), true, nil
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false, unauthorised(text("缺少 Authorization: Bearer 令牌", "there is no Authorization: Bearer token"))
	}
	return strings.Trim(token, " "), true, nil
}
