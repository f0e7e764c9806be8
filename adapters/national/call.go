package national

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// line is a line to the platform: who calls which service, and the secret in use. It is safe for concurrent use.
type line struct {
	http      *http.Client
	call      string // address of calls
	refresh   string // address of the call that gives a new secret
	requester string
	service   string
	prefix    string // of the names by which a call says who makes it
	appKey    string
	clock     func() time.Time

	mu  sync.Mutex // guards what follows
	now lease
}

// spare is how long before its end a secret is used no more: clocks differ, and calls take a while.
const spare = time.Minute

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 16 << 20

// refused is what the platform says no with: its code, as far as that is one.
type refused string

func (r refused) Error() string { return "refused with code " + string(r) }

// plainCode lets nothing through that is no code.
func plainCode(s string) string {
	if !code.MatchString(s) {
		return "?"
	}
	return s
}

var code = regexp.MustCompile(`^[A-Za-z0-9_-]{1,16}$`)

// ask makes one call. A secret that the platform refuses, because it was given a new one elsewhere, is refreshed once.
func (l *line) ask(ctx context.Context, parameters map[string]any, read func([]byte) error) error {
	secret, fresh, err := l.secret(ctx)
	if err != nil {
		return err
	}
	for {
		answer, err := l.send(ctx, l.call, secret, parameters)
		if err == nil {
			err = read(answer)
		}
		var no refused
		if fresh || !errors.As(err, &no) {
			return err
		}
		l.drop(secret)
		if secret, fresh, err = l.secret(ctx); err != nil {
			return err
		}
	}
}

// secret is the one in use, or a new one where there is none or it ends; fresh: it was asked for now.
func (l *line) secret(ctx context.Context) (secret string, fresh bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now.secret != "" && l.clock().Before(l.now.until.Add(-spare)) {
		return l.now.secret, false, nil
	}
	answer, err := l.send(ctx, l.refresh, l.appKey, nil)
	if err != nil {
		return "", false, fmt.Errorf("refresh secret: %w", err)
	}
	if l.now, err = parseLease(answer, l.appKey); err != nil {
		l.now = lease{}
		return "", false, fmt.Errorf("refresh secret: %w", err)
	}
	return l.now.secret, true, nil
}

// drop gives up a secret, unless another has it replaced already.
func (l *line) drop(secret string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now.secret == secret {
		l.now = lease{}
	}
}

// send signs a call and sends it. The four values stand in the headers; in a call without parameters, which is a refresh, in the
// body too.
func (l *line) send(ctx context.Context, to, secret string, parameters map[string]any) ([]byte, error) {
	at := stamp(l.clock())
	who := map[string]any{l.prefix + "_rid": l.requester, l.prefix + "_sid": l.service, l.prefix + "_rtime": at, l.prefix + "_sign": sign(secret, l.service, l.requester, at)}
	if parameters == nil {
		parameters = who
	}
	body, err := json.Marshal(parameters, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	for name, value := range who {
		request.Header[name] = []string{value.(string)} // as the platform writes them, in small letters
	}
	response, err := l.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(answer) > maxAnswer:
		return nil, errors.New("an answer of more than 16 MiB")
	case response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden:
		return nil, refused(fmt.Sprint(response.StatusCode))
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("HTTP status %d", response.StatusCode)
	}
	return answer, nil
}
