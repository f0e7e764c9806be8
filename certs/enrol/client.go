package enrol

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange"
)

const (
	clientPatience = 40 * time.Second // longer than the exchange takes to say that it cannot
	mostAnswer     = 16 << 20         // bytes
)

// Renew gets a certificate for a new key. The configuration shows the certificate that is still good: Credential.TLS.
func Renew(ctx context.Context, server string, with *tls.Config, request []byte) (Papers, error) {
	transport := &http.Transport{TLSClientConfig: with, Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	c := &Client{Base: server, HTTP: &http.Client{Transport: transport, Timeout: clientPatience}}
	var papers Papers
	return papers, c.call(ctx, http.MethodPost, "/v1/renewals", renewal{request}, &papers)
}

// Client is an administrator's. HTTP may be nil for the default. What the exchange refuses comes back as the
// *exchange.Problem it gave. It follows no redirection, so that the token goes nowhere else.
type Client struct {
	Base  string // such as https://yimen.example.gov.cn
	Token string
	HTTP  *http.Client
}

// Identities lists the roll.
func (c *Client) Identities(ctx context.Context) (rows []Row, err error) {
	return rows, c.call(ctx, http.MethodGet, "/v1/identities", nil, &rows)
}

// Invite makes a one-time token for an identity such as scjg/licences; a life of 0 leaves it to the exchange.
func (c *Client) Invite(ctx context.Context, identity string, life time.Duration) (i Invitation, err error) {
	asked := invitation{Identity: identity}
	if life != 0 {
		asked.Life = life.String()
	}
	return i, c.call(ctx, http.MethodPost, "/v1/invitations", asked, &i)
}

// Revoke shuts out a department, an identity or a certificate.
func (c *Client) Revoke(ctx context.Context, target string, reason roll.Reason) (done Change, err error) {
	return done, c.call(ctx, http.MethodPost, "/v1/revocations", revocation{target, reason}, &done)
}

// Restore lets a department or an identity be invited again.
func (c *Client) Restore(ctx context.Context, target string) (done Change, err error) {
	return done, c.call(ctx, http.MethodPost, "/v1/restorations", restoration{target}, &done)
}

// Roots are the roots of the exchange's authority, DER. They are worth as much as the connection they came over.
func (c *Client) Roots(ctx context.Context) ([][]byte, error) {
	var answer rootsAnswer
	return answer.Roots, c.call(ctx, http.MethodGet, "/v1/roots", nil, &answer)
}

// call sends a request and reads the answer into a value.
func (c *Client) call(ctx context.Context, method, path string, body, into any) error {
	request, err := c.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: clientPatience}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	if err != nil {
		return unreachable(c.Base, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	switch {
	case err != nil:
		return unreachable(c.Base, err)
	case response.StatusCode != http.StatusOK:
		return problemOf(c.Base, response.StatusCode, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil { // members of a later version do no harm
		return unreachable(c.Base, errors.New("the answer is not one of the exchange"))
	}
	return nil
}

func (c *Client) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	base, err := url.Parse(c.Base)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, badBase()
	}
	var content io.Reader = http.NoBody
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, badBody(text("不是 UTF-8 文字", "it is not UTF-8"))
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Base, "/")+path, content)
	if err != nil {
		return nil, badBase()
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	return request, nil
}

// problemOf is the problem the exchange gave, or one that says that somebody else answered.
func problemOf(base string, status int, body []byte) error {
	var d struct {
		Code string        `json:"code"`
		Kind exchange.Kind `json:"kind"`
		What exchange.Text `json:"what"`
		Why  exchange.Text `json:"why"`
		How  exchange.Text `json:"how"`
	}
	if err := json.Unmarshal(body, &d); err != nil || !strings.HasPrefix(d.Code, "YM-") {
		return unreachable(base, fmt.Errorf("status %d, which is no answer of the exchange", status))
	}
	return &exchange.Problem{Code: d.Code, Kind: d.Kind, What: d.What, Why: d.Why, Mend: d.How}
}
