package door

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

// OpenID is a login service by OpenID Connect.
type OpenID struct {
	// Issuer is its address, as its tokens name it. Empty: there is none.
	Issuer string `yaml:"issuer"`
	// Audience is what its tokens for this exchange are issued for.
	Audience string `yaml:"audience"`
	// Department and Clerk name the claims with the department's code and the staff code. Default department and staff_code.
	Department string `yaml:"department_claim"`
	Clerk      string `yaml:"clerk_claim"`
	// CA is the file of the certificates that the issuer's ends in; empty: those this machine trusts.
	CA string `yaml:"ca"`
}

// algorithms are those a token may be signed with. "none" and shared secrets are not among them, whatever a token or the issuer says.
var algorithms = []string{oidc.EdDSA, oidc.ES256, oidc.RS256, oidc.PS256}

// loginPatience bounds one request to the issuer. It is asked for its keys only: when the first token comes, and when one
// is signed by a key not seen before.
const loginPatience = 3 * time.Second

// openID verifies the tokens of a login service.
type openID struct {
	cfg    OpenID
	client *http.Client
	now    func() time.Time

	mu       sync.Mutex // guards verifier, and lets one request at a time look for the issuer
	verifier *oidc.IDTokenVerifier
}

// NewOpenID prepares a login service; it is first called when a token comes. client reaches the issuer.
func NewOpenID(cfg OpenID, client *http.Client, now func() time.Time) Logins {
	if cfg.Department == "" {
		cfg.Department = "department"
	}
	if cfg.Clerk == "" {
		cfg.Clerk = "staff_code"
	}
	bounded := *client
	bounded.Timeout = loginPatience
	return &openID{cfg: cfg, client: &bounded, now: now}
}

func (o *openID) Verify(ctx context.Context, raw string) (broker.Caller, error) {
	verifier, err := o.known()
	if err != nil {
		return broker.Caller{}, silent(err)
	}
	token, err := verifier.Verify(oidc.ClientContext(ctx, o.client), raw)
	if err != nil {
		// Only here can the issuer be asked; what it does not answer is told by the transport's error.
		var unreachable interface{ Timeout() bool }
		if errors.As(err, &unreachable) {
			return broker.Caller{}, silent(err)
		}
		return broker.Caller{}, unauthorised(text("登录令牌无效、过期，或不是发给本平台的", "the login token is not sound, has expired, or is not meant for this exchange"))
	}
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return broker.Caller{}, unauthorised(text("登录令牌的内容无法读取", "the login token cannot be read"))
	}
	department, _ := claims[o.cfg.Department].(string)
	clerk, _ := claims[o.cfg.Clerk].(string)
	if !exchange.ValidName(department) || clerk == "" {
		return broker.Caller{}, unauthorised(text("登录令牌没有写明部门或工号", "the login token names no department or no staff code"))
	}
	return broker.Caller{Department: exchange.Department(department), Clerk: clerk}, nil
}

// known is the verifier, made when the issuer first answers. Its context outlives the request, because the verifier
// fetches keys by it.
func (o *openID) known() (*oidc.IDTokenVerifier, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.verifier != nil {
		return o.verifier, nil
	}
	provider, err := oidc.NewProvider(oidc.ClientContext(context.Background(), o.client), o.cfg.Issuer)
	if err != nil {
		return nil, err
	}
	o.verifier = provider.Verifier(&oidc.Config{ClientID: o.cfg.Audience, SupportedSigningAlgs: algorithms, Now: o.now})
	return o.verifier, nil
}

func silent(err error) error {
	return &exchange.Problem{Code: "YM-API-0408", Kind: exchange.Unavailable, Err: err, What: text("登录服务没有应答", "the login service does not answer"),
		Mend: text("稍后重试；管理员检查配置 login.issuer 和网络", "retry later; the administrator checks login.issuer in the configuration and the network")}
}
