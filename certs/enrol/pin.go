package enrol

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/onedoor/yimen/certs"
)

// Enrol gets the certificate that a token is for. It trusts nobody but the holder of a certificate under the root with the
// fingerprint: the server's chain must end in it, and its certificate must be a node's and valid for the host. Until that is
// certain, nothing is sent but the question for the roots.
func Enrol(ctx context.Context, server string, fingerprint certs.Fingerprint, token string, request []byte) (Papers, error) {
	if at, err := url.Parse(server); err != nil || at.Scheme != "https" || at.Host == "" {
		return Papers{}, notSecure()
	}
	root, err := rootOf(ctx, server, fingerprint)
	if err != nil {
		return Papers{}, err
	}
	var papers Papers
	err = over(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: poolOf(root), VerifyConnection: isNode}, func(client *http.Client) error {
		return (&Client{Base: server, HTTP: client}).call(ctx, http.MethodPost, "/v1/enrolments", enrolment{token, request}, &papers)
	})
	switch {
	case unproved(err):
		return Papers{}, notTheExchange(server)
	case err != nil:
		return Papers{}, err
	case !slices.ContainsFunc(papers.Roots, func(der []byte) bool { return certs.FingerprintOf(der) == fingerprint }):
		return Papers{}, unreachable(server, errors.New("the answer lacks the root of the fingerprint"))
	}
	return papers, nil
}

// rootOf asks whoever answers for the roots, and takes the one with the fingerprint. That it is a root of the exchange is
// certain then; that the exchange answered is not.
func rootOf(ctx context.Context, server string, fingerprint certs.Fingerprint) (*x509.Certificate, error) {
	var offered [][]byte
	err := over(&tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}, func(client *http.Client) (err error) {
		offered, err = (&Client{Base: server, HTTP: client}).Roots(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	var seen []certs.Fingerprint
	for _, der := range offered {
		f := certs.FingerprintOf(der)
		if f == fingerprint {
			return x509.ParseCertificate(der)
		}
		seen = append(seen, f)
	}
	return nil, otherFingerprint(server, fingerprint, seen)
}

// over makes calls over connections of their own.
func over(security *tls.Config, do func(*http.Client) error) error {
	transport := &http.Transport{TLSClientConfig: security, Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	return do(&http.Client{Transport: transport, Timeout: clientPatience})
}

func poolOf(root *x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return pool
}

var errNoNode = errors.New("its certificate is not that of a node of the exchange")

// isNode refuses a server that is no node: every department holds a certificate under the same root.
func isNode(state tls.ConnectionState) error {
	identity, err := certs.IdentityOf(state.PeerCertificates[0])
	if err != nil || identity.Role != certs.Node {
		return errNoNode
	}
	return nil
}

// unproved says whether a call failed because the server did not prove who it is, so that nothing was sent.
func unproved(err error) bool {
	var untrusted *tls.CertificateVerificationError
	return errors.As(err, &untrusted) || errors.Is(err, errNoNode)
}
