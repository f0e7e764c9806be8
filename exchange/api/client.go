package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	stdjson "encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/contract"
)

// Client asks an exchange, as the holder of a token or of the certificate that HTTP shows, or both. HTTP may be nil for the default,
// which waits half a minute for an answer. A Client is safe for concurrent use. What the exchange refuses comes back as the
// *exchange.Problem it gave: its Kind says what to do, its Code is the same in every language.
type Client struct {
	Base  string // such as https://yimen.example.gov.cn
	Token string // empty: the certificate alone
	HTTP  *http.Client
	Clock func() time.Time // nil: time.Now
	// Patience is how long a request is sent again, all in all, while the exchange is not available or bids to wait; 0: it is sent once.
	// It keeps its Idempotency-Key, so that what was done although no answer came is not done twice.
	Patience time.Duration
}

const maxAnswer = 16 << 20 // bytes

// Query asks which materials government holds. A refusal comes back as the *exchange.Problem the exchange gave. The values of
// an answer's fields are json.RawMessage, so that numbers stay as the keeper wrote them.
func (c *Client) Query(ctx context.Context, asked QueryRequest) (broker.Conclusion, error) {
	var conclusion broker.Conclusion
	answer, err := c.ask(ctx, http.MethodPost, "/v1/queries", asked)
	if err != nil {
		return conclusion, err
	}
	if err := json.Unmarshal(answer.Body, &conclusion, json.WithUnmarshalers(json.UnmarshalFromFunc(asWritten))); err != nil || conclusion.ID == "" {
		return broker.Conclusion{}, unreachable(c.Base, errors.New("the answer is not one of the exchange"))
	}
	return conclusion, nil
}

// Call asks another of the exchange's addresses: asked is the body, nil for none, and the answer is read into answer. A refusal
// comes back as the *exchange.Problem the exchange gave.
func (c *Client) Call(ctx context.Context, method, path string, asked, answer any) error {
	_, err := c.call(ctx, method, path, asked, answer)
	return err
}

// call reads an answer, and says where a list goes on that comes in parts.
func (c *Client) call(ctx context.Context, method, path string, asked, answer any) (next string, err error) {
	said, err := c.ask(ctx, method, path, asked)
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(said.Body, answer); err != nil {
		return "", unreachable(c.Base, errors.New("the answer is not one of the exchange"))
	}
	return said.Next, nil
}

// asWritten keeps a value of any type as its JSON.
func asWritten(d *jsontext.Decoder, into *any) error {
	value, err := d.ReadValue()
	*into = stdjson.RawMessage(bytes.Clone(value))
	return err
}

// request is one sending; key is the same for all of a request.
func (c *Client) request(ctx context.Context, method, path string, asked any, key string) (*http.Request, error) {
	base, err := url.Parse(c.Base)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, badBase()
	}
	if strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, badToken()
	}
	var body []byte
	if asked != nil {
		if body, err = json.Marshal(asked); err != nil {
			return nil, badBody(text("不是 UTF-8 文字", "it is not UTF-8"))
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Base, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, badBase()
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set(headerNonce, rand.Text())
	request.Header.Set(headerTime, c.now().Format(time.RFC3339))
	if asked != nil {
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set(contract.HeaderKey, key)
	}
	return request, nil
}

func (c *Client) now() time.Time {
	if c.Clock == nil {
		return time.Now()
	}
	return c.Clock()
}

func unreachable(base string, err error) error {
	p := &exchange.Problem{Code: "YM-API-0503", Kind: exchange.Unavailable, Err: err,
		What: text("交换平台没有应答："+shown(base), "the exchange did not answer: "+shown(base)),
		Mend: text("确认 yimen serve（或 demo）在运行，地址用 --server 指定", "see that `yimen serve` (or demo) runs, and name its address with --server")}
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		p.Why = text("不信任它的证书", "its certificate is not trusted")
		p.Mend = text("确认地址与证书一致，并把签发该证书的 CA 加入本机信任库", "see that the address is the certificate's, and add the CA that issued it to those this machine trusts")
	case errors.Is(err, http.ErrSchemeMismatch):
		p.Why = text("它不使用 TLS", "it does not speak TLS")
		p.Mend = text("本机上的服务用 http://；其他机器上的服务须配置 tls", "use http:// for a service on this machine; one on another must have tls configured")
	case errors.Is(err, context.DeadlineExceeded):
		p.Why = text("未在限时内应答", "it did not answer in time")
	}
	return p
}

// shown is an address without the password that may stand in it.
func shown(base string) string {
	parsed, err := url.Parse(base)
	if err != nil {
		return "?"
	}
	return parsed.Redacted()
}

func badBase() error {
	return &exchange.Problem{Code: "YM-API-0501", Kind: exchange.Invalid, What: text("交换平台的地址不可用", "the exchange's address cannot be used"),
		Mend: text("写完整地址，例如 --server https://yimen.example.gov.cn", "write it in full, such as --server https://yimen.example.gov.cn")}
}

func badToken() error {
	return &exchange.Problem{Code: "YM-API-0502", Kind: exchange.Invalid, What: text("令牌不可用", "the token cannot be used"),
		Why:  text("其中有空格、换行或非 ASCII 字符", "it has a space, a line break or a character outside ASCII"),
		Mend: text("令牌文件只写令牌本身", "have the token's file hold the token alone")}
}
