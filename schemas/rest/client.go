package rest

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/registry"
)

// Client calls a registry: Yimen's, or in Confluent's part of it any other. The zero HTTP waits a minute for an answer;
// it never follows a redirection, so that the token goes nowhere else.
//
// What a registry refuses comes back as the *exchange.Problem it gave; an incompatible schema's wraps a *registry.Incompatible.
type Client struct {
	Base  string // where the registry's root is, such as http://127.0.0.1:7080/registry
	Token string // "" for what everybody may do
	HTTP  *http.Client
}

// Version is one version of a subject as a registry serves it.
type Version struct {
	Subject    string                `json:"subject"`
	Version    int                   `json:"version"`
	ID         int                   `json:"id"`
	GUID       string                `json:"guid,omitempty"`
	References []registry.Reference  `json:"references,omitempty"`
	Metadata   *registry.Metadata    `json:"metadata,omitempty"`
	Schema     string                `json:"schema"`
	Deleted    bool                  `json:"deleted,omitempty"` // softly: hidden, and still there for readers
	Deprecated *registry.Deprecation `json:"deprecated,omitempty"`
}

// Registration is what came of a registration, or would come of it.
type Registration struct {
	Subject  string              `json:"subject"`
	Version  int                 `json:"version"`
	ID       int                 `json:"id"`
	GUID     string              `json:"guid"`
	New      bool                `json:"new"` // false: the subject has it already
	Warnings []exchange.Text     `json:"warnings,omitempty"`
	Verdict  *registry.Judgement `json:"verdict,omitempty"`
}

const (
	clientPatience = time.Minute
	mostAnswer     = 64 << 20 // bytes of one answer
	mostLine       = 8 << 20  // bytes of one line of progress
)

// Subjects lists the subjects, those with deleted versions only as well where deleted is set.
func (c *Client) Subjects(ctx context.Context, deleted bool) (subjects []string, err error) {
	return subjects, c.call(ctx, http.MethodGet, "/subjects"+withDeleted(deleted), nil, &subjects)
}

// Versions lists the numbers of a subject's versions in order.
func (c *Client) Versions(ctx context.Context, subject string, deleted bool) (versions []int, err error) {
	return versions, c.call(ctx, http.MethodGet, c.subject(subject)+"/versions"+withDeleted(deleted), nil, &versions)
}

// Version is one version; 0 is the latest.
func (c *Client) Version(ctx context.Context, subject string, version int, deleted bool) (v Version, err error) {
	return v, c.call(ctx, http.MethodGet, c.subject(subject)+"/versions/"+numbered(version)+withDeleted(deleted), nil, &v)
}

// Register adds a schema to a subject; dry only says what would come of it.
func (c *Client) Register(ctx context.Context, subject string, candidate registry.Candidate, dry bool) (r Registration, err error) {
	query := url.Values{}
	if candidate.Normalize {
		query.Set("normalize", "true")
	}
	if dry {
		query.Set("dryRun", "true")
	}
	path := c.subject(subject) + "/versions"
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	err = c.call(ctx, http.MethodPost, path, wanted(candidate.Text, candidate.References, candidate.Metadata), &r)
	if r.Subject == "" {
		r.Subject = subject
	}
	return r, err
}

// Level is a subject's compatibility, or the global one of the empty subject. Own is false where the global one holds for it.
func (c *Client) Level(ctx context.Context, subject string) (registry.Level, error) {
	level := registry.Level{Own: subject != ""}
	var answer struct {
		Level  string `json:"compatibilityLevel"`
		Policy string `json:"compatibilityPolicy"`
	}
	path := configPath("/config", subject)
	err := c.call(ctx, http.MethodGet, path, nil, &answer)
	if subject != "" && exchange.KindOf(err) == exchange.NotFound {
		level.Own = false
		err = c.call(ctx, http.MethodGet, path+"?defaultToGlobal=true", nil, &answer)
	}
	level.Compatibility, level.Policy = answer.Level, policyOf(answer.Policy)
	return level, err
}

// SetLevel sets it; empty fields stay as they are.
func (c *Client) SetLevel(ctx context.Context, subject string, level registry.Level) error {
	asked := struct {
		Level  string `json:"compatibility,omitempty"`
		Policy string `json:"compatibilityPolicy,omitempty"`
	}{level.Compatibility, string(level.Policy)}
	return c.call(ctx, http.MethodPut, configPath("/config", subject), asked, nil)
}

// DeleteLevel removes a subject's own level, or resets the global one.
func (c *Client) DeleteLevel(ctx context.Context, subject string) error {
	return c.call(ctx, http.MethodDelete, configPath("/config", subject), nil, nil)
}

// Mode is a subject's mode, or the global one of the empty subject. own is false where the global one holds for it.
func (c *Client) Mode(ctx context.Context, subject string) (mode string, own bool, err error) {
	var answer struct {
		Mode string `json:"mode"`
	}
	path := configPath("/mode", subject)
	err = c.call(ctx, http.MethodGet, path, nil, &answer)
	own = subject != "" && err == nil
	if subject != "" && exchange.KindOf(err) == exchange.NotFound {
		err = c.call(ctx, http.MethodGet, path+"?defaultToGlobal=true", nil, &answer)
	}
	return answer.Mode, own, err
}

// History lists the accepted changes of a subject, or of all where it is empty, oldest first.
func (c *Client) History(ctx context.Context, subject string) (changes []registry.Change, err error) {
	path := "/history"
	if subject != "" {
		path = c.subject(subject) + "/history"
	}
	return changes, c.call(ctx, http.MethodGet, path, nil, &changes)
}

// Deprecate marks a version (0: all there are) with a reason; an empty reason takes the mark away.
func (c *Client) Deprecate(ctx context.Context, subject string, version int, reason string) error {
	path := c.subject(subject)
	if version > 0 {
		path += "/versions/" + strconv.Itoa(version)
	}
	path += "/deprecation"
	if reason == "" {
		return c.call(ctx, http.MethodDelete, path, nil, nil)
	}
	return c.call(ctx, http.MethodPut, path, map[string]string{"reason": reason}, nil)
}

// Retire announces the end of a subject; the zero time takes the announcement back.
func (c *Client) Retire(ctx context.Context, subject string, from time.Time, reason string) error {
	path := c.subject(subject) + "/retirement"
	if from.IsZero() {
		return c.call(ctx, http.MethodDelete, path, nil, nil)
	}
	asked := struct {
		From   time.Time `json:"from"`
		Reason string    `json:"reason,omitempty"`
	}{from, reason}
	return c.call(ctx, http.MethodPut, path, asked, nil)
}

// Retirement is what was announced for a subject; nil: nothing.
func (c *Client) Retirement(ctx context.Context, subject string) (*registry.Retirement, error) {
	var announced registry.Retirement
	err := c.call(ctx, http.MethodGet, c.subject(subject)+"/retirement", nil, &announced)
	switch {
	case exchange.KindOf(err) == exchange.NotFound && err != nil:
		return nil, nil
	case err != nil:
		return nil, err
	case announced.From.IsZero():
		return nil, nil
	}
	return &announced, nil
}

// Impact says what a schema would break, in the form Config.Impact gave it. progress is told now and then how many stored
// records were looked at, of how many. It may take long: no other time limit than ctx holds.
func (c *Client) Impact(ctx context.Context, subject string, schema []byte, progress func(done, of int64)) (json.RawMessage, error) {
	response, err := c.send(ctx, http.MethodPost, c.subject(subject)+"/impact", wanted(schema, nil, nil), 0)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, c.refusal(response)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(make([]byte, 0, 64<<10), mostLine)
	for lines.Scan() {
		var line struct {
			Done   int64           `json:"done"`
			Of     int64           `json:"of"`
			Impact json.RawMessage `json:"impact"`
			Error  json.RawMessage `json:"error"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, c.foreign(response.StatusCode)
		}
		switch {
		case line.Error != nil:
			return nil, c.problemOf(http.StatusInternalServerError, line.Error)
		case line.Impact != nil:
			return bytes.Clone(line.Impact), nil
		default:
			progress(line.Done, line.Of)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, c.unreachable(err)
	}
	return nil, c.unreachable(io.ErrUnexpectedEOF)
}

// subject is the path of a subject, which is one segment whatever its name.
func (c *Client) subject(name string) string { return "/subjects/" + segment(name) }

// segment writes a name so that it stays one segment of a path, "." and ".." included.
func segment(name string) string {
	if strings.Trim(name, ".") == "" {
		return strings.ReplaceAll(name, ".", "%2E")
	}
	return url.PathEscape(name)
}

func configPath(root, subject string) string {
	if subject == "" {
		return root
	}
	return root + "/" + segment(subject)
}

func withDeleted(deleted bool) string {
	if deleted {
		return "?deleted=true"
	}
	return ""
}

func numbered(version int) string {
	if version == 0 {
		return "latest"
	}
	return strconv.Itoa(version)
}

// wanted is the body that asks for a schema.
func wanted(text []byte, references []registry.Reference, metadata *registry.Metadata) any {
	return struct {
		Schema     string               `json:"schema"`
		SchemaType string               `json:"schemaType"`
		References []registry.Reference `json:"references,omitempty"`
		Metadata   *registry.Metadata   `json:"metadata,omitempty"`
	}{string(text), "JSON", references, metadata}
}

// call sends body, if there is one, and reads the answer into answer, if one is wanted.
func (c *Client) call(ctx context.Context, method, path string, body, answer any) error {
	response, err := c.send(ctx, method, path, body, clientPatience)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return c.refusal(response)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	if err != nil {
		return c.unreachable(err)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return c.foreign(response.StatusCode)
	}
	return nil
}

// send makes the request. limit bounds the whole exchange, its answer included; 0 leaves that to ctx.
func (c *Client) send(ctx context.Context, method, path string, body any, limit time.Duration) (*http.Response, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("write request: %w", err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Base, "/")+path, content)
	if err != nil {
		return nil, c.unreachable(err)
	}
	request.Header.Set("Accept", "application/vnd.schemaregistry.v1+json, application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := http.Client{}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	if client.Timeout == 0 {
		client.Timeout = limit
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	if err != nil {
		return nil, c.unreachable(err)
	}
	return response, nil
}

// refusal reads the answer to a request that was refused.
func (c *Client) refusal(response *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	if err != nil {
		return c.unreachable(err)
	}
	return c.problemOf(response.StatusCode, text)
}

// problemOf is the problem that a registry gave, or one made of what another's registry says.
func (c *Client) problemOf(status int, text []byte) error {
	var answer struct {
		Code    int    `json:"error_code"`
		Message string `json:"message"`
		Problem *struct {
			Code string        `json:"code"`
			Kind exchange.Kind `json:"kind"`
			What exchange.Text `json:"what"`
			Why  exchange.Text `json:"why"`
			Mend exchange.Text `json:"mend"`
		} `json:"problem"`
		Findings *registry.Judgement `json:"findings"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Problem == nil && answer.Code == 0 {
		return c.foreign(status)
	}
	p := &exchange.Problem{Code: fmt.Sprintf("YM-REG-%d", answer.Code), Kind: kindOf(status), What: exchange.Text{ZH: answer.Message, EN: answer.Message}}
	if given := answer.Problem; given != nil && strings.HasPrefix(given.Code, "YM-") {
		p = &exchange.Problem{Code: given.Code, Kind: cmp.Or(given.Kind, p.Kind), What: given.What, Why: given.Why, Mend: given.Mend}
	}
	if answer.Findings != nil {
		p.Err = &registry.Incompatible{Judgement: *answer.Findings}
	}
	return p
}

func kindOf(status int) exchange.Kind {
	switch {
	case status == http.StatusUnauthorized:
		return exchange.Unauthorised
	case status == http.StatusForbidden:
		return exchange.Denied
	case status == http.StatusNotFound:
		return exchange.NotFound
	case status == http.StatusConflict:
		return exchange.Conflict
	case status == http.StatusServiceUnavailable, status == http.StatusBadGateway, status == http.StatusGatewayTimeout, status == http.StatusTooManyRequests:
		return exchange.Unavailable
	case status >= 500:
		return exchange.Internal
	}
	return exchange.Invalid
}

// foreign is the problem of an answer that no registry gives.
func (c *Client) foreign(status int) error {
	return c.unreachable(fmt.Errorf("status %d, which is no answer of a registry", status))
}

func (c *Client) unreachable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	p := &exchange.Problem{Code: "YM-REG-0503", Kind: exchange.Unavailable, Err: err,
		What: exchange.Text{ZH: "Schema 登记处没有应答：" + c.shown(), EN: "the schema registry did not answer: " + c.shown()},
		Mend: exchange.Text{ZH: "确认 yimen serve（或 demo）在运行，地址用 --server 指定", EN: "see that `yimen serve` (or demo) runs, and name its address with --server"}}
	var untrusted *tls.CertificateVerificationError
	var failed *url.Error
	switch {
	case errors.As(err, &untrusted):
		p.Why = exchange.Text{ZH: "不信任它的证书", EN: "its certificate is not trusted"}
	case errors.Is(err, http.ErrSchemeMismatch):
		p.Why = exchange.Text{ZH: "它不使用 TLS", EN: "it does not speak TLS"}
	case errors.As(err, &failed):
		p.Err = failed.Err // the address is in the message already
		if failed.Timeout() {
			p.Err = context.DeadlineExceeded
		}
	}
	return p
}

// shown is the address without a password that may stand in it.
func (c *Client) shown() string {
	parsed, err := url.Parse(c.Base)
	if err != nil {
		return "?"
	}
	return parsed.Redacted()
}

// policyOf is the policy a registry names; one that knows none is strict about what it says, by its own rules.
func policyOf(name string) compat.Policy {
	if name == "" {
		return compat.Strict
	}
	return compat.Policy(name)
}
