package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

// Client asks an exchange. HTTP may be nil for the default.
type Client struct {
	Base  string // such as https://yimen.example.gov.cn
	Token string
	HTTP  *http.Client
}

// Query asks which materials government holds. A refusal comes back as the *exchange.Problem the exchange gave.
func (c *Client) Query(ctx context.Context, asked QueryRequest) (broker.Conclusion, error) {
	var conclusion broker.Conclusion
	body, err := json.Marshal(asked)
	if err != nil {
		return conclusion, fmt.Errorf("write query: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Base+"/v1/queries", bytes.NewReader(body))
	if err != nil {
		return conclusion, fmt.Errorf("make query: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+c.Token)
	request.Header.Set("Content-Type", "application/json")
	return conclusion, c.do(request, &conclusion)
}

func (c *Client) do(request *http.Request, into any) error {
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return unreachable(c.Base, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return unreachable(c.Base, err)
	}
	if response.StatusCode != http.StatusOK {
		return problemOf(c.Base, response.StatusCode, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return unreachable(c.Base, fmt.Errorf("answer is not the exchange's"))
	}
	return nil
}

func problemOf(base string, code int, body []byte) error {
	var d problemDetails
	if err := json.Unmarshal(body, &d); err != nil || d.Code == "" {
		return unreachable(base, fmt.Errorf("status %d, not a problem of the exchange", code))
	}
	kind := exchange.Internal
	for k, status := range statuses {
		if status == code {
			kind = k
		}
	}
	return &exchange.Problem{Code: d.Code, Kind: kind, What: d.What, Why: d.Why, Mend: d.How}
}

func unreachable(base string, err error) error {
	return &exchange.Problem{Code: "YM-API-0503", Kind: exchange.Unavailable, Err: err,
		What: exchange.Text{ZH: "交换平台没有应答：" + base, EN: "the exchange did not answer: " + base},
		Mend: exchange.Text{ZH: "确认 yimen serve（或 demo）在运行，地址用 --server 指定", EN: "see that `yimen serve` (or demo) runs, and name its address with --server"}}
}
