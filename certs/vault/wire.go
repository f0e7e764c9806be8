package vault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/onedoor/yimen/certs"
)

// newClient makes a client that takes nothing from the environment, asks once, follows no redirect (a token is for the
// configured address alone), and trusts the configured CA alone.
func newClient(config Config, timeout time.Duration) (*api.Client, error) {
	pem, err := os.ReadFile(config.CA)
	if err != nil {
		return nil, fmt.Errorf("read CA of Vault: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, badSetting("ca", "文件中没有证书", "there is no certificate in the file")
	}
	settings := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if config.Login.Kind == kindCert {
		settings.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return config.Login.certificate() }
	}
	// HTTP/1.1: a request that got no answer takes its connection with it, so the next one finds a Vault that has come back.
	transport := &http.Transport{TLSClientConfig: settings, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}
	client, err := api.NewClient(&api.Config{
		Address: config.Address, Timeout: timeout, MaxRetries: 0, HttpClient: &http.Client{Transport: straight{transport}},
	})
	if err != nil {
		return nil, fmt.Errorf("make client of Vault: %w", err)
	}
	client.ClearToken()
	client.ClearNamespace()
	client.SetHeaders(http.Header{api.RequestHeaderName: {"true"}})
	return client, nil
}

// straight refuses redirects.
type straight struct{ to http.RoundTripper }

func (s straight) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.to.RoundTrip(r)
	if err == nil && answer.StatusCode >= 300 && answer.StatusCode < 400 {
		answer.Body.Close()
		return nil, errors.New("it sends elsewhere, which is not followed")
	}
	return answer, err
}

// certificate reads the machine's certificate as it is now.
func (l Login) certificate() (*tls.Certificate, error) {
	key, err := certs.ReadPrivate(l.Key)
	if err != nil {
		return nil, err
	}
	chain, err := os.ReadFile(l.Cert)
	if err != nil {
		return nil, fmt.Errorf("read certificate of this machine: %w", err)
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("use certificate of this machine: %w", err)
	}
	return &pair, nil
}

// write and read make one request each, which may take as long as limit.
func (a *Authority) write(ctx context.Context, limit time.Duration, path string, data map[string]any) (*api.Secret, error) {
	return within(ctx, limit, func(ctx context.Context) (*api.Secret, error) {
		return a.client.Logical().WriteWithContext(ctx, path, data)
	})
}

func (a *Authority) read(ctx context.Context, limit time.Duration, path string) (*api.Secret, error) {
	return within(ctx, limit, func(ctx context.Context) (*api.Secret, error) { return a.client.Logical().ReadWithContext(ctx, path) })
}

// within sorts the error of a request: where the caller's ctx ended, it says nothing of Vault.
func within[T any](ctx context.Context, limit time.Duration, request func(context.Context) (T, error)) (T, error) {
	brief, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer, err := request(brief)
	if err != nil && ctx.Err() != nil {
		return answer, fmt.Errorf("%w: %w", errGivenUp, context.Cause(ctx))
	}
	return answer, faultOf(err)
}

// errGivenUp marks an error that says nothing of Vault: the caller did not wait for the answer.
var errGivenUp = errors.New("the caller did not wait")
