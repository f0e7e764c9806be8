package door

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

// issuer is a login service as OpenID Connect describes one, over HTTP. A real one is asked in test/vault_login_test.go.
type issuer struct {
	*httptest.Server
	key *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{}
	i.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys", "authorization_endpoint": i.URL, "token_endpoint": i.URL,
			"id_token_signing_alg_values_supported": []string{"none", "HS256", "ES256"}})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig"}}})
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

// token signs claims; change may turn them into a forgery's.
func (i *issuer) token(t *testing.T, by jose.SigningKey, change map[string]any, headers ...string) string {
	t.Helper()
	claims := map[string]any{"iss": i.URL, "aud": "yimen", "sub": "u1", "exp": noon.Add(time.Hour).Unix(), "iat": noon.Unix(),
		"department": "xzsp", "staff_code": "0017"}
	for name, value := range change {
		claims[name] = value
	}
	options := (&jose.SignerOptions{}).WithHeader("kid", "1")
	for h := range len(headers) / 2 {
		options = options.WithHeader(jose.HeaderKey(headers[2*h]), headers[2*h+1])
	}
	signer, err := jose.NewSigner(by, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, _ := json.Marshal(claims)
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, exchange.China)

func TestLoginTokens(t *testing.T) {
	i := newIssuer(t)
	stranger, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ours := jose.SigningKey{Algorithm: jose.ES256, Key: i.key}
	logins := NewOpenID(OpenID{Issuer: i.URL, Audience: "yimen"}, http.DefaultClient, func() time.Time { return noon })
	good := i.token(t, ours, nil)
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	point, err := i.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, token string }{
		{"alg none", none},
		{"alg none with the old signature", none + parts[2]},
		{"alg None", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"None","kid":"1"}`)) + "." + parts[1] + "." + parts[2]},
		{"public key as a shared secret", i.token(t, jose.SigningKey{Algorithm: jose.HS256, Key: point}, nil)},
		{"signed by a stranger", i.token(t, jose.SigningKey{Algorithm: jose.ES256, Key: stranger}, nil)},
		{"a stranger's key brought along", i.token(t, jose.SigningKey{Algorithm: jose.ES256, Key: stranger}, nil, "jku", "http://127.0.0.1:1/keys")},
		{"another tenant's", i.token(t, ours, map[string]any{"aud": "other-city"})},
		{"another issuer's", i.token(t, ours, map[string]any{"iss": "https://elsewhere.example"})},
		{"expired", i.token(t, ours, map[string]any{"exp": noon.Add(-time.Second).Unix()})},
		{"without an end", i.token(t, ours, map[string]any{"exp": nil})},
		{"no department", i.token(t, ours, map[string]any{"department": nil})},
		{"department of another type", i.token(t, ours, map[string]any{"department": []string{"xzsp"}})},
		{"department with a slash", i.token(t, ours, map[string]any{"department": "xzsp/0001"})},
		{"no staff code", i.token(t, ours, map[string]any{"staff_code": ""})},
		{"changed", parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"department":"gaj"}`)) + "." + parts[2]},
		{"cut", good[:len(good)-4]},
		{"nothing", ".."},
	}
	for _, test := range tests {
		if who, err := logins.Verify(t.Context(), test.token); exchange.KindOf(err) != exchange.Unauthorised || who != (broker.Caller{}) || strings.Contains(err.Error(), test.token) {
			t.Errorf("%s: %+v, %v", test.name, who, err)
		}
	}
	if who, err := logins.Verify(t.Context(), good); err != nil || who != (broker.Caller{Department: "xzsp", Clerk: "0017"}) {
		t.Errorf("%+v, %v", who, err)
	}
}

// TestLoginServiceAway: nobody is let in or called a forger because the login service does not answer, and it is asked again.
func TestLoginServiceAway(t *testing.T) {
	i := newIssuer(t)
	good := i.token(t, jose.SigningKey{Algorithm: jose.ES256, Key: i.key}, nil)
	away := &http.Client{Transport: &switched{away: true}}
	logins := NewOpenID(OpenID{Issuer: i.URL, Audience: "yimen"}, away, func() time.Time { return noon })
	if _, err := logins.Verify(t.Context(), good); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("away: %v", err)
	}
	away.Transport.(*switched).away = false
	if _, err := logins.Verify(t.Context(), good); err != nil {
		t.Errorf("back: %v", err)
	}
}

type switched struct{ away bool }

func (s *switched) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.away {
		return nil, http.ErrServerClosed
	}
	return http.DefaultTransport.RoundTrip(r)
}
