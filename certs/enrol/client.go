package enrol

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/wire"
)

// Client calls an exchange: with a token as an administrator, or with the certificate that HTTP shows.
type Client struct {
	Base  string // such as https://yimen.example.gov.cn:7443
	Token string // empty: none
	HTTP  *http.Client
}

const maxAnswer = 4 << 20 // bytes

// Join enrols: it makes sure that the server at the address is a node of the root with that fingerprint, and only then sends the
// one-time token and the request, which draw makes by what the exchange understands; see certs.NewRequest. now checks certificates.
func Join(ctx context.Context, server string, root certs.Fingerprint, token string, draw func(envelope.Suite) ([]byte, error), now func() time.Time) (Joined, error) {
	at, err := url.Parse(server)
	if err != nil || at.Scheme != "https" || at.Host == "" {
		return Joined{}, notHTTPS()
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, ServerName: at.Hostname(),
		InsecureSkipVerify: true, // the chain is verified below, by the fingerprint instead of by roots of this machine
		VerifyConnection:   func(state tls.ConnectionState) error { return genuine(state, at.Hostname(), root, now()) }}}
	defer transport.CloseIdleConnections()
	c := Client{Base: server, HTTP: &http.Client{Transport: transport, Timeout: wire.Patience}}
	var told roots
	if err := c.call(ctx, http.MethodGet, pathRoots, nil, &told); err != nil {
		return Joined{}, err
	}
	understood := envelope.Standard
	if told.Crypto != 0 { // then it chooses: whoever enrolled here before goes on signing as before
		understood = envelope.National
	}
	request, err := draw(understood)
	if err != nil {
		return Joined{}, err
	}
	var joined Joined
	if err := c.call(ctx, http.MethodPost, pathEnrolments, enrolment{Token: token, Request: request}, &joined); err != nil {
		return Joined{}, err
	}
	if !slices.ContainsFunc(joined.Roots, func(der []byte) bool { return certs.FingerprintOf(der) == root }) {
		return Joined{}, otherRoot()
	}
	return joined, nil
}

// genuine says whether the server is a node of the exchange whose root has the fingerprint. The server sends its root along.
func genuine(state tls.ConnectionState, host string, root certs.Fingerprint, now time.Time) error {
	trusted, between := x509.NewCertPool(), x509.NewCertPool()
	found := false
	for _, c := range state.PeerCertificates[1:] {
		if c.IsCA && certs.FingerprintOf(c.Raw) == root {
			trusted.AddCert(c)
			found = true
			continue
		}
		between.AddCert(c)
	}
	if !found {
		last := state.PeerCertificates[len(state.PeerCertificates)-1]
		return otherFingerprint(root, certs.FingerprintOf(last.Raw))
	}
	leaf := state.PeerCertificates[0]
	_, err := leaf.Verify(x509.VerifyOptions{Roots: trusted, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSName: host}) // not the state's name, which is empty where the host is an IP address
	if err != nil {
		return notANode(err)
	}
	if who, err := certs.IdentityOf(leaf); err != nil || who.Role != certs.Node {
		return notANode(errors.New("its certificate is not a node's"))
	}
	return nil
}

// Renew asks for the next certificate with the one that HTTP shows.
func (c *Client) Renew(ctx context.Context, request []byte) (joined Joined, err error) {
	return joined, c.call(ctx, http.MethodPost, pathRenewals, renewal{request}, &joined)
}

// Own says how the identity of the certificate that HTTP shows stands. Where it is not good any more the Problem says why.
func (c *Client) Own(ctx context.Context) (own roll.Standing, err error) {
	return own, c.call(ctx, http.MethodGet, pathOwn, nil, &own)
}

// Roots gives the fingerprints of the exchange's roots. It proves nothing: who compares them knows them from elsewhere.
func (c *Client) Roots(ctx context.Context) ([]certs.Fingerprint, error) {
	var answer roots
	return answer.Fingerprints, c.call(ctx, http.MethodGet, pathRoots, nil, &answer)
}

// Identities lists the roll.
func (c *Client) Identities(ctx context.Context) ([]roll.Standing, error) {
	var answer standings
	err := c.call(ctx, http.MethodGet, pathIdentities, nil, &answer)
	return answer.Identities, err
}

// Invite draws a one-time token. life 0: as long as the exchange thinks right.
func (c *Client) Invite(ctx context.Context, who string, life time.Duration) (i Invitation, err error) {
	return i, c.call(ctx, http.MethodPost, pathInvitations, invitationRequest{Identity: who, Hours: int(life / time.Hour)}, &i)
}

// Revoke refuses the target from now on.
func (c *Client) Revoke(ctx context.Context, target, reason string) error {
	return c.call(ctx, http.MethodPost, pathRevocations, revocation{target, reason}, nil)
}

// Restore lifts a revocation.
func (c *Client) Restore(ctx context.Context, target string) error {
	return c.call(ctx, http.MethodPost, pathRestorations, revocation{Target: target}, nil)
}

// call sends body and reads the answer into result. A refusal comes back as the Problem that the exchange gave.
func (c *Client) call(ctx context.Context, method, path string, body, result any) error {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("write request: %w", err)
		}
		content = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Base, "/")+path, content)
	if err != nil {
		return fmt.Errorf("call the exchange: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	answer, err := wire.Ask(c.HTTP, request, maxAnswer, c.silent)
	if err != nil {
		return err
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Body, result); err != nil {
		return c.silent(errors.New("the answer is not one of the exchange"))
	}
	return nil
}

// silent says that nobody answered as the exchange does; what genuine found wrong speaks for itself.
func (c *Client) silent(err error) error {
	if p, ok := errors.AsType[*exchange.Problem](err); ok {
		return p
	}
	return silent(c.Base, err)
}
